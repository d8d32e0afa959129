"""The worklist as somebody sees it, and what they decide: one person, two people, or one after all.

A merge opens, moves and seals nothing again: the two records stay, each under its own keys, tied by their
Patients' links and by facts that forbid alike (ADR 46). The two Patients are read and written by the rules of
any other item, in one transaction. Two different INS, twins, and people whose traits do not agree are never
merged: who knows better corrects the traits first, under their own name.

Order: the list, merging, undoing, two people; who may, what is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.access import sort, uniting
from serment.access.find import finding_for
from serment.access.record_facts import RecordFacts
from serment.errors import ConflictError, NotFoundError, RefusedError, RequestError
from serment.fhir import document as documents
from serment.fhir import duplicate_body
from serment.fhir.document import Document
from serment.identity import duplicates, likeness
from serment.identity.who import Who, who_of
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, Denial, Permit
from serment.record import choices, incoming, trace, writing
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.duplicates import meeting, worklist
from serment.record.duplicates.worklist import MERGED, OPEN, Suspicion
from serment.record.gate import OUTSIDE_SCOPE, View
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.persons import identities, register
from serment.record.reading import Reading, Served, settled
from serment.record.trace import Touched
from serment.record.writing import Writing
from serment.store.contract import Snapshot

MOST_LISTED: Final = 20
"""Pairs that are shown at once: the surest first, and the next ones when these are judged."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the list: the suspicion and who the two are."""

    suspicion: Suspicion
    people: tuple[Who, Who] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Side:
    """One Patient of a merge: what was read, and the resource."""

    served: Served = field(repr=False)
    document: Document = field(repr=False)

    @property
    def reference(self) -> str:
        return f"Patient/{self.served.id}"


