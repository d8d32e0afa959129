"""Entries take their place: inside the caller's transaction, in the chains of their records.

Order: what is given, placing, trust. `Ledger.append` keeps nothing in memory: size and chain ends
are read from the rows of the transaction itself, so that a job that is undone, a second process or
a crash leaves nothing to take back. The tree is built at checkpoints only, from committed rows.

Sequences count from 1 without a hole and are the order of the ledger. The hour in clear is that of
the event's own time: when the clock goes backwards the hours do too, order holds by sequence, and
`verify` says so. A receipt that `append` gives is good once the transaction is durable.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from serment.errors import IntegrityError, LedgerError
from serment.ledger.chains import Chain, ChainState, HeadMark, Link, chain_row_data, state_from
from serment.ledger.entry import (
    SALT_SIZE,
    Body,
    Event,
    body_bytes,
    body_data,
    boxed,
    commitment_of,
    entry_bytes,
    hour_of,
)
from serment.ledger.port import AppendRows, Entry, EntryMaker, Rows, TrailKey, YearKey
from serment.model import Receipt, RecordToken, RequestId

R = TypeVar("R", bound=Entry)
TOKEN_LABEL = "ledger"  # noqa: S105 - the name of a use, not a secret


@dataclass(frozen=True, slots=True)
class Trail:
    """The keys of one record's trace: its chain row, and the year that the entry falls in."""

    record: RecordToken = field(repr=False)
    key: TrailKey = field(repr=False)
    year: YearKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry that waits for its place. `head` is given by a write: the mark of the head it made.

    `late` is the commitment given out when the trace was spooled or owed (empty for the others).
    """

    trail: Trail
    chain: Chain
    event: Event
    head: HeadMark | None = None
    late: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class _Open:
    """The chains of one record while its entries of one call are placed."""

    trail: Trail
    row: bytes
    state: ChainState


class Ledger(Generic[R]):
    """The writer's side of the ledger, over the store's own row class."""

    def __init__(self, row: EntryMaker[R], random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """Take the class of a row, and where salts come from."""
        self._row = row
        self._random = random

    def append(self, rows: AppendRows[R], entries: Sequence[Pending]) -> list[Receipt]:
        """Place `entries` in order and give one receipt for each, inside the caller's transaction.

        Raises `IntegrityError` when a record's chain row is missing, does not open or was rolled
        back: nothing is added then.
        """
        chains: dict[RecordToken, _Open] = {}
        for pending in entries:
            if pending.trail.record not in chains:
                chains[pending.trail.record] = _open_chain(rows, pending.trail)
        return self._place(rows, chains, entries)

    def birth(
        self, rows: AppendRows[R], trail: Trail, event: Event, head: HeadMark | None = None
    ) -> list[Receipt]:
        """Begin the three chains of a new record, alike from outside, and make its chain row.

        Raises `LedgerError` when the record already has one.
        """
        row = trail.key.token()
        if rows.chain(row) is not None:
            raise LedgerError("ledger.born-twice")
        first = [Pending(trail, chain, event, head) for chain in Chain]
        return self._place(rows, {trail.record: _Open(trail, row, ChainState())}, first)

    def _place(
        self, rows: AppendRows[R], chains: dict[RecordToken, _Open], entries: Sequence[Pending]
    ) -> list[Receipt]:
        sequence = rows.ledger_size()
        placed: list[R] = []
        receipts: list[Receipt] = []
        for pending in entries:
            sequence += 1
            chain = chains[pending.trail.record]
            row = self._row_of(pending, chain.state.link(pending.chain), sequence)
            chain.state = _after(chain.state, pending, row)
            placed.append(row)
            receipts.append(_receipt(pending.event, pending.trail.record, sequence, row.commitment))
        rows.add_entries(placed)
        for record, chain in chains.items():
            sealed = chain.trail.key.seal(chain.state.to_bytes(), chain_row_data(record))
            rows.put_chain(chain.row, sealed)
        return receipts

    def _row_of(self, pending: Pending, before: Link, sequence: int) -> R:
        """Make the row of one entry: body, commitment, seal."""
        event, year = pending.event, pending.trail.year
        raw = body_bytes(
            Body(
                v=1,
                record=pending.trail.record,
                chain=pending.chain,
                p_seq=before.count + 1,
                p_prev=before.commitment,
                salt=self._random(SALT_SIZE),
                event=event,
                head=pending.head.hash if pending.head else b"",
                late=pending.late,
            )
        )
        kind, commitment = event.kind, commitment_of(raw)
        sealed = year.seal(boxed(raw), body_data(entry_bytes(kind, commitment)))
        token = year.token(TOKEN_LABEL)
        return self._row(sequence, int(kind), hour_of(event.t), commitment, year.id, token, sealed)


def owed_receipt(request: RequestId, record: RecordToken, commitment: bytes) -> Receipt:
    """Give the receipt of a trace that is not in the ledger yet: spooled, or owed by an emergency access."""
    return Receipt(request=request, record=record, sequence=None, commitment=commitment)


def chain_state(rows: Rows, record: RecordToken, key: TrailKey) -> ChainState:
    """Open the chain row of a record. Raises `IntegrityError` when it is missing or does not open."""
    return _state_of(rows.chain(key.token()), record, key)


def standing(rows: Rows, trail: Trail) -> ChainState:
    """Open the chain row of a record, and refuse one that was rolled back within the trail's year.

    Two rows in one statement: this stands before every read and every entry. Raises `IntegrityError`.
    """
    token = trail.year.token(TOKEN_LABEL)
    sealed, last = rows.chain_end(trail.key.token(), token)
    state = _state_of(sealed, trail.record, trail.key)
    ends = [] if last is None else [last]
    if state.token != token and (before := rows.last_of(state.token)) is not None:
        ends.append(before)
    _not_rolled_back(rows, state, ends)
    return state


def _state_of(sealed: bytes | None, record: RecordToken, key: TrailKey) -> ChainState:
    if sealed is None:
        raise IntegrityError("ledger.chain-row-missing")
    return state_from(key.open(sealed, chain_row_data(record)))


def trusted(rows: Rows, state: ChainState, tokens: Iterable[bytes], head: HeadMark) -> None:
    """Refuse a record whose rows do not agree with what the ledger last said of it.

    `tokens` are yearly tokens of the record, the current year's at least (that of the chain's last
    entry stands in the row; give all when a whole year may lie between); `head` is worked out from
    the record's row as it stands now. Raises `IntegrityError` when the chain row was rolled back
    (the ledger holds a later entry), when the ledger lost the chain's last entry, or when head or
    epoch are not those of the last write.
    """
    ends = [end for token in {state.token, *tokens} if (end := rows.last_of(token)) is not None]
    _not_rolled_back(rows, state, ends)
    agree(state, head)


def agree(state: ChainState, head: HeadMark) -> None:
    """Refuse a head or an epoch that are not those of the last write. Raises `IntegrityError`."""
    if state.head != head:
        raise IntegrityError("ledger.head-differs")


def _not_rolled_back(rows: Rows, state: ChainState, ends: Sequence[tuple[int, bytes]]) -> None:
    newest = state.newest()
    # The chain's last entry is most often the last of its token too, and then it was just read.
    if (newest.sequence, newest.commitment) not in ends:
        row = next(rows.ledger_entries(newest.sequence, newest.sequence + 1), None)
        if row is None or row.commitment != newest.commitment:
            raise LedgerError("ledger.entry-lost")
    if any(sequence > newest.sequence for sequence, _ in ends):
        raise IntegrityError("ledger.chain-row-rolled-back")


def _open_chain(rows: Rows, trail: Trail) -> _Open:
    """Read where a record's chains stand, and refuse to go on from an older row."""
    return _Open(trail, trail.key.token(), standing(rows, trail))


def _after(state: ChainState, pending: Pending, row: Entry) -> ChainState:
    """Move the chain on by one entry, and the head with it when the entry is of a write."""
    link = Link(state.link(pending.chain).count + 1, row.commitment, row.sequence)
    return state.moved(pending.chain, link, row.token, pending.head)


def _receipt(event: Event, record: RecordToken, sequence: int, commitment: bytes) -> Receipt:
    return Receipt(request=RequestId(event.request), record=record, sequence=sequence, commitment=commitment)
