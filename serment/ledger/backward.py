"""Follow the chains of one record from their ends back, a stretch at a time.

What `follow` gives whole is given here piece by piece, newest first, each entry held against the one after
it: the sealed chain row names the last entry of each chain, and each entry names the one before it. So a
stretch is as surely without a hole as the whole is, and costs what is read of it and no more. Where the
next one begins is a `Place`, which its caller keeps sealed. The last stretch ends at the first entries.

Order: where a reading stands, the rows newest first, one stretch.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from serment.errors import LedgerError
from serment.ledger.append import TOKEN_LABEL, chain_state
from serment.ledger.chains import Chain, Link
from serment.ledger.entry import Body
from serment.ledger.follow import Followed, is_clear_true, is_committed, open_row
from serment.ledger.port import Entry, Rows, TrailKey, YearKey
from serment.model import RecordToken

AT_ONCE: Final = 128
"""Rows of one year that are fetched together."""
END: Final = 2**62
"""A sequence that no ledger reaches."""

Keep = Callable[[Body], bool]


class Place(msgspec.Struct, array_like=True, frozen=True):
    """Where a reading goes on: the entry that each chain must show next, and the sequence below which.

    A link whose sequence is 0 leaves it open: an entry names the one before it, not where that stands. A
    count of 0 says that none is left.
    """

    ordinary: Link
    protected: Link
    deferred: Link
    before: int

    def awaited(self) -> dict[Chain, Link]:
        """Give what each chain must show next."""
        return {
            Chain.ORDINARY: self.ordinary,
            Chain.PROTECTED: self.protected,
            Chain.DEFERRED: self.deferred,
        }


class Stretch(msgspec.Struct, frozen=True):
    """A part of a trace, newest first: what was kept, how many rows were read, where the next begins.

    `oldest` is the instant (ms) of the last row that was read, 0 for none; `next` is None where nothing is
    left to read.
    """

    found: list[Followed]
    walked: int
    oldest: int
    next: Place | None


def end_of(rows: Rows, record: RecordToken, key: TrailKey) -> Place:
    """Give the place from which a whole trace is read back. Raises `IntegrityError`."""
    state = chain_state(rows, record, key)
    return Place(state.ordinary, state.protected, state.deferred, END)


def back(
    rows: Rows,
    record: RecordToken,
    years: Sequence[YearKey],
    place: Place,
    keep: Keep,
    *,
    most: int,
    walk: int,
    since: int = 0,
) -> Stretch:
    """Read back from `place`: `most` entries that `keep` wants, and `walk` rows in all, at most.

    `years` are all living year keys of the record. The reading ends before the first act older than
    `since` (ms), unless it was entered late: then what stands before it may be younger. Raises
    `IntegrityError` when a row was altered, when one is missing, or when a trace that is read to its end
    does not go back to its first entries.
    """
    awaited = place.awaited()
    found: list[Followed] = []
    before, walked, oldest = place.before, 0, 0
    for row, year in _newest_first(rows, years, place.before):
        if walked == walk or len(found) == most:
            return Stretch(found, walked, oldest, _place(awaited, before))
        body = _next(row, year, record, awaited)
        if body.event.t < since and not body.late:
            return Stretch(found, walked, oldest, None)
        before, walked, oldest = row.sequence, walked + 1, body.event.t
        if keep(body):
            found.append(Followed(row.sequence, row.commitment, body))
    if any(link.count for link in awaited.values()):
        raise LedgerError("ledger.trace-incomplete")
    return Stretch(found, walked, oldest, None)


def _newest_first(rows: Rows, years: Sequence[YearKey], before: int) -> Iterator[tuple[Entry, YearKey]]:
    """Give the rows of one record from a sequence back, each with its year key."""

    def of_year(year: YearKey) -> Iterator[tuple[Entry, YearKey]]:
        token, below = year.token(TOKEN_LABEL), before
        while some := rows.entries_before(token, below, AT_ONCE):
            yield from ((row, year) for row in some)
            below = some[-1].sequence

    return heapq.merge(*(of_year(year) for year in years), key=lambda pair: -pair[0].sequence)


def _next(row: Entry, year: YearKey, record: RecordToken, awaited: dict[Chain, Link]) -> Body:
    """Open one row, hold it against what its chain awaits, and await the one before it."""
    body, raw = open_row(row, year)
    if not is_committed(row, raw) or not is_clear_true(row, body, year, record):
        raise LedgerError("ledger.trace-altered")
    link = awaited[body.chain]
    if link != Link(body.p_seq, row.commitment, row.sequence if link.sequence else 0):
        raise LedgerError("ledger.trace-incomplete")
    awaited[body.chain] = Link(body.p_seq - 1, body.p_prev)
    return body


def _place(awaited: dict[Chain, Link], before: int) -> Place:
    return Place(awaited[Chain.ORDINARY], awaited[Chain.PROTECTED], awaited[Chain.DEFERRED], before)
