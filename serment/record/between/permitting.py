"""Asking a patient for an access to their record, and the patient's answer (ADR 64).

Who asks may not read there, and learns nothing of it: asking leaves a trace that the patient reads and two
pointers, and is the same work for a record that is open, closed to the asker, or of nobody. Refused,
unanswered and blocked read the same to who asked: nothing, until a yes. A yes is a Consent like any other.

Order: the codes, the passage, who answers for a patient, the jobs inside the pen.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from serment.errors import NotFoundError, RefusedError, RequestError
from serment.fhir.consent import consent, permitting
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, ActorKind, Denial, Instant, PatientId, Permit, Purpose
from serment.record import choices, gate, incoming, reading, trace, writing
from serment.record.asking import Asking
from serment.record.between import inbox
from serment.record.between.inbox import Errand, Pointer, pointing
from serment.record.budget import Budget
from serment.record.draft import Draft
from serment.record.passage import Passage
from serment.record.pen import DeniedError, Pen
from serment.record.searching import PERSON
from serment.record.writing import Writing, new_id

DAY: Final = 24 * 3600 * 1000

REASONS: Final = ("opinion", "take-over", "follow-up", "coordination", "certificate")
"""Why somebody asks to see a record: coded, for free text would be content outside it."""

ASKED_MS: Final = 14 * DAY
"""How long a request for an access waits; who asked reads "no answer" from then on, as after a refusal."""

QUIET_MS: Final = 30 * DAY
"""After a no, the same person's next requests reach nobody for so long."""

MOST_ASKED: Final = 20
"""Requests that one person sends in `DAY`."""

PERMIT_DAYS: Final = (1, 30, 90, 365)
"""For how many days a patient says yes."""

CARING: Final = frozenset({Purpose.TREAT, Purpose.COORDINATION})
ANSWERING: Final = frozenset({"G1.holder", "G2.representative"})
"""Rules by which somebody answers for a patient."""

UNHEARD: Final = frozenset({"V2.closed", "V3.blocked"})
"""Rules under which a request reaches nobody: the patient has said not to hear of this, or of anybody."""

NOWHERE: Final = ActorId("patient:nobody")
"""Whose file takes a request about a record that is nobody's: the same work, and nobody reads it."""

ALLOWED: Final = "allowed"
"""Code of a request that was said yes to: the next one is heard."""


class Permitting:
    """The passage for asking, and for the answer."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage, self._writing = passage, writes
        self._asked = Budget(MOST_ASKED, DAY, "errands.too-many")

    async def ask(self, asking: Asking, patient: PatientId, reason: str, *, alone: bool = False) -> Instant:
        """Ask the patient for an access; `alone`: the person only, not those who represent them.

        Gives until when the request waits, whatever stands there. Raises `RefusedError` for whoever is no
        professional with a purpose of care, `RequestError`, `TooManyError`.
        """
        if asking.actor.kind is not ActorKind.PROFESSIONAL or asking.purpose not in CARING:
            raise RefusedError("errands.not-yours")
        if reason not in REASONS:
            raise RequestError("errands.reason")
        self._asked.spend(asking.actor.id, asking.now)
        sent = pointing(
            Errand.CONSENT_ASKED, patient, until=asking.now + ASKED_MS, code=_coded(reason, alone=alone)
        )
        await self._alike(asking, patient)
        await self._writing.run(asking, [f"Patient/{patient}"], partial(_ask, sent=sent))
        return Instant(sent.until)

    async def _alike(self, asking: Asking, patient: PatientId) -> None:
        """Ask custody once, whether the keys were at hand or not (as a refusal does, ADR 29)."""
        passage, ring = self._passage, self._passage.keyring
        with passage.store.snapshot() as snapshot:
            record = passage.resolve(snapshot, f"Patient/{patient}")[0].record
            found = snapshot.epoch(record)
        epoch = -1 if found is None else found  # no row: whoever looks at it finds that out
        if ring.held(record, epoch, asking.now) is None:
            await asyncio.to_thread(ring.of, record, epoch, asking.request, asking.now)
        else:
            await asyncio.to_thread(ring.ask, record, asking.request, asking.now)

    async def answer(self, asking: Asking, patient: PatientId, id_: str, *, days: int | None) -> None:
        """Say yes for so many days, or no (None). Raises `NotFoundError` for what waits no more."""
        if days is not None and days not in PERMIT_DAYS:
            raise RequestError("errands.days")
        job = partial(_answer, patient=patient, id_=id_, days=days)
        await self._writing.run(asking, [f"Patient/{patient}"], job, choice=True)


async def who_answers(passage: Passage, asking: Asking, patient: str, what: Interaction) -> str:
    """Give the rule by which the asker answers for a patient, whom a carer only reads.

    Raises `NotFoundError`, traced as a refused `what`.
    """
    await reading.warm(passage, asking, [f"Patient/{patient}"])
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{patient}")
        view = passage.view(snapshot, asking, located.record)
        verdict = view.decide(choices.CHOICES, Act.READ)
        if isinstance(verdict, Permit) and verdict.rule in ANSWERING:
            return verdict.rule
        denial = verdict if isinstance(verdict, Denial) else Denial("E0.patient-side", "holder")
        entries = trace.of_refusal(passage, view, what, denial)
    await reading.settled(passage, entries)
    raise NotFoundError("record.not-found")


def _ask(pen: Pen, *, sent: Pointer) -> None:
    """Leave the trace and the pointers; whom it reaches is decided here, the work is one."""
    passage, asking = pen.passage, pen.asking
    located, known = pen.located(f"Patient/{sent.patient}")
    view = passage.view(pen.txn, asking, located.record)
    verdict = view.decide(PERSON, Act.READ)
    heard = known and not (isinstance(verdict, Denial) and verdict.rule in UNHEARD)
    event = trace.event(passage, asking, Interaction.ERRAND, rule="E1.access-asked")
    event = msgspec.structs.replace(event, reason=f"asked-{sent.code.partition('/')[0]}")
    chain = Chain.PROTECTED if alone(sent) else Chain.ORDINARY
    trace.append(passage, pen.txn, [trace.pending(view.keys, view.record, chain, event)])
    one = inbox.sent(sent, asking)
    to = inbox.of_person(sent.patient) if known else NOWHERE
    inbox.change_in(pen, to, lambda before: _asked_again(before, one, asking.now, heard=heard))
    inbox.change_in(pen, asking.actor.id, lambda before: _asked_again(before, one, asking.now, heard=True))


def _asked_again(
    before: tuple[Pointer, ...], one: Pointer, now: Instant, *, heard: bool
) -> tuple[Pointer, ...]:
    """Put a request in the place of the same person's earlier one; after a no it is not heard."""
    same = [old for old in before if _same_asking(old, one)]
    refused = any(old.done and now - old.done < QUIET_MS for old in same)
    if refused or not heard:
        one = msgspec.structs.replace(one, done=max((old.done for old in same if old.done), default=int(now)))
    return (*(old for old in before if old not in same), one)


