"""The agenda of a day: the appointments of a structure that somebody may see, whoever they are with.

There is no index of appointments across patients. Which records have an act of care on a day is on the day's
list (`today`: record tokens, no name); each of those records is looked at like any other, and what may be
read of it is one entry of its own list. Who may read reasons has them joined; the others' agenda is the same
as if there were none (ADR 66). A record that may not be opened has no line.

Order: a line, the passage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from serment.access.record_facts import APPOINTMENT
from serment.errors import CustodyError, LockedError, TooManyError
from serment.fhir import appointment
from serment.fhir.appointment import Booking, Line
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Permit, RecordToken
from serment.record import gate, incoming, today, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.pages import reasons
from serment.record.passage import KeysAwayError, Passage
from serment.record.patching import Change, Patching
from serment.record.reading import settled, warm_records
from serment.record.write import Written
from serment.record.writing import Writing
from serment.store.contract import Snapshot

TYPE = "Appointment"


@dataclass(frozen=True, slots=True)
class Slot:
    """One appointment of a day: whose, its id and version, and what an agenda says of it."""

    patient: str = field(repr=False)
    id: str = field(repr=False)
    version: int
    said: Line = field(repr=False)


@dataclass(slots=True)
class _Seen:
    """What may be shown of one record, before its trace is durable."""

    view: View
    items: list[Item]
    sealed: list[Sealed]
    entries: list[Pending]


class Scheduling:
    """The passage for agendas, and for booking."""

    def __init__(self, passage: Passage, writes: Writing, patching: Patching) -> None:
        self._passage = passage
        self._writing = writes
        self._patching = patching

    async def day(self, asking: Asking, start: int, until: int) -> list[Slot]:
        """List the appointments that begin from `start` until `until` (ms), in their order."""
        records = await asyncio.to_thread(self._expected, asking, start, until)
        with suppress(CustodyError, LockedError, TooManyError):  # those at hand are a day too
            await warm_records(self._passage, asking, records)
        seen = await asyncio.to_thread(self._looked, asking, records, start, until)
        receipts = await settled(self._passage, [entry for one in seen for entry in one.entries])
        by_record = {receipt.record: receipt for receipt in receipts}
        found: list[Slot] = []
        for one in seen:
            bodies = reasons.revealed(one.view, by_record[one.view.record], one.sealed)
            found += [_slot(one.view, item, bodies[item.entry.reference, ""]) for item in one.items]
        return sorted(found, key=lambda slot: (slot.said.start, slot.id))

    async def book(self, asking: Asking, asked: Booking, base: str = "") -> Written:
        """Write an appointment. Raises `InvalidResourceError`, `RefusedError`."""
        ready = incoming.read(appointment.booked(asked), TYPE, base)
        return await self._writing.create(asking, ready)

    async def move(
        self, asking: Asking, id_: str, start: str, end: str, *, version: int | None = None, base: str = ""
    ) -> Written:
        """Change when an appointment is; its reason stays as it was, whoever moves it.

        Raises `NotFoundError`, `VersionConflictError`, `InvalidResourceError`, `RefusedError`.
        """
        change = Change(appointment.moved(start, end), version, base=base)
        return (await self._patching.patch(asking, TYPE, id_, change))[1]

    async def turn(self, asking: Asking, id_: str, status: str, base: str = "") -> Written:
        """Say that somebody has arrived, does not come, or that it is called off. Raises as `move`."""
        change = Change(appointment.turned(status), base=base)
        return (await self._patching.patch(asking, TYPE, id_, change))[1]

    # Looking.

    def _expected(self, asking: Asking, start: int, until: int) -> list[RecordToken]:
        names = dict.fromkeys(today.day(at) for at in (start, until - 1))
        with self._passage.store.snapshot() as snapshot:
            return today.standing_on(self._passage, snapshot, asking, names)

    def _looked(self, asking: Asking, records: Sequence[RecordToken], start: int, until: int) -> list[_Seen]:
        with self._passage.store.snapshot() as snapshot:
            met = [self._one(snapshot, asking, record, start, until) for record in records]
        return [one for one in met if one is not None]

    def _one(
        self, snapshot: Snapshot, asking: Asking, record: RecordToken, start: int, until: int
    ) -> _Seen | None:
        """Look at one record as far as the decision lets; None when there is nothing to show of it."""
        try:
            view = self._passage.view(snapshot, asking, record, at_hand=True)
        except KeysAwayError:
            return None
        wanted = {
            fact.source
            for fact in view.facts.team
            if fact.kind == APPOINTMENT and start <= fact.start < until
        }
        permits = gate.permitted(view, Act.READ, lambda unit: unit.document_type == TYPE) if wanted else {}
        items = _items(snapshot, view, permits, wanted)
        if not items:
            return None
        sealed = gate.fetch(snapshot, view, [*items, *reasons.beside(snapshot, view, permits, items)])
        touched = [trace.touched(item, asking) for item in items]
        return _Seen(view, items, sealed, trace.of_access(self._passage, view, Interaction.LIST, touched))


def _items(snapshot: Snapshot, view: View, permits: dict[int, Permit], wanted: set[str]) -> list[Item]:
    return [
        Item(permit, unit, entry)
        for _, permit, unit, entries in gate.opened(snapshot, view, permits)
        for entry in entries
        if not entry.part and not entry.deleted and entry.reference in wanted
    ]


def _slot(view: View, item: Item, body: bytes) -> Slot:
    said = appointment.line(msgspec.json.decode(body))
    return Slot(view.head.patient, item.entry.id, item.entry.version, said)
