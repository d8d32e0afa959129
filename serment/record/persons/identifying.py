"""The gestures that make an identity surer: asking INSi, accepting its answer, checking a proof.

Two steps stand between INSi and a record: what the service answered is shown beside the traits, sealed for
the one person who asked, and stored only when that same person says that they have compared (rules C). Each
gesture is a read and a write of the Patient like any other, decided and traced; what leaves for the service
is traced before it leaves. A professional or the secretariat of the structure makes gestures, nobody else.

Order: what is shown, the passage, the sealed answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from serment.errors import (
    ConflictError,
    DependencyError,
    InvalidResourceError,
    MalformedError,
    RefusedError,
    RequestError,
    VersionConflictError,
)
from serment.fhir import document as documents
from serment.fhir import identity_body
from serment.fhir.document import Document
from serment.identity import evidence, insi, proofs, status, traits
from serment.identity.evidence import Evidence, Proof, Retrieval
from serment.identity.insi import Answer, Comparison, Insi
from serment.identity.traits import Traits
from serment.ledger.entry import Interaction
from serment.model import ActorKind, PatientId
from serment.record import incoming, trace, write, writing
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.patching import TRIES
from serment.record.pen import Pen
from serment.record.persons import identities
from serment.record.reading import Reading, Served, opened_token, sealed_token
from serment.record.writing import Writing

LASTS: Final = 15 * 60 * 1000
"""How long an answer may be accepted after it was shown, in milliseconds."""

WHO: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
"""Who makes gestures, themselves: never the person, a relative, an officer, nor a program in their hands."""

Change = Callable[[Evidence, Traits], Evidence]
"""From the evidence and the traits as they stand to the evidence of a gesture."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What INSi said, for the eyes of who asked: its code, both sets of traits, a sealed answer to accept."""

    code: str
    local: Traits = field(repr=False)
    comparison: Comparison | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """A proof that somebody looked at: its kind, and that of the parent's beside it ("" without)."""

    kind: str
    companion: str = ""


@dataclass(frozen=True, slots=True)
class _Written:
    """The Patient that a gesture writes, this server's address, the reason that its trace gives."""

    person: Document = field(repr=False)
    base: str
    reason: str


class _Answered(msgspec.Struct, array_like=True, frozen=True):
    """What the sealed answer holds: which version it was compared with, when it was given."""

    version: int
    at: int
    answer: Answer
    traits: Traits


