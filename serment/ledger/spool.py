"""The second place of a trace: what a spool file holds, and how it comes back into the ledger.

When the store takes no write, a reading may go on once its trace is durable in the spool: a
preallocated file on another volume, made by the store room, which keeps slots, order and torn
writes. Here is what the bytes mean: a `SpoolHead` in the header, one `Waiting` in each slot. Slots
are all of one size; the caller seals them under the installation's key.

A waiting entry has no place yet: its place in its chain is known once it is merged, because other
entries may have come before. So the receipt carries the commitment of the waiting bytes, salted like
any other, and the entry made at merge carries it in `late`: one can be held against the other.

With neither store nor spool only an emergency access opens, and its trace is owed: counted in
memory, appended before anything else at recovery. What the process loses when it dies meanwhile is
said in the ledger as a gap.

Order: the header, a waiting entry, the merge, what is owed. No file is opened here.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from serment.errors import LedgerError
from serment.ledger.append import Ledger, Pending, Trail, owed_receipt
from serment.ledger.chains import Chain
from serment.ledger.entry import SALT_SIZE, UNREADABLE, Event, Interaction, canonical, commitment_of
from serment.ledger.port import Entry, MergeRows
from serment.model import Instant, Receipt, RecordToken, RequestId

R = TypeVar("R", bound=Entry)

SLOT_SIZE = 3072
"""Bytes of every waiting entry before it is sealed."""
LAST_MERGED = "ledger.spool-merged"
_MAGIC = b"serment/spool/1\n"
_HEAD = struct.Struct(">16s16sQ32sH")


@dataclass(frozen=True, slots=True)
class SpoolHead:
    """What the header remembers: whose spool it is, and the last checkpoint (size, root, signed note).

    A database whose ledger is behind it was put back and stays locked (HOUSE promise 8).
    """

    store: bytes
    size: int = 0
    root: bytes = bytes(32)
    note: bytes = b""

    def to_bytes(self) -> bytes:
        """Write the header. Raises `LedgerError` when a part has an impossible length."""
        if len(self.store) != 16 or len(self.root) != 32 or len(self.note) > 2048:
            raise LedgerError("ledger.spool-unreadable")
        return _HEAD.pack(_MAGIC, self.store, self.size, self.root, len(self.note)) + self.note


def head_from(raw: bytes, store: bytes) -> SpoolHead:
    """Read the header; empty bytes are those of a new spool.

    Raises `LedgerError` when they cannot be read or are those of another store's spool.
    """
    if not raw:
        return SpoolHead(store)
    if len(raw) < _HEAD.size:
        raise LedgerError("ledger.spool-unreadable")
    magic, whose, size, root, length = _HEAD.unpack_from(raw)
    note = raw[_HEAD.size :]
    if magic != _MAGIC or len(note) != length:
        raise LedgerError("ledger.spool-unreadable")
    if whose != store:
        raise LedgerError("ledger.spool-of-another-store")
    return SpoolHead(whose, size, root, note)


class Waiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry without a place: which record, which chain, what was done. A write never waits."""

    v: int
    record: bytes
    chain: Chain
    salt: bytes
    event: Event

    @property
    def commitment(self) -> bytes:
        """What the receipt carries, and later `late` in the entry."""
        return commitment_of(canonical(self, self.event))

    @property
    def receipt(self) -> Receipt:
        """Give the receipt; it is good once the slot is durable, or the trace counted as owed."""
        return owed_receipt(RequestId(self.event.request), RecordToken(self.record), self.commitment)

    def to_bytes(self) -> bytes:
        """Write a slot: `SLOT_SIZE` bytes, whatever the entry says."""
        raw = canonical(self, self.event)
        return len(raw).to_bytes(4, "big") + raw + bytes(SLOT_SIZE - 4 - len(raw))

    def __repr__(self) -> str:
        return f"Waiting({self.chain.value}, {self.event!r})"


_decode = msgspec.json.Decoder(Waiting).decode


