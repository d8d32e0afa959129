"""Follow the chains of one record: its entries, opened, each held against what stands in clear.

Order: one row, the rows of a record, a chain followed to its end. `follow` is what a trace is read
with: it gives everything that the chains hold or raises, never a list with a hole. The reader's
chains are chosen by the caller (a proxy follows the ordinary one only) and show no gap: each chain
counts its own entries.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from serment.errors import LedgerError
from serment.ledger.append import TOKEN_LABEL, chain_state
from serment.ledger.chains import Chain, Link
from serment.ledger.entry import (
    Body,
    body_data,
    body_from,
    commitment_of,
    entry_bytes,
    hour_of,
    unboxed,
)
from serment.ledger.port import Entry, Rows, TrailKey, YearKey
from serment.model import RecordToken


@dataclass(frozen=True, slots=True)
class Followed:
    """One entry of a record in its place: row number, commitment, what it says."""

    sequence: int
    commitment: bytes
    body: Body


def open_row(row: Entry, year: YearKey) -> tuple[Body, bytes]:
    """Open a row's body and give it with its canonical bytes. Raises `IntegrityError`."""
    raw = unboxed(year.open(row.body, body_data(entry_bytes(row.kind, row.commitment))))
    return body_from(raw), raw


def is_committed(row: Entry, raw: bytes) -> bool:
    """Say whether the bytes of a body are those that the row committed to."""
    return commitment_of(raw) == row.commitment


def is_clear_true(row: Entry, body: Body, year: YearKey, record: RecordToken) -> bool:
    """Say whether kind, hour, key and record in clear are those of the body."""
    inside = (body.event.kind, hour_of(body.event.t), year.id, body.record)
    return inside == (row.kind, row.hour, row.key_id, record)


def rows_of(rows: Rows, years: Sequence[YearKey]) -> Iterator[tuple[Entry, YearKey]]:
    """Give the rows of one record in the order of the ledger, each with its year key."""

    def of_year(year: YearKey) -> Iterator[tuple[Entry, YearKey]]:
        return ((row, year) for row in rows.entries_of(year.token(TOKEN_LABEL)))

    return heapq.merge(*(of_year(year) for year in years), key=lambda pair: pair[0].sequence)


def follows(body: Body, before: Link, *, first_may_be_gone: bool) -> bool:
    """Say whether a body is the next of its chain; the first one may follow entries that expired."""
    if before.count == 0 and first_may_be_gone:
        return True
    return (body.p_seq, body.p_prev) == (before.count + 1, before.commitment)


def follow(
    rows: Rows,
    record: RecordToken,
    key: TrailKey,
    years: Sequence[YearKey],
    chains: Collection[Chain],
    *,
    expired: bool = False,
) -> list[Followed]:
    """Give every entry of `chains` of one record, in order, newest last.

    `years` are all its living year keys; `expired` says that earlier years were destroyed on purpose.
    Raises `IntegrityError` when a row was altered, when an entry of these chains is missing, or when
    they do not end where the chain row says.
    """
    ends = dict.fromkeys(Chain, Link())
    found: list[Followed] = []
    for row, year in rows_of(rows, years):
        body, raw = open_row(row, year)
        if not is_committed(row, raw) or not is_clear_true(row, body, year, record):
            raise LedgerError("ledger.trace-altered")
        if not follows(body, ends[body.chain], first_may_be_gone=expired):
            raise LedgerError("ledger.trace-incomplete")
        ends[body.chain] = Link(body.p_seq, row.commitment, row.sequence)
        if body.chain in chains:
            found.append(Followed(row.sequence, row.commitment, body))
    state = chain_state(rows, record, key)
    if any(end != state.link(chain) and not (expired and end.count == 0) for chain, end in ends.items()):
        raise LedgerError("ledger.trace-incomplete")
    return found
