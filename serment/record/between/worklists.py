"""Lists of records for one person: those they looked at lately, those they expect today, and their names.

Kept per actor, sealed, pointers only: whose record and when, in a file of the register that its actor alone
reads. A pointer opens nothing. A name is shown after the decision of this moment on that record, and from
the register of patients (ADR 47): no key of a patient is asked of custody for it beyond that of the look, and
the patient finds it in their own list as any name shown. A record that the asker may not open any more has
no line: it is as if it had never been there.

When somebody last looked is noted in memory and put into the register once a minute, as their acts are
(`acting`): a machine that dies loses a minute of it. Who is expected comes from the day's list (`today`) and
from the acts of care that name the asker.

Order: what is noted, the lists, names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

import msgspec

from serment.access.case import acting_as
from serment.access.record_facts import APPOINTMENT
from serment.errors import CustodyError, IntegrityError, LockedError, TooManyError
from serment.identity.who import Who
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass, Permit, Purpose, RecordToken, RequestId
from serment.record import gate, today, trace
from serment.record.acts import WORKING
from serment.record.asking import Asking
from serment.record.between.inbox import Inbox, Pointer, of_results, settle_all_in
from serment.record.gate import View
from serment.record.pages.showing import main_rule
from serment.record.passage import KeysAwayError, Passage
from serment.record.persons import register
from serment.record.reading import settled, warm_records
from serment.record.registry import Registry, edited
from serment.record.today import KEEPER
from serment.record.trace import Touched
from serment.record.writing import new_id
from serment.store.contract import Snapshot

if TYPE_CHECKING:
    from serment.record.pen import Pen

DRAWER: Final = "looked"
MOST: Final = 200
"""Records of one file: the one looked at longest ago goes."""

EACH: Final = 60_000
"""Milliseconds between two times that what was noted is put away."""

MOST_NAMED: Final = 60
"""Names that one list shows: a day of one professional."""


class Looked(msgspec.Struct, array_like=True, frozen=True):
    """That somebody looked at a record: whose, and when last (ms)."""

    patient: str
    at: int

    def __repr__(self) -> str:
        return "Looked(…)"


@dataclass(frozen=True, slots=True)
class Slot:
    """One appointment of the asker's own: whose, from when until when (ms), the Appointment (`Type/id`)."""

    patient: str = field(repr=False)
    start: int
    until: int
    source: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Named:
    """Who may be named, and the trace that comes first."""

    shown: dict[str, Who] = field(repr=False)
    entries: list[Pending] = field(repr=False)