class Identifying:
    """The passage for gestures. `service` is INSi, or what stands for it; None where none is set up."""

    def __init__(
        self, passage: Passage, reading: Reading, writes: Writing, service: Insi | None = None
    ) -> None:
        self._passage = passage
        self._reading = reading
        self._writing = writes
        self.service = service

    async def search(self, asking: Asking, patient: PatientId) -> Shown:
        """Ask INSi about a person of this structure. Nothing is stored.

        Raises `RefusedError`, `NotFoundError`, `InvalidResourceError` (doubtful or fictitious identity,
        traits missing), `DependencyError` when the service is not set up or does not answer.
        """
        served, person = await self._read(asking, patient)
        if self.service is None:
            raise DependencyError("identity.insi-absent")
        local = traits.of(person.value)
        list(insi.queries(local))  # refused before anything leaves
        before = await self._leaving(asking, patient)
        answer = await asyncio.to_thread(insi.look_up, self.service, local)
        if answer.code != insi.ONE:
            return Shown(answer.code, local)
        shown = insi.compared(answer, local, before)
        held = _Answered(served.version, asking.now, answer, shown.traits)
        token = sealed_token(self._passage, _bound(asking, patient), msgspec.msgpack.encode(held))
        return Shown(answer.code, local, shown, token)

    async def accept(
        self,
        asking: Asking,
        patient: PatientId,
        token: str,
        *,
        compared: bool,
        proof: Checked | None = None,
        base: str = "",
    ) -> str:
        """Store an answer that the asker has compared, and a proof checked with it; give the status then.

        Raises `RequestError` when they did not compare, the answer was another's or is too old, or the kind
        of proof is not known; `ConflictError` when the identity has changed since, or INSi names somebody
        else than before.
        """
        if not compared:
            raise RequestError("identity.not-compared")
        held = self._answered(asking, patient, token)
        served, person = await self._read(asking, patient)
        if served.version != held.version:
            raise ConflictError("identity.comparison")
        found = Retrieval(held.answer.number, held.answer.past, "INSI", held.at, asking.actor.id)
        seen = None if proof is None else _proof(asking, held.traits, proof)

        def change(before: Evidence, _: Traits) -> Evidence:
            after = evidence.retrieved(before, found, held.traits)
            return after if seen is None else evidence.proved(after, seen, held.traits)

        return await self._change(asking, served, _Written(person, base, "identity-insi"), change)

    async def prove(self, asking: Asking, patient: PatientId, proof: Checked, base: str = "") -> str:
        """Store that the asker has checked a proof, by its kind alone; give the status that stands then.

        Raises `RequestError` for a kind that is not known, `InvalidResourceError` for a doubtful identity.
        """
        for _ in range(TRIES - 1):
            with suppress(VersionConflictError):
                return await self._prove(asking, patient, proof, base)
        return await self._prove(asking, patient, proof, base)

    async def _prove(self, asking: Asking, patient: PatientId, proof: Checked, base: str) -> str:
        served, person = await self._read(asking, patient)
        seen = _proof(asking, traits.of(person.value), proof)

        def change(before: Evidence, now: Traits) -> Evidence:
            return evidence.proved(before, seen, now)

        return await self._change(asking, served, _Written(person, base, "identity-proof"), change)

    async def _read(self, asking: Asking, patient: PatientId) -> tuple[Served, Document]:
        """Read the Patient. Raises `RefusedError`, `NotFoundError`, `InvalidResourceError`."""
        if asking.actor.kind not in WHO or asking.scope is not None:
            raise RefusedError("identity.gesture")
        served = await self._reading.read(asking, "Patient", patient)
        person = documents.read(served.body)
        if status.forced(status.attributes(person.value)):
            raise InvalidResourceError("identity.insi-forbidden", "Patient.extension")
        return served, person

    async def _leaving(self, asking: Asking, patient: PatientId) -> Evidence:
        """Write down, before anything leaves, that INSi is asked; give the evidence that stands."""

        def job(pen: Pen) -> Evidence:
            draft = writing.draft_of(pen, f"Patient/{patient}", {})
            item = write.existing(draft, "Patient", patient, Interaction.UPDATE)
            pen.did(draft, Interaction.IDENTIFY, trace.touched(item, asking))
            return identities.of_patient(pen, draft, patient)

        return await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def _change(self, asking: Asking, served: Served, what: _Written, change: Change) -> str:
        """Write the Patient with what a gesture makes of its identity."""
        now = traits.of(what.person.value)
        reference = f"Patient/{served.id}"

        def job(pen: Pen) -> str:
            pen.reason = what.reason
            draft = writing.draft_of(pen, reference, {})
            write.existing(draft, "Patient", served.id, Interaction.UPDATE)
            after = change(identities.of_patient(pen, draft, served.id), now)
            body = identity_body.written(what.person, after, _day, strict=after.traits != now)
            pen.identities[served.id] = after
            ready = incoming.read(body, "Patient", what.base)
            writing.change(pen, ready, served.id, reference, served.version)
            return after.status

        return await self._writing.run(asking, [reference], job)

    def _answered(self, asking: Asking, patient: PatientId, token: str) -> _Answered:
        """Open a sealed answer. Raises `RequestError`."""
        try:
            plain = opened_token(self._passage, _bound(asking, patient), token)
        except MalformedError:
            raise RequestError("identity.comparison") from None
        held = msgspec.msgpack.decode(plain, type=_Answered)
        if not 0 <= asking.now - held.at <= LASTS:
            raise RequestError("identity.comparison")
        return held


def _proof(asking: Asking, person: Traits, seen: Checked) -> Proof:
    """Say how far a proof is trusted for this person today. Raises `RequestError` for an unknown kind."""
    minor = proofs.minor_on(person.birth_date, _day(asking.now))
    trusted = proofs.trusted(seen.kind, seen.companion, minor=minor)
    return Proof(seen.kind, seen.companion, trusted, asking.now, asking.actor.id)


def _bound(asking: Asking, patient: PatientId) -> str:
    return f"insi {asking.actor.id} {patient}"


def _day(instant: int) -> str:
    """Write the UTC day of an instant (ms)."""
    return datetime.fromtimestamp(instant / 1000, UTC).date().isoformat()
