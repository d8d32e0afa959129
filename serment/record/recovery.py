"""What is done once the database takes writes again: every trace that waits gets its place.

In this order, in one transaction: what emergencies owe, what the spool holds, and what a process took
with it when it died, which the ledger says itself as a gap. The spool is cleared after the commit; a
crash between the two is met by the mark that the merge leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

from serment.keys.trace_keys import TraceKeys
from serment.ledger import spool
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.spool import Waiting, owed_gap
from serment.model import Instant, RecordToken, RequestId
from serment.record.passage import SYSTEM, Passage, year_of
from serment.record.spooling import Lost
from serment.record.writing import new_id
from serment.store.contract import Transaction


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many traces got their place: owed ones, spooled ones, and those told as lost."""

    owed: int = 0
    merged: int = 0
    lost: int = 0


def recover(passage: Passage) -> Recovered:
    """Give every waiting trace its place; does nothing when none waits.

    Raises `DependencyError` while the database takes no write or custody is away (nothing is lost:
    call again), `IntegrityError` when a slot or a chain is not what was written.
    """
    spooling = passage.spooling
    spooling.look()
    lost = spooling.lost()
    if not spooling.waiting and lost is None:
        return Recovered()
    owed, waiting = spooling.owing(), spooling.spooled()
    trails = {entry.commitment: _trail(passage, entry) for entry in waiting}
    gap = [] if lost is None else [_gap(passage, lost)]

    def job(txn: Transaction) -> int:
        passage.ledger.append(txn, owed)
        merged = spool.merge(passage.ledger, txn, waiting, lambda entry: trails[entry.commitment])
        passage.ledger.append(txn, gap)
        return len(merged)

    merged = passage.store.submit(job).result()
    spooling.settle(len(owed))
    return Recovered(len(owed), merged, lost.count if lost else 0)


def _trail(passage: Passage, entry: Waiting) -> Trail:
    """Give the keys of a spooled trace: at hand, or asked of custody. Works for a destroyed record too."""
    at_hand = passage.spooling.trail(entry)
    if at_hand is not None:
        return at_hand
    return trail_of(passage, RecordToken(entry.record), RequestId(entry.event.request), entry.event.t)


def trail_of(passage: Passage, record: RecordToken, request: RequestId, time: int) -> Trail:
    """Give the trace keys of a record for the year of an instant (ms)."""
    year = year_of(Instant(time))
    custody = passage.keyring.custody
    keys = TraceKeys(custody.year_keys(record))
    for key in keys.years.values():
        if key.year == year:
            return Trail(record, keys.trail, key)
    custody.unwrap(record, request, year)
    keys = TraceKeys(custody.year_keys(record))
    return Trail(record, keys.trail, next(key for key in keys.years.values() if key.year == year))


def _gap(passage: Passage, lost: Lost) -> Pending:
    """Make the entry that owns to lost traces, in the system record's ordinary chain."""
    now, request = passage.clock(), RequestId(new_id())
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, SYSTEM)
    what = owed_gap(request, lost.count, lost.since, now)
    return Pending(trail_of(passage, located.record, request, now), Chain.ORDINARY, what)
