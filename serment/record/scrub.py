"""The scrub: every row of every record read again, from its head down, and nothing shown.

Head and facts are glanced as at any reading, and held against the ledger; packs, bodies, earlier
versions, locators and person tokens are checked inside `keys`, which gives back numbers only (ADR 23).
It acts as the service, with a purpose, and its trace goes to the system record.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Event

from serment.errors import GoneError, IntegrityError
from serment.keys.custody.contract import Custody
from serment.keys.pack_check import check_pack, check_page
from serment.keys.record_keys import RecordKeys
from serment.ledger.append import TOKEN_LABEL, chain_state, trusted
from serment.ledger.entry import Interaction
from serment.ledger.verify import FaultKind, Report
from serment.model import Purpose, RecordToken, RequestId
from serment.record import trace
from serment.record.asking import Asking
from serment.record.founding import FOUNDER
from serment.record.gate import View, look
from serment.record.index import persons_mark
from serment.record.passage import (
    DIRECTORY,
    OUTBOX,
    PEOPLE,
    QUARANTINE,
    REGISTER,
    SYSTEM,
    UNIT_LIST,
    Passage,
    year_of,
)
from serment.record.writing import new_id
from serment.store.contract import Located, Snapshot

OWN = frozenset({DIRECTORY, OUTBOX, PEOPLE, QUARANTINE, REGISTER, SYSTEM, UNIT_LIST})
"""Records of the installation that are found by their name; the decoy is found by its one item."""

_PAGE = 1000

_LOOK_EVERY = 25
"""Openings between two looks at custody's budget."""


def every_record(snapshot: Snapshot) -> Iterator[RecordToken]:
    """Give every record of the store, in the order of their tokens."""
    after = b""
    while page := snapshot.records(after, _PAGE):
        yield from page
        after = page[-1]


def some_records(snapshot: Snapshot, count: int) -> list[RecordToken]:
    """Give some records of the store, from a random token on and round its end; all of them when few."""
    begin = os.urandom(16)
    found = snapshot.records(begin, count)
    if len(found) < count:
        found += [one for one in snapshot.records(b"", count - len(found)) if one not in set(found)]
    return found


@dataclass(frozen=True, slots=True)
class _Below:
    """The rows of one record, as `keys` asks for them."""

    snapshot: Snapshot
    record: RecordToken

    def body(self, number: int) -> bytes | None:
        """Give one sealed body, or what the quarantine holds in its place."""
        found = dict(self.snapshot.bodies(self.record, [number])).get(number)
        return found or dict(self.snapshot.quarantined(number - 1, 1)).get(number)

    def pack(self, number: int) -> bytes | None:
        """Give one sealed pack."""
        return next((row.sealed for row in self.snapshot.packs(self.record, [number])), None)

    def chunk(self, blob: bytes, index: int) -> bytes | None:
        """Give one sealed chunk."""
        return self.snapshot.chunk(blob, index)

    def leads(self, token: bytes) -> tuple[RecordToken, int] | None:
        """Say where a locator leads."""
        located = self.snapshot.locate(token)
        return None if located is None else (located.record, located.pack)


class Scrub:
    """Checks the rows of every record. `wait` waits some seconds, so that care always opens first."""

    def __init__(
        self, passage: Passage, custody: Custody, wait: Callable[[float], object] | None = None
    ) -> None:
        self._passage = passage
        self._custody = custody
        self._wait = wait or Event().wait
        self._asked = 0

    def trace(self) -> None:
        """Write the probe in the system record's chain, before it begins."""
        passage = self._passage
        asking = self._asking()
        with passage.store.snapshot() as snapshot:
            view = passage.view(snapshot, asking, passage.resolve(snapshot, SYSTEM)[0].record)
        entries = trace.of_access(passage, view, Interaction.PROBE, [])
        trace.durable(passage, entries).result()

    def run(self, snapshot: Snapshot, report: Report, records: Iterable[RecordToken] | None = None) -> None:
        """Check records, every one by default; what is not what was written becomes a fault of the report."""
        asking = self._asking()
        for record in every_record(snapshot) if records is None else records:
            try:
                rows, broken = self._record(snapshot, asking, record)
            except IntegrityError:
                rows, broken = 0, 1
            except GoneError:
                continue
            report.rows += rows
            for _ in range(broken):
                report.blame(FaultKind.RECORD, report.size)

    def _record(self, snapshot: Snapshot, asking: Asking, record: RecordToken) -> tuple[int, int]:
        """Check one record: how many rows were read, how many of them are broken."""
        keys = self._keys(snapshot, record, asking)
        view = look(snapshot, asking, record, keys, self._passage.policy)
        state = chain_state(snapshot, record, keys.trail)
        trusted(snapshot, state, [keys.year.token(TOKEN_LABEL)], view.mark)
        rows, broken = 3, 0
        broken += persons_mark(snapshot.persons_of(record)) != view.head.persons
        broken += not self._named(snapshot, view)
        for found in self._packs(snapshot, view):
            rows += found[0]
            broken += found[1]
        return rows, broken

    def _named(self, snapshot: Snapshot, view: View) -> bool:
        """Say whether the name of one of the installation's own records leads to it."""
        if view.head.patient not in OWN:
            return True
        located = snapshot.locate(self._passage.installation.locator(view.head.patient))
        return located == Located(view.record, 0)

    def _packs(self, snapshot: Snapshot, view: View) -> Iterator[tuple[int, int]]:
        below = _Below(snapshot, view.record)
        units = view.head.classes()
        locator = self._passage.installation.locator
        for page in view.head.pages:
            found = check_page(view.keys, page.number, units[page.unit], page.tag, page.packs, below, locator)
            yield found.rows, len(found.broken)
        for ref in view.head.packs:
            found = check_pack(view.keys, ref.number, units[ref.unit], ref.tag, below, locator)
            yield found.rows, len(found.broken)

    def _keys(self, snapshot: Snapshot, record: RecordToken, asking: Asking) -> RecordKeys:
        """Give the keys at hand, else ask custody, never for more than half of its budget of a minute."""
        epoch = snapshot.epoch(record)
        held = None if epoch is None else self._passage.keyring.held(record, epoch, asking.now)
        if held is not None:
            return held
        self._asked += 1
        if self._asked % _LOOK_EVERY == 0:
            while (state := self._custody.state()).spent * 2 > state.soft:
                self._wait(1.0)
        return RecordKeys(self._custody.unwrap(record, asking.request, year_of(asking.now)))

    def _asking(self) -> Asking:
        now = self._passage.clock()
        return Asking(FOUNDER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)