def _same_asking(old: Pointer, new: Pointer) -> bool:
    named = (old.kind, old.sender, old.patient) == (new.kind, new.sender, new.patient)
    return named and old.code != ALLOWED


def _answer(pen: Pen, *, patient: PatientId, id_: str, days: int | None) -> None:
    draft = writing.draft_of(pen, f"Patient/{patient}", {})
    rule = answering(draft)
    asked = settled(pen, patient, id_, Errand.CONSENT_ASKED, said=None if days is None else ALLOWED)
    if alone(asked) and rule != "G1.holder":
        raise NotFoundError("errands.gone")
    if days is None:
        pen.reason = "access-refused"
        pen.did(draft, Interaction.ERRAND, trace.of_facts(rule))
        return
    until = (datetime.fromtimestamp(pen.asking.now / 1000, UTC) + timedelta(days=days)).isoformat(
        "T", "seconds"
    )
    number = asked.sender.removeprefix("rpps:")
    ready = incoming.read(consent(patient, permitting(number, until)))
    writing.put(pen, ready, new_id(), {}, pen.asking.actor.id)
    answer = inbox.sent(
        pointing(Errand.CONSENT_ANSWERED, patient, until=pen.asking.now + days * DAY), pen.asking
    )

    def told(before: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
        return (*(one for one in before if one.id != id_), answer)

    inbox.change_in(pen, ActorId(asked.sender), told)


def settled(pen: Pen, patient: PatientId, id_: str, kind: Errand, said: str | None = None) -> Pointer:
    """Settle an errand of a patient that waits. Raises `NotFoundError`: settled, over, of somebody else."""
    found: list[Pointer] = []
    now = pen.asking.now

    def change(before: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
        found.extend(one for one in before if (one.id, one.kind) == (id_, kind) and one.waits(now))
        return tuple(
            msgspec.structs.replace(one, done=now, code=said or one.code) if one in found else one
            for one in before
        )

    inbox.change_in(pen, inbox.of_person(patient), change)
    if not found:
        raise NotFoundError("errands.gone")
    return found[0]


def answering(draft: Draft) -> str:
    """Give the rule by which the asker answers for the patient. Raises `DeniedError`."""
    verdict = draft.view.decide(choices.CHOICES, Act.WRITE, existing=False)
    if isinstance(verdict, Permit) and verdict.rule in ANSWERING:
        return verdict.rule
    raise DeniedError(draft.view, gate.denied(verdict), Interaction.ERRAND)


def _coded(reason: str, *, alone: bool) -> str:
    return f"{reason}/alone" if alone else reason


def alone(one: Pointer) -> bool:
    """Say whether a request is for the person only, not for those who represent them."""
    return one.code.endswith("/alone")
