"""Telling people in their own list that a search as somebody typed has shown who they are (ADR 47).

The register's chain is the durable trace of such a search: it is written before the answer leaves. A service
of the installation reads that chain a minute later and writes one line in the ordinary chain of each record
shown, for each searcher, with how often: their own act, at its own instant. The place reached stands in the
register and moves in the same transaction, so that each line is written once, whoever is killed when.
Custody gives the keys of the traces only, a few each turn and never for more than half of its budget; no row
of a patient is opened. Custody that is away is waited for: what is owed stays on the register's chain.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.errors import GoneError, IntegrityError, LedgerError
from serment.keys.custody.contract import Phase
from serment.keys.record_keys import RecordKeys
from serment.keys.trace_keys import TraceKeys, YearKey
from serment.ledger.append import TOKEN_LABEL, Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.entry import Decision, Event, Interaction
from serment.ledger.follow import is_clear_true, is_committed, open_row
from serment.model import Act, Instant, Permit, Purpose, RecordToken, RequestId
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import Item, View
from serment.record.index import Entry
from serment.record.passage import REGISTER, Passage, year_of
from serment.record.pen import Pen
from serment.record.persons.register import STATE, TYPE, look
from serment.record.today import KEEPER
from serment.record.writing import new_id, written
from serment.store.contract import Snapshot

PAUSE: Final = 60 * 1000
"""Milliseconds after which a search is told: letters typed one after the other are one line by then."""

AT_ONCE: Final = 10
"""Lines of one turn, and keys asked for."""

_PLACE: Final = (TYPE, "told", "")


@dataclass(slots=True)
class _Due:
    """What is to be told: searcher and patient → the first search and how many; where the chain was left."""

    after: int
    last: int
    lines: dict[tuple[str, str], tuple[Event, int]] = field(default_factory=dict, repr=False)
    waiting: bool = False


class Telling:
    """Tells, in small turns that one thread takes."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._looked = 0

    def turn(self) -> int:
        """Take one turn; give how many lines were written.

        Raises `CustodyError`, `TooManyError`, `DependencyError`: a later turn goes on; `IntegrityError` when
        the register's chain is not what was written.
        """
        passage = self._passage
        state = passage.keyring.custody.state()
        if state.phase is not Phase.OPEN or (state.spent + AT_ONCE) * 2 > state.soft:
            return 0
        asking = Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), passage.clock())
        with passage.store.snapshot() as snapshot:
            if snapshot.locate(passage.installation.locator(REGISTER)) is None:
                return 0
            view = look(passage, snapshot, asking)
            newest = snapshot.last_of(view.keys.year.token(TOKEN_LABEL))
            if newest is None or newest[0] == self._looked:
                return 0
            due = self._due(snapshot, view, asking.now)
        if due.lines:
            entries = [entry for line in due.lines.items() for entry in self._line(asking, *line)]
            passage.store.submit(
                lambda txn: written(passage, txn, asking, lambda pen: _wrote(pen, due, entries))
            ).result()
        elif not due.waiting:
            self._looked = newest[0]
        return len(due.lines)

    def _due(self, snapshot: Snapshot, view: View, now: Instant) -> _Due:
        """Read the register's chain from the place reached, as far as it is old enough."""
        reached = _reached(snapshot, view)
        due = _Due(reached, reached)
        for sequence, event in self._events(snapshot, view, reached):
            if event.interaction is Interaction.FIND and event.decision is Decision.PERMIT:
                new = {(event.actor, one) for one in event.resources} - due.lines.keys()
                due.waiting = event.t > now - PAUSE
                if due.waiting or len(due.lines) + len(new) > AT_ONCE:
                    return due
                for one in event.resources:
                    first, times = due.lines.get((event.actor, one), (event, 0))
                    due.lines[event.actor, one] = first, times + 1
            due.last = sequence
        return due

    def _events(self, snapshot: Snapshot, view: View, after: int) -> Iterator[tuple[int, Event]]:
        """Open the entries of the register since a place. Raises `LedgerError` when one was altered."""
        material = self._passage.keyring.custody.year_keys(view.record)
        newest = sorted(material.years, key=lambda one: one.year)[-2:]
        years = [YearKey(view.record, one) for one in newest]
        rows = heapq.merge(
            *(((row, key) for row in snapshot.entries_of(key.token(TOKEN_LABEL), after)) for key in years),
            key=lambda pair: pair[0].sequence,
        )
        for row, key in rows:
            body, raw = open_row(row, key)
            if not is_committed(row, raw) or not is_clear_true(row, body, key, view.record):
                raise LedgerError("ledger.trace-altered")
            yield row.sequence, body.event

    def _line(self, asking: Asking, whom: tuple[str, str], what: tuple[Event, int]) -> Iterator[Pending]:
        """Make the line of one person; none for somebody whose record, or whose keys, are gone."""
        (_, reference), (event, times) = whom, what
        with self._passage.store.snapshot() as snapshot:
            located = snapshot.locate(self._passage.installation.locator(reference))
        trail = None if located is None else self._trail(located.record, asking)
        if trail is not None:
            yield Pending(
                trail, Chain.ORDINARY, msgspec.structs.replace(event, resources=(reference,), count=times)
            )

    def _trail(self, record: RecordToken, asking: Asking) -> Trail | None:
        """Give the keys of a record's trace; those of its content only where the year has no key yet."""
        custody, year = self._passage.keyring.custody, year_of(asking.now)
        material = custody.year_keys(record)
        for one in material.years:
            if one.year == year:
                return Trail(record, TraceKeys(material).trail, YearKey(record, one))
        try:
            made = RecordKeys(custody.unwrap(record, RequestId(new_id()), year))
        except GoneError:
            return None
        return Trail(record, made.trail, made.year)


def _wrote(pen: Pen, due: _Due, entries: Sequence[Pending]) -> None:
    """Write the lines and the place reached, unless another process of ours has."""
    draft = Draft(pen.passage, pen.txn, look(pen.passage, pen.txn, pen.asking))
    old = draft.current(_PLACE, Act.WRITE)
    verdict = draft.view.decide(STATE, Act.WRITE)
    if not isinstance(verdict, Permit):
        raise IntegrityError("record.altered")
    if (_place(old) if isinstance(old, Item) else 0) != due.after:
        return
    trace.append(pen.passage, pen.txn, entries)
    if isinstance(old, Item):
        draft.take(old)
    type_, id_, part = _PLACE
    values = msgspec.Raw(msgspec.msgpack.encode(due.last))
    draft.place(STATE, Entry(type_, id_, 1, part, pen.asking.now, True, 0, b"", None, values))
    pen.drafts[draft.record] = draft
    pen.did(draft, Interaction.UPDATE, trace.of_facts(verdict.rule))


def _reached(snapshot: Snapshot, view: View) -> int:
    """Say up to which entry of the ledger everything was told."""
    permits = gate.permitted(view, Act.WRITE, lambda unit: unit == STATE)
    items = (item for _, pack in gate.packs(snapshot, view, permits) for item in pack)
    return max((_place(item) for item in items if item.entry.id == _PLACE[1]), default=0)


def _place(item: Item) -> int:
    try:
        return msgspec.msgpack.decode(bytes(item.entry.values), type=int)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
