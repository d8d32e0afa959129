"""Keys kept ready for today's unit list, so that custody that goes away closes none of its records.

A service of the installation reads the list every half hour, says so in the list's own trace, and has
custody unwrap the keys that are not at hand, a few each second and never for more than half of custody's
budget. Unwrapping opens nothing: no row of a record is read but the number of its epoch.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from serment.errors import GoneError, IntegrityError
from serment.keys.custody.contract import Phase
from serment.ledger.entry import Interaction
from serment.model import Instant, Purpose, RecordToken, RequestId
from serment.record import trace
from serment.record.asking import Asking
from serment.record.passage import (
    DECOY,
    DIRECTORY,
    MOST_HELD,
    OUTBOX,
    PEOPLE,
    REGISTER,
    SYSTEM,
    UNIT_LIST,
    Passage,
)
from serment.record.pen import Pen
from serment.record.today import DAY, KEEPER, days, draft_of, items, over, read
from serment.record.writing import new_id, written

ROUND: Final = 30 * 60 * 1000
"""Milliseconds between two readings of the list."""

AT_ONCE: Final = 10
"""Keys asked for in one turn: at one turn a second, half of custody's usual budget."""

MOST_LISTED: Final = MOST_HELD * 3 // 4
"""Records whose keys are kept ready at most: some room is left for those opened otherwise."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who is here or expected now, and the parts of the list that are over."""

    records: tuple[RecordToken, ...]
    over: tuple[str, ...]


class Warming:
    """Keeps the keys of today's records at hand, in small turns that one thread takes."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._waiting: list[RecordToken] = []
        self._next = Instant(0)

    def turn(self) -> int:
        """Take one turn: read the list when a round has passed, then ask for some keys. Gives how many.

        Raises `CustodyError`, `TooManyError`, `DependencyError` (no trace): a later turn goes on.
        """
        passage = self._passage
        now = passage.clock()
        state = passage.keyring.custody.state()
        if state.phase is not Phase.OPEN:
            return 0
        asking = Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), now)
        if not self._next - ROUND <= now < self._next:
            self._round(asking)
            self._next = Instant(now + ROUND)
        fetched = 0
        while self._waiting and fetched < AT_ONCE and (state.spent + fetched) * 2 < state.soft:
            fetched += self._fetch(self._waiting.pop(), asking)
        return fetched

    @property
    def ready(self) -> bool:
        """Whether every key of the last round is at hand."""
        return self._next > 0 and not self._waiting

    def _round(self, asking: Asking) -> None:
        """Read the list, say so in its trace, and see which keys are not at hand."""
        passage = self._passage
        with passage.store.snapshot() as snapshot:
            names = (UNIT_LIST, DECOY, DIRECTORY, SYSTEM, OUTBOX, PEOPLE, REGISTER)
            own = [passage.installation.locator(name) for name in names]
            found = [located.record for token in own if (located := snapshot.locate(token)) is not None]
        for record in found:
            self._fetch(record, asking)
        expected = self._expected(asking)
        wanted = [*found, *expected.records[:MOST_LISTED]]
        passage.keyring.listed = frozenset(wanted)
        with passage.store.snapshot() as snapshot:
            epochs = {record: snapshot.epoch(record) for record in wanted}
        # To look for keys is to keep those found for twelve hours more: custody answers, or no turn is taken.
        self._waiting = [
            record
            for record, epoch in epochs.items()
            if epoch is not None and passage.keyring.held(record, epoch, asking.now) is None
        ]
        if expected.over:
            self._forget(asking, expected.over)

    def _expected(self, asking: Asking) -> Expected:
        """Read the parts of the list that matter now, after the trace of doing so."""
        passage = self._passage
        with passage.store.snapshot() as snapshot:
            located = snapshot.locate(passage.installation.locator(UNIT_LIST))
            if located is None:
                return Expected((), ())
            view = passage.view(snapshot, asking, located.record)
            view.depositing = True
            parts = items(snapshot, view, days(asking.now))
        records: dict[RecordToken, None] = {}
        for item in parts:
            for record, (start, until) in read(item).items():
                if start - DAY <= asking.now <= until + DAY:
                    records[record] = None
        rule = parts[0].permit.rule if parts else ""
        entries = trace.of_access(passage, view, Interaction.LIST, [], rule)
        trace.durable(passage, entries).result()
        return Expected(tuple(records), tuple(over(view, asking.now)))

    def _fetch(self, record: RecordToken, asking: Asking) -> int:
        """Have custody unwrap the keys of one record, unless they are at hand. A destroyed one has none."""
        with self._passage.store.snapshot() as snapshot:
            epoch = snapshot.epoch(record)
        if epoch is None or self._passage.keyring.held(record, epoch, asking.now) is not None:
            return 0
        with suppress(GoneError, IntegrityError):
            self._passage.keyring.of(record, epoch, asking.request, asking.now)
        return 1

    def _forget(self, asking: Asking, parts: tuple[str, ...]) -> None:
        """Take the days that are over out of the list."""

        def job(pen: Pen) -> None:
            draft = draft_of(pen)
            if draft is None:
                return
            for item in items(pen.txn, draft.view, parts):
                draft.take(item)
                pen.drafts[draft.record] = draft
                pen.did(draft, Interaction.UPDATE, trace.of_facts(item.permit.rule))

        self._passage.store.submit(lambda txn: written(self._passage, txn, asking, job)).result()