class Worklists:
    """The lists: noted, put away in turns that one thread takes, read by whom they are about."""

    def __init__(self, passage: Passage) -> None:
        self._passage, self._registry = passage, Registry(passage)
        self._inbox = Inbox(passage)
        self._lock = Lock()
        self._noted: dict[str, dict[str, int]] = {}
        self._next = 0

    # What is noted.

    def note(self, asking: Asking, patient: str) -> None:
        """Note that the asker, who works here, has looked at a record."""
        if asking.actor.kind not in WORKING:
            return
        with self._lock:
            self._noted.setdefault(asking.actor.id, {})[patient] = asking.now

    def turn(self, *, ending: bool = False) -> int:
        """Put away what waits, once a minute; give of how many people it was. Raises as a change does."""
        asking = Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), self._passage.clock())
        if asking.now < self._next and not ending:
            return 0
        self._next = asking.now + EACH
        with self._lock:
            taken = {actor: dict(looked) for actor, looked in self._noted.items()}
        if not taken:
            return 0
        self._registry.act(asking, lambda pen: _put_away(pen, taken))
        self._forget(taken)
        return len(taken)

    def _forget(self, taken: Mapping[str, Mapping[str, int]]) -> None:
        """Forget what is put away, save what was noted meanwhile."""
        with self._lock:
            for actor, looked in taken.items():
                kept = {one: at for one, at in self._noted[actor].items() if looked.get(one) != at}
                if kept:
                    self._noted[actor] = kept
                else:
                    del self._noted[actor]

    # The lists.

    def looked(self, asking: Asking) -> list[Looked]:
        """List the records that the asker looked at, newest first. Nobody reads somebody else's list."""
        value = self._registry.get(asking, DRAWER, asking.actor.id)
        found = {one.patient: one.at for one in _read(value)}
        with self._lock:
            found |= self._noted.get(asking.actor.id, {})
        return sorted((Looked(one, at) for one, at in found.items()), key=lambda one: (-one.at, one.patient))

    def last(self, asking: Asking, patient: str) -> int:
        """Say when the asker last looked at a record (ms); 0 for never, or for who has no such list."""
        if asking.actor.kind not in WORKING:
            return 0
        with self._lock:
            noted = self._noted.get(asking.actor.id, {}).get(patient)
        if noted is not None:
            return noted
        value = self._registry.get(asking, DRAWER, asking.actor.id)
        return next((one.at for one in _read(value) if one.patient == patient), 0)

    async def expected(self, asking: Asking, start: int, until: int) -> list[Slot]:
        """List the asker's own appointments that begin from `start` until `until` (ms), in their order.

        Nobody is named here (`named`), and the reason of a visit is none of it: that is read in the record.
        """
        records = await asyncio.to_thread(self._on_the_day, asking, (start, until - 1))
        await self._warmed(asking, records)
        slots = await asyncio.to_thread(self._slots, asking, records, start, until)
        return sorted(slots, key=lambda one: (one.start, one.patient))

    def _on_the_day(self, asking: Asking, instants: Iterable[int]) -> list[RecordToken]:
        """Read which records have an act of care on the days of some instants."""
        parts = dict.fromkeys(today.day(at) for at in instants)
        with self._passage.store.snapshot() as snapshot:
            return today.standing_on(self._passage, snapshot, asking, parts)

    def _slots(self, asking: Asking, records: Sequence[RecordToken], start: int, until: int) -> list[Slot]:
        """Find the appointments that name the asker, in records whose keys are at hand."""
        names, found = acting_as(asking.actor), []
        with self._passage.store.snapshot() as snapshot:
            for record in records:
                view = self._view(snapshot, asking, record)
                if view is None:
                    continue
                found += [
                    Slot(view.head.patient, fact.start, fact.end or fact.start, fact.source)
                    for fact in view.facts.team
                    if fact.kind == APPOINTMENT and fact.actor in names and start <= fact.start < until
                ]
        return found

    async def _warmed(self, asking: Asking, records: Collection[RecordToken]) -> None:
        """Fetch the keys of records, as far as custody gives them: a list of some is no list of none."""
        with suppress(CustodyError, LockedError, TooManyError):
            await warm_records(self._passage, asking, records)

    def _view(self, snapshot: Snapshot, asking: Asking, record: RecordToken) -> View | None:
        """Look at a record; None when its keys are away, as of one that is gone."""
        try:
            return self._passage.view(snapshot, asking, record, at_hand=True)
        except KeysAwayError:
            return None

    async def to_read(self, asking: Asking, most: int) -> list[Pointer]:
        """List the newest results (`results`) that wait for the asker, of those that they may read now."""
        found = (await asyncio.to_thread(self._inbox.results, asking))[: 2 * most]
        records = await asyncio.to_thread(self._records, [one.patient for one in found])
        await self._warmed(asking, records)
        return (await asyncio.to_thread(self._readable, asking, found))[:most]

    async def read(self, asking: Asking, item: str) -> None:
        """Say that the asker has opened an item (`Type/id`): it waits no more, if it did."""
        if asking.actor.kind not in WORKING:
            return
        found = await asyncio.to_thread(self._inbox.results, asking)
        waits, whose = {one.id for one in found if one.item == item}, of_results(asking.actor.id)
        if waits:
            await asyncio.to_thread(self._registry.act, asking, lambda pen: settle_all_in(pen, whose, waits))

    def _readable(self, asking: Asking, pointers: Iterable[Pointer]) -> list[Pointer]:
        with self._passage.store.snapshot() as snapshot:
            return [one for one in pointers if self._opens(snapshot, asking, one)]

    def _opens(self, snapshot: Snapshot, asking: Asking, one: Pointer) -> bool:
        """Decide on the class of an item as it stands now, in the record that the pointer names."""
        record = self._passage.resolve(snapshot, f"Patient/{one.patient}")[0].record
        located = self._passage.resolve(snapshot, one.item)[0]
        view = self._view(snapshot, asking, record)
        if view is None or located.record != record:
            return False
        return isinstance(view.decide(gate.unit_at(view, located.pack), Act.READ), Permit)

    # Names.

    async def named(self, asking: Asking, patients: Collection[str]) -> dict[str, Who]:
        """Name the people of some pointers whom the asker may see now: patient → who. Others are not in it.

        Traced before it is given, on the register's chain, and told in each person's own list (`telling`).
        Raises `TooManyError` when it is more people in a day than anybody needs.
        """
        wanted = list(dict.fromkeys(patients))[:MOST_NAMED]
        passage = self._passage
        records = await asyncio.to_thread(self._records, wanted)
        await warm_records(passage, asking, records)
        answer = await asyncio.to_thread(self._answered, asking, wanted)
        passage.shown.spend(asking.actor.id, list(answer.shown), asking.now)
        if answer.entries:
            await settled(passage, answer.entries)
        return answer.shown

    def _records(self, patients: Iterable[str]) -> list[RecordToken]:
        with self._passage.store.snapshot() as snapshot:
            return [self._passage.resolve(snapshot, f"Patient/{one}")[0].record for one in patients]

    def _answered(self, asking: Asking, patients: Iterable[str]) -> _Named:
        """Decide for each, take the names of those who may be shown, and make the trace ready."""
        passage, shown, touched = self._passage, {}, []
        with passage.store.snapshot() as snapshot:
            rows = register.look(passage, snapshot, asking)
            for patient in patients:
                record = passage.resolve(snapshot, f"Patient/{patient}")[0].record
                view = self._view(snapshot, asking, record)
                permits = {} if view is None else gate.permitted(view, Act.READ, _says_who)
                # The row is looked up for whom it may be shown of: hidden and unknown stop here alike.
                who = register.row_at(passage, snapshot, rows, record) if permits else None
                if who is not None:
                    rule = main_rule([permit.rule for permit in permits.values()])
                    shown[patient] = who
                    touched.append(Touched(f"Patient/{patient}", Chain.ORDINARY, rule))
        rows = replace(rows, asking=asking)
        entries = trace.of_access(passage, rows, Interaction.FIND, touched) if touched else []
        return _Named(shown, entries)


def _says_who(unit: ItemClass) -> bool:
    """Say whether a class is that of the person themselves."""
    return (unit.category, unit.document_type) == (Category.IDENTITY, "Patient")


def _put_away(pen: Pen, taken: Mapping[str, Mapping[str, int]]) -> None:
    """Add to the lists of several people in one transaction, with one entry of the ledger for all of them."""
    for actor, looked in taken.items():

        def longer(value: bytes | None, looked: Mapping[str, int] = looked) -> bytes:
            found = {one.patient: one.at for one in _read(value)}
            for patient, at in looked.items():
                found[patient] = max(at, found.get(patient, 0))
            newest = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]
            return msgspec.msgpack.encode([Looked(one, at) for one, at in newest])

        edited(pen, DRAWER, actor, longer, interaction=Interaction.ACTS)


def _read(value: bytes | None) -> list[Looked]:
    if value is None:
        return []
    try:
        return msgspec.msgpack.decode(value, type=list[Looked])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