def waiting(pending: Pending, random: Callable[[int], bytes] = secrets.token_bytes) -> Waiting:
    """Make an entry wait. References that do not fit a slot are cut, their count stays.

    Raises `LedgerError` for the entry of a write: a write has no second place.
    """
    if pending.head is not None:
        raise LedgerError("ledger.spool-takes-no-write")
    event = pending.event
    entry = Waiting(
        v=1, record=pending.trail.record, chain=pending.chain, salt=random(SALT_SIZE), event=event
    )
    while len(canonical(entry, event)) > SLOT_SIZE - 4:
        if not event.resources:
            raise LedgerError("ledger.event-unwritable")
        event = msgspec.structs.replace(event, resources=event.resources[: len(event.resources) // 2])
        entry = msgspec.structs.replace(entry, event=event)
    return entry


def waiting_from(slot: bytes) -> Waiting:
    """Read a slot. Raises `LedgerError` for anything that `to_bytes` would not have written."""
    try:
        entry = _decode(slot[4 : 4 + int.from_bytes(slot[:4], "big")])
    except UNREADABLE:
        raise LedgerError("ledger.spool-unreadable") from None
    if entry.v != 1 or len(entry.salt) != SALT_SIZE or entry.to_bytes() != slot:
        raise LedgerError("ledger.spool-unreadable")
    return entry


def unmerged(rows: MergeRows[R], entries: Sequence[Waiting]) -> Sequence[Waiting]:
    """Leave out what an earlier merge took: a crash may fall between the merge and the clearing."""
    merged = rows.meta(LAST_MERGED)
    for place, entry in enumerate(entries):
        if entry.commitment == merged:
            return entries[place + 1 :]
    return entries


def merge(
    ledger: Ledger[R],
    rows: MergeRows[R],
    entries: Sequence[Waiting],
    trail_of: Callable[[Waiting], Trail],
) -> list[Receipt]:
    """Give spooled entries their places, in the caller's transaction; safe to run again.

    `entries` are all that stand in the spool, oldest first. `trail_of` gives the keys (of the year of
    the event); have them at hand before the transaction begins. Clear the spool once it is durable.
    """
    left = unmerged(rows, entries)
    if not left:
        return []
    late = [Pending(trail_of(entry), entry.chain, entry.event, late=entry.commitment) for entry in left]
    receipts = ledger.append(rows, late)
    rows.put_meta(LAST_MERGED, left[-1].commitment)
    return receipts


class Owed:
    """Traces of emergency accesses that no disk took. They live in this process only, and are counted.

    At recovery, before any other entry: `append(rows, owed.entries())` in one transaction, then
    `paid` once it is durable.
    """

    def __init__(self) -> None:
        """Owe nothing."""
        self._entries: list[Pending] = []

    @property
    def count(self) -> int:
        """Traces that are owed."""
        return len(self._entries)

    @property
    def since(self) -> Instant:
        """Time of the oldest of them, 0 when none is owed."""
        return Instant(self._entries[0].event.t) if self._entries else Instant(0)

    def owe(self, pending: Pending) -> Receipt:
        """Count the trace of an emergency access. Raises `LedgerError` for any other access."""
        if not pending.event.emergency:
            raise LedgerError("ledger.only-emergency-is-owed")
        entry = waiting(pending)
        late = Pending(pending.trail, pending.chain, entry.event, late=entry.commitment)
        self._entries.append(late)
        return entry.receipt

    def entries(self) -> list[Pending]:
        """Give what is owed, oldest first."""
        return list(self._entries)

    def paid(self, count: int) -> None:
        """Forget the oldest `count`, durable in the ledger now."""
        del self._entries[:count]


def owed_gap(request: RequestId, count: int, since: Instant, until: Instant) -> Event:
    """Make the event that owns to lost traces, for the system record's ordinary chain.

    `count` is 0 when nobody knows how many there were.
    """
    return Event(t=since, until=until, request=request, interaction=Interaction.GAP, count=count, rule="gap")
