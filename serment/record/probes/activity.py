"""How much was done in each month: counts of acts for whoever runs the house, of nobody's record (2-04).

Counted on what stands in clear beside the commitments of the ledger (kind, hour): no row is opened. A count
below `SMALLEST` is told as that and no more, the month that runs is not told, and no sum is given from which
a small count could be taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from serment.ledger.entry import Kind
from serment.model import Instant
from serment.record.passage import Passage

SMALLEST: Final = 10
"""The least count that is told as it is."""
COUNTED: Final = (Kind.ACCESS, Kind.WRITE, Kind.REFUSAL)
"""What is counted: records looked at, records written in, refusals."""
MONTHS: Final = 12
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Month:
    """One month (its first day), and for each kind its count; None: fewer than `SMALLEST`, none included."""

    first: date
    counts: dict[Kind, int | None]


class Activity:
    """The passage to counts of acts."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def months(self, now: Instant) -> list[Month]:
        """Count the last twelve months that are over, newest first."""
        with self._passage.store.snapshot() as snapshot:
            return by_month(snapshot.ledger_days(), now)


def by_month(days: Iterable[tuple[int, int, int]], now: Instant) -> list[Month]:
    """Sum (kind, day since 1970, count) by month; leave out the month that runs, and what is small."""
    sums: dict[tuple[date, int], int] = defaultdict(int)
    for kind, day, count in days:
        sums[(_EPOCH + timedelta(days=day)).replace(day=1), kind] += count
    runs = datetime.fromtimestamp(now / 1000, UTC).date().replace(day=1)
    over = sorted({first for first, _ in sums if first < runs}, reverse=True)[:MONTHS]
    return [Month(first, {kind: _told(sums[first, kind]) for kind in COUNTED}) for first in over]


def _told(count: int) -> int | None:
    return count if count >= SMALLEST else None