class Merging:
    """The passage for suspected duplicates."""

    def __init__(self, passage: Passage, reading: Reading, writes: Writing) -> None:
        self._passage = passage
        self._reading = reading
        self._writing = writes

    async def listed(self, asking: Asking) -> list[Pair]:
        """Give the surest suspicions of the asker's structure. Raises `RefusedError`."""
        await self.allowed(asking)
        pairs = await asyncio.wrap_future(
            self._passage.store.scan(lambda snapshot: self._pairs(snapshot, asking))
        )
        shown = [
            Touched(f"Patient/{who.patient}", Chain.ORDINARY, sort.RULE)
            for one in pairs
            for who in one.people
        ]
        await settled(self._passage, await self._on_register(asking, shown))
        return pairs

    async def waiting(self, asking: Asking) -> int:
        """Count the suspicions of the asker's structure; nobody is named. Raises `RefusedError`."""
        await self.allowed(asking)
        found = await asyncio.to_thread(worklist.listed, self._passage, asking, asking.actor.structure)
        return len(found)

    async def pair(self, asking: Asking, one: str, other: str) -> Pair:
        """Give one suspicion and who the two are. Raises `RefusedError`, `NotFoundError`."""
        await self.allowed(asking)
        known = await self._known(asking, one, other)
        if known is None:
            raise NotFoundError("record.not-suspected")
        return Pair(known, await self._people(asking, known))

    async def _people(self, asking: Asking, known: Suspicion) -> tuple[Who, Who]:
        """Give who two people are; one whose record was left has no row, their Patient is read."""

        def look(snapshot: Snapshot) -> list[Who | None]:
            view = register.look(self._passage, snapshot, asking)
            return [self._who(snapshot, view, patient) for patient in (known.one, known.other)]

        rows = await asyncio.wrap_future(self._passage.store.scan(look))
        shown = [
            Touched(f"Patient/{who.patient}", Chain.ORDINARY, sort.RULE) for who in rows if who is not None
        ]
        await settled(self._passage, await self._on_register(asking, shown))
        one = rows[0] or await self._left(asking, known.one)
        return one, rows[1] or await self._left(asking, known.other)

    async def _left(self, asking: Asking, patient: str) -> Who:
        person = (await self._side(asking, patient)).document.value
        return who_of(person, patient, self._passage.regime.value, asking.actor.structure)

    def _pairs(self, snapshot: Snapshot, asking: Asking) -> list[Pair]:
        view = register.look(self._passage, snapshot, asking)
        found: list[Pair] = []
        for one in worklist.listed(self._passage, asking, asking.actor.structure):
            people = [self._who(snapshot, view, patient) for patient in (one.one, one.other)]
            known = [who for who in people if who is not None]
            if len(known) == len(people):
                found.append(Pair(one, (known[0], known[1])))
            if len(found) == MOST_LISTED:
                break
        return found

    def _who(self, snapshot: Snapshot, view: View, patient: str) -> Who | None:
        located, known = self._passage.resolve(snapshot, f"Patient/{patient}")
        return register.row_at(self._passage, snapshot, view, located.record) if known else None

    async def merge(self, asking: Asking, kept: str, left: str, base: str = "") -> None:
        """Leave one record for the other.

        Raises `RefusedError`, `NotFoundError`, `RequestError` for a record and itself, and `ConflictError`:
        two INS, people who are not alike, a record that is merged or frozen already, a version that moved.
        """
        await self.allowed(asking)
        if kept == left:
            raise RequestError("record.merge-itself")
        goes_on, goes = await self._side(asking, kept), await self._side(asking, left)

        def job(pen: Pen) -> None:
            pen.reason = "merge"
            drafts = [writing.draft_of(pen, one.reference, {}) for one in (goes_on, goes)]
            comparison = _comparable(pen, drafts, (goes_on, goes))
            self._judged(pen, comparison, goes_on, goes)
            _write(pen, goes_on, duplicate_body.kept(goes_on.document, left), base)
            _write(pen, goes, duplicate_body.left(goes.document, kept), base)
            drafts[1].row = register.row_of(drafts[1], None)
            facts = [choices.facts_of(draft) for draft in drafts]
            choices.change(drafts[0], uniting.united(facts[0], facts[1], left, away=False))
            choices.change(drafts[1], uniting.united(facts[1], facts[0], kept, away=True))

        await self._writing.run(asking, [goes_on.reference, goes.reference], job)

    def _judged(self, pen: Pen, comparison: duplicates.Comparison, kept: _Side, left: _Side) -> None:
        """Write on the list that the pair is one person, and what undoing it will need."""
        patient = left.document.value
        made = Suspicion(
            kept.served.id,
            left.served.id,
            pen.asking.actor.structure,
            comparison.verdict,
            round(comparison.weight, 1),
            pen.asking.now,
            MERGED,
            kept.served.id,
            patient.get("active"),
            duplicate_body.uses(patient),
            duplicate_body.is_silent(patient),
        )
        worklist.put(pen, made)

    async def undo(self, asking: Asking, kept: str, left: str, base: str = "") -> None:
        """Take a merge back: both records are as they were, with what was written since.

        Raises `RefusedError`, `NotFoundError` when the two were not merged, `ConflictError`.
        """
        await self.allowed(asking)
        known = await self._known(asking, kept, left)
        if known is None or known.state != MERGED or known.kept != kept:
            raise NotFoundError("record.not-merged")
        goes_on, goes = await self._side(asking, kept), await self._side(asking, left)

        def job(pen: Pen) -> None:
            pen.reason = "undo-merge"
            for side, other in ((goes_on, left), (goes, kept)):
                draft = writing.draft_of(pen, side.reference, {})
                choices.change(draft, uniting.parted(choices.facts_of(draft), other))
            worklist.put(pen, msgspec.structs.replace(known, state=OPEN, since=asking.now, kept=""))
            _write(pen, goes_on, duplicate_body.parted(goes_on.document, left), base)
            restored = duplicate_body.restored(
                goes.document, kept, known.active, known.uses, silent=known.silent
            )
            _write(pen, goes, restored, base)

        await self._writing.run(asking, [goes_on.reference, goes.reference], job)

    async def keep_apart(self, asking: Asking, one: str, other: str) -> None:
        """Say that a suspected pair is two people: it is not suspected again.

        Raises `RefusedError`, `NotFoundError` when the pair is not on the list.
        """
        await self.allowed(asking)
        known = await self._known(asking, one, other)
        if known is None or known.state != OPEN:
            raise NotFoundError("record.not-suspected")

        def job(pen: Pen) -> None:
            worklist.put(pen, msgspec.structs.replace(known, state=worklist.APART, since=asking.now))

        await self._writing.run(asking, [], job)

    async def _known(self, asking: Asking, one: str, other: str) -> Suspicion | None:
        """Give what the list says of a pair of the asker's own structure."""
        found = await asyncio.to_thread(worklist.of, self._passage, asking, one, other)
        return found if found is not None and found.structure == asking.actor.structure else None

    async def _side(self, asking: Asking, patient: str) -> _Side:
        served = await self._reading.read(asking, "Patient", patient)
        return _Side(served, documents.read(served.body))

    # Who may.

    async def allowed(self, asking: Asking) -> None:
        """Refuse whoever does not sort the identities of their structure. Raises `RefusedError`."""
        passage = self._passage
        facts = RecordFacts(regime=passage.regime.value, structure=asking.actor.structure)
        finding = finding_for(
            asking.actor,
            asking.purpose,
            meeting.NOBODY,
            facts,
            asking.now,
            asking.request,
            passage.policy,
            by_ins=False,
        )
        verdict: Permit | Denial = sort.sorts(asking.actor, finding, passage.policy)
        if not meeting.in_scope(asking, Act.READ, Act.WRITE):
            verdict = OUTSIDE_SCOPE
        if isinstance(verdict, Denial):
            await settled(passage, await self._on_register(asking, [], verdict))
            raise RefusedError("record.not-sorting")

    async def _on_register(
        self, asking: Asking, shown: Sequence[Touched], denial: Denial | None = None
    ) -> list[Pending]:
        """Make the trace on the register's chain: who was shown, or that somebody was refused."""

        def entries(snapshot: Snapshot) -> list[Pending]:
            view = register.look(self._passage, snapshot, asking)
            view.asking = asking
            if denial is not None:
                return trace.of_refusal(self._passage, view, Interaction.FIND, denial)
            return trace.of_access(self._passage, view, Interaction.FIND, shown, sort.RULE)

        return await asyncio.wrap_future(self._passage.store.scan(entries))


# What is written.


def _comparable(pen: Pen, drafts: Sequence[Draft], sides: Sequence[_Side]) -> duplicates.Comparison:
    """Compare the two as they stand, numbers too. Raises `ConflictError` for who is not merged."""
    facts = [choices.facts_of(draft) for draft in drafts]
    if facts[0].structure != facts[1].structure or any(one.united or one.collision for one in facts):
        raise ConflictError("record.merge-not-free")
    people = [
        meeting.numbered(
            likeness.person_of(side.document.value), identities.of_patient(pen, draft, side.served.id)
        )
        for draft, side in zip(drafts, sides, strict=True)
    ]
    if duplicates.differ(*people) or duplicates.contradict(*people):
        raise ConflictError("record.merge-two-numbers")
    comparison = duplicates.compare(*people)
    if comparison.verdict == duplicates.APART:
        raise ConflictError("record.merge-not-alike")
    return comparison


def _write(pen: Pen, side: _Side, body: bytes, base: str) -> None:
    ready = incoming.read(body, "Patient", base)
    writing.change(pen, ready, side.served.id, side.reference, side.served.version)
