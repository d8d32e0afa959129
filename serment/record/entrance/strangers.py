"""How many strangers were turned away (HOUSE promise 3): counted, never described.

A stranger is a caller without a valid session: none, one that is unknown or has ended, a one-time code
that is spent or never was (ADR 28). Turning one away costs one point read and one count in memory. The
count reaches the system record's chain as one entry, an hour at least after the one before, and only
when there is something to say: how many, from when until when, nothing about anybody.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Event, Interaction
from serment.model import Instant, RequestId
from serment.record import trace
from serment.record.passage import SYSTEM, Passage
from serment.record.recovery import trail_of
from serment.record.writing import new_id

HOUR: Final = 3600 * 1000
RULE: Final = "stranger"


class Strangers:
    """The count of one process. Calls may come from any thread; `tell` from one at a time."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._lock = Lock()
        self._untold = 0
        self._since = passage.clock()
        self.all = 0

    def met(self) -> None:
        """Count one."""
        with self._lock:
            self._untold += 1
            self.all += 1

    def tell(self, *, ending: bool = False) -> int:
        """Write the count into the ledger when it is due, or at the end of the process. Gives what was told.

        Raises what the trace raises (`CustodyError`, `DependencyError`): the count stays, and is told later.
        """
        now = self._passage.clock()
        with self._lock:
            count, since = self._untold, self._since
        if not count or not (ending or now >= since + HOUR or now < since):
            return 0
        trace.durable(self._passage, [self._entry(count, min(since, now), now)]).result()
        with self._lock:
            self._untold -= count
            self._since = now
        return count

    def _entry(self, count: int, since: int, now: Instant) -> Pending:
        passage, request = self._passage, RequestId(new_id())
        with passage.store.snapshot() as snapshot:
            record = passage.resolve(snapshot, SYSTEM)[0].record
        what = Event(
            t=since,
            until=now,
            request=request,
            interaction=Interaction.STRANGERS,
            rule=RULE,
            count=count,
        )
        return Pending(trail_of(passage, record, request, now), Chain.ORDINARY, what)
