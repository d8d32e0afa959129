"""The register of patients: who may be found as somebody types, sealed row by row and held open in memory.

A record of the installation's own, made at `init`, sealed and chained like any other: one row for each
patient record, with what finding a person shows (`identity.who`) and no matricule, address or content. A
write that changes who somebody is changes their row in the same transaction, so that the register's head
vouches for it (ADR 47). It is opened at the first search after custody was unlocked, by a thread beside the
requests, and kept up to date by holding its head against the one that was read: a pack is opened once. What
is held goes with the house when custody is locked.

To a check for duplicates: the id of a row is the token of the record, in hexadecimal. `row_at` opens the
rows of records that a person token leads to, inside any snapshot, with the register's keys alone: one pack
each, and no key of a patient is unwrapped.

Order: rows, writing one, holding all of them. What is shown to whom, and its trace: `as_typed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import msgspec

from serment.errors import IntegrityError
from serment.identity.typeahead import SHARD, Row, Shard
from serment.identity.who import Who, who_of
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass, Label, Permit, RecordToken
from serment.record import gate, trace
from serment.record.alarms import REGISTER_BROKEN
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import Item, Pack, View
from serment.record.index import Entry
from serment.record.passage import REGISTER, Passage
from serment.record.today import KEEPER, of_installation
from serment.store.contract import Snapshot

if TYPE_CHECKING:
    from serment.record.pen import Pen

TYPE: Final = "PatientRegister"
"""Type of the entries; no resource of FHIR has this name."""

UNIT: Final = ItemClass(Category.UNMAPPED, TYPE, (Label.VERY_RESTRICTED.value,), KEEPER.id)

STATE: Final = ItemClass(Category.UNMAPPED, f"{TYPE} state", (Label.VERY_RESTRICTED.value,), KEEPER.id)
"""Class of what the register says of itself: that it was begun with the installation, how far it was told."""

TIERS: Final = (256, 4_096, SHARD)
MOST_OF_A_TIER: Final = 8
"""Shards below a size that are held before they are made one: a search looks at each."""

_NOBODY: Final = msgspec.msgpack.encode(None)
_decoder: Final[msgspec.msgpack.Decoder[Who | None]] = msgspec.msgpack.Decoder(Who | None)


# Rows.


def row_of(draft: Draft, patient: Mapping[str, Any] | None) -> bytes:
    """Write the row of a record: of its Patient resource as it is now, None for one that is deleted."""
    if patient is None:
        return _NOBODY
    facts = draft.facts or draft.view.facts
    who = who_of(patient, draft.view.head.patient, facts.regime, facts.structure)
    return msgspec.msgpack.encode(who)


def _read(entry: Entry) -> Who | None:
    try:
        return _decoder.decode(bytes(entry.values))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None


def look(passage: Passage, snapshot: Snapshot, asking: Asking) -> View:
    """Look at the register as its keeper, within the same act. Raises `IntegrityError` when there is none."""
    located = snapshot.locate(passage.installation.locator(REGISTER))
    if located is None:
        raise IntegrityError("record.row-missing")
    view = passage.view(snapshot, of_installation(asking), located.record)
    view.depositing = True
    return view


def row_at(passage: Passage, snapshot: Snapshot, view: View, record: RecordToken) -> Who | None:
    """Open the row of one record; None when it has none (any more)."""
    located, known = passage.resolve(snapshot, f"{TYPE}/{record.hex()}")
    if not known or located.record != view.record:
        return None
    item = gate.current(snapshot, view, located.pack, (TYPE, record.hex(), ""), Act.WRITE)
    return _read(item.entry) if isinstance(item, Item) else None


# Writing one.


def note(pen: Pen) -> None:
    """Write the rows of those who were changed, once for all of them, before the pen writes its drafts.

    Without the register's keys nothing is written at all: a row that says who somebody was would be wrong.
    One that was altered stops no care: it is left as it is, with an alarm, and answers nobody from then on.
    """
    rows = {record: draft.row for record, draft in pen.drafts.items() if draft.row is not None}
    if not rows:
        return
    try:
        draft, permit = _draft(pen)
        draft.reach(UNIT, permit)
        standing = {record: draft.current(_name(record), Act.WRITE) for record in rows}
    except IntegrityError:
        pen.passage.alarms.ring(REGISTER_BROKEN)
        return
    for record, row in rows.items():
        put(draft, record, row, standing[record], pen.asking.now)
    pen.drafts[draft.record] = draft
    pen.did(draft, Interaction.UPDATE, trace.of_facts(permit.rule))


def _draft(pen: Pen) -> tuple[Draft, Permit]:
    draft = Draft(pen.passage, pen.txn, look(pen.passage, pen.txn, pen.asking))
    verdict = draft.view.decide(UNIT, Act.WRITE)
    if not isinstance(verdict, Permit):
        raise IntegrityError("record.altered")
    return draft, verdict


def begin(draft: Draft, now: int) -> None:
    """Say that the register was begun before any patient: it leaves nobody out."""
    draft.place(STATE, Entry(TYPE, "whole", 1, "", now, True, 0, b"", None, msgspec.Raw(_NOBODY)))


def _name(record: RecordToken) -> tuple[str, str, str]:
    return TYPE, record.hex(), ""


def put(draft: Draft, record: RecordToken, row: bytes, old: object, now: int) -> None:
    """Put the row of one record in place of the `old` one."""
    version = 1
    if isinstance(old, Item):
        draft.take(old)
        version = old.entry.version + 1
    type_, id_, part = _name(record)
    draft.place(UNIT, Entry(type_, id_, version, part, now, True, 0, b"", None, msgspec.Raw(row)))


# Holding all of them.


@dataclass(frozen=True, slots=True)
class Group:
    """People of one regime and structure: whether they may be found is decided once for all of them."""

    regime: str
    structure: str


class Register:
    """The rows, held open in memory. Whoever looks at them holds `lock` for as long."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._head = b""
        self._packs: dict[int, bytes] = {}
        self._opening: Future[None] | None = None
        self._starting = Lock()
        self.lock = Lock()
        self.shards: list[Shard] = []
        self.groups: dict[Group, int] = {}
        self.whole = False
        self._done = 0
        self._all = 0

    def open(self, asking: Asking) -> Future[None]:
        """Begin to open the register, once; after what went wrong, which the future carries, once more."""
        with self._starting:
            if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
                self._opening = self._passage.store.scan(lambda snapshot: self._opened(snapshot, asking))
            return self._opening

    @property
    def percent(self) -> int:
        """How much of the register is open, while it opens."""
        return 100 * self._done // max(1, self._all)

    def close(self) -> None:
        """Forget everybody."""
        with self.lock:
            self._head, self._packs, self.shards, self.groups = b"", {}, [], {}

    def _opened(self, snapshot: Snapshot, asking: Asking) -> None:
        view = look(self._passage, snapshot, asking)
        permits = gate.permitted(view, Act.WRITE, lambda unit: unit == STATE)
        said = {item.entry.id for _, pack in gate.packs(snapshot, view, permits) for item in pack}
        with self.lock:
            self.follow(snapshot, view)
            self.whole = "whole" in said

    def follow(self, snapshot: Snapshot, view: View) -> None:
        """Bring what is held to what stands: packs that are new are opened, those that are gone leave.

        Raises `IntegrityError` when one is not what the head says: what was held is forgotten.
        """
        if view.row is None or view.row.head == self._head:
            return
        permits = gate.permitted(view, Act.WRITE, lambda unit: unit == UNIT)
        listed = gate.listing(snapshot, view, permits)
        here = {pack.number: pack.tag for pack in listed}
        gone = {number for number, tag in self._packs.items() if here.get(number) != tag}
        new = [pack for pack in listed if self._packs.get(pack.number) != pack.tag]
        # Until the last row is read nothing holds: what was opened halfway is opened anew.
        self._head, held, self._packs = b"", self.shards, {}
        self.shards = []
        self._leave(held, gone)
        held += self._read(snapshot, view, new)
        self.shards, self._packs, self._head = _settled(held), here, view.row.head

    def _leave(self, shards: list[Shard], gone: set[int]) -> None:
        for shard in shards:
            if not gone.isdisjoint(shard.sources):
                shard.leave(gone)

    def _read(self, snapshot: Snapshot, view: View, new: list[Pack]) -> Iterator[Shard]:
        """Open packs and make shards of their rows; a thread that waits for the interpreter gets its turn."""
        self._done, self._all = 0, len(new)
        rows: list[Row] = []
        for pack, _, _, entries in gate.opened_of(snapshot, view, new):
            rows += self._rows(pack.number, entries)
            self._done += 1
            if len(rows) >= SHARD:
                yield Shard(rows)
                rows = []
        if rows:
            yield Shard(rows)

    def _rows(self, number: int, entries: Iterable[Entry]) -> Iterator[Row]:
        for entry in entries:
            who = _read(entry)
            if who is not None:
                group = Group(who.regime, who.structure)
                yield Row(who, self.groups.setdefault(group, len(self.groups)), number)


def _settled(shards: list[Shard]) -> list[Shard]:
    """Drop the shards that everybody left, and make one of many small ones."""
    kept = [shard for shard in shards if len(shard)]
    for most in TIERS:
        small = [shard for shard in kept if len(shard) < most]
        if len(small) > MOST_OF_A_TIER:
            others = [shard for shard in kept if len(shard) >= most]
            kept = [*others, Shard(chain.from_iterable(shard.rows() for shard in small))]
    return kept
