"""Search before create: who may already have a record, asked before a person is registered (RNIV rule 20).

The candidates are those of the check at entry (`duplicates/meeting`): people of the same structure who share
a compound token, compared by their rows of the register. Who asks is shown those whom they may find, and it
is traced on the register's chain as any finding of people. Who goes on in spite of a likely one says why, by
a code, on the same chain: the new record itself says nothing of it, its reader may be somebody's parent.

Order: what is found, the passage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from serment.access.decide import decide_find
from serment.access.find import finding_for
from serment.access.record_facts import RecordFacts
from serment.errors import ConflictError, RefusedError
from serment.identity import duplicates
from serment.identity.keys import duplicate_keys
from serment.identity.likeness import Person, person_of
from serment.identity.who import Who
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, Denial, Permit, RecordToken
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.duplicates.meeting import MOST, MOST_OF_A_KEY, NOBODY, in_scope
from serment.record.incoming import Incoming
from serment.record.passage import Passage
from serment.record.persons import register
from serment.record.reading import settled
from serment.record.trace import Touched
from serment.record.write import Written
from serment.record.writing import Writing
from serment.store.contract import Snapshot

IN_SPITE: Final = ("twin", "namesake", "says-other")
"""Why somebody is registered beside a likely same person: a twin, a namesake whose document was seen, or the
person says that they are not that one."""

RULE: Final = "F1.structure"


@dataclass(frozen=True, slots=True)
class Likely:
    """Somebody who may be the same person; `certain` when nothing else is possible."""

    who: Who = field(repr=False)
    certain: bool
    weight: float


class Registering:
    """The passage for registering people at a desk."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage = passage
        self._writing = writes

    async def alike(self, asking: Asking, person: Mapping[str, Any]) -> list[Likely]:
        """Give the people who may be this one, the likeliest first.

        `person` is a Patient as it would be written. Raises `RefusedError` for who may find nobody,
        `TooManyError`.
        """
        passage = self._passage
        verdict = self._may_find(asking)
        passage.searches.spend(asking.actor.id, asking.now)
        found = [] if isinstance(verdict, Denial) else await asyncio.to_thread(self._found, asking, person)
        touched = [Touched(f"Patient/{one.who.patient}", Chain.ORDINARY, RULE) for one in found]
        await settled(passage, await asyncio.to_thread(self._traced, asking, touched, verdict))
        if isinstance(verdict, Denial):
            raise RefusedError("record.not-as-typed")
        return found

    async def create(self, asking: Asking, ready: Incoming, in_spite: str = "") -> Written:
        """Register a person, once nobody alike stands in the way, or in spite of somebody who does.

        Raises `ConflictError` for a certain one, and for a likely one without a reason of `IN_SPITE`.
        """
        likely = await self.alike(asking, ready.document.value)
        if any(one.certain for one in likely):
            raise ConflictError("secretary.same-person")
        if likely:
            if in_spite not in IN_SPITE:
                raise ConflictError("secretary.likely-person")
            await settled(self._passage, await asyncio.to_thread(self._said, asking, in_spite))
        return await self._writing.create(asking, ready)

    def _may_find(self, asking: Asking) -> Permit | Denial:
        if not in_scope(asking, Act.READ):
            return gate.OUTSIDE_SCOPE
        passage = self._passage
        facts = RecordFacts(regime=passage.regime.value, structure=asking.actor.structure)
        return decide_find(
            finding_for(
                asking.actor,
                asking.purpose,
                NOBODY,
                facts,
                asking.now,
                asking.request,
                passage.policy,
                by_ins=False,
            )
        )

    def _found(self, asking: Asking, person: Mapping[str, Any]) -> list[Likely]:
        mine = person_of(dict(person))
        with self._passage.store.snapshot() as snapshot:
            view = register.look(self._passage, snapshot, asking)
            rows = [
                register.row_at(self._passage, snapshot, view, record)
                for record in self._records(snapshot, person)
            ]
        found = []
        for who in rows:
            here = (self._passage.regime.value, asking.actor.structure)
            if who is None or (who.regime, who.structure) != here:
                continue
            theirs = Person.of((who.birth, who.used), [who.given], who.birth_date, who.sex)
            compared = duplicates.compare(mine, theirs)
            if compared.verdict != duplicates.APART:
                found.append(Likely(who, compared.verdict == duplicates.CERTAIN, compared.weight))
        return sorted(found, key=lambda one: (-one.weight, one.who.patient))

    def _records(self, snapshot: Snapshot, person: Mapping[str, Any]) -> list[RecordToken]:
        """Give the records that share a token with a person; a very common name gives no more than `MOST`."""
        records: dict[RecordToken, None] = {}
        for key in duplicate_keys(person):
            token = self._passage.installation.person(key)
            records |= dict.fromkeys(snapshot.persons(token, MOST_OF_A_KEY))
        return list(records)[:MOST]

    def _traced(self, asking: Asking, touched: Sequence[Touched], verdict: Permit | Denial) -> list[Pending]:
        with self._passage.store.snapshot() as snapshot:
            view = register.look(self._passage, snapshot, asking)
        view.asking = asking
        if isinstance(verdict, Denial):
            return trace.of_refusal(self._passage, view, Interaction.FIND, verdict)
        return trace.of_access(self._passage, view, Interaction.FIND, touched, verdict.rule)

    def _said(self, asking: Asking, in_spite: str) -> list[Pending]:
        """Make the entry that says why: it names nobody."""
        with self._passage.store.snapshot() as snapshot:
            view = register.look(self._passage, snapshot, asking)
        view.asking = asking
        entries = trace.of_access(self._passage, view, Interaction.IDENTIFY, [], RULE)
        return [replace(one, event=msgspec.structs.replace(one.event, reason=in_spite)) for one in entries]
