"""What the ledger asks of a store and of the keys: structural types, no implementation.

Order: rows, keys. The store's own contract satisfies the row protocols without importing them. Rows
are numbered from 1 without a hole: the row of sequence `s` is leaf `s - 1` of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class Entry(Protocol):
    """One row of the ledger, as the store keeps it.

    `hour` counts hours since 1970-01-01T00Z. `token` is the year key's name for the record: the
    same for its three chains. `body` is sealed under the year key named by `key_id`.
    """

    @property
    def sequence(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def hour(self) -> int: ...
    @property
    def commitment(self) -> bytes: ...
    @property
    def key_id(self) -> bytes: ...
    @property
    def token(self) -> bytes: ...
    @property
    def body(self) -> bytes: ...


R_co = TypeVar("R_co", bound=Entry, covariant=True)
R_contra = TypeVar("R_contra", bound=Entry, contravariant=True)


class EntryMaker(Protocol[R_co]):
    """The store's row class, given by the caller: this room never imports it."""

    def __call__(
        self,
        sequence: int,
        kind: int,
        hour: int,
        commitment: bytes,
        key_id: bytes,
        token: bytes,
        body: bytes,
    ) -> R_co: ...


class Rows(Protocol):
    """The ledger as one snapshot sees it.

    `ledger_entries(start, stop)` gives the rows of sequence `start` ≤ s < `stop` in order;
    `entries_of` the rows of one yearly token in order, `entries_before` the `limit` newest of them of a
    sequence below `before`, newest first, `last_of` the sequence and the commitment of the
    newest of them. `chain_end` gives a chain row and that newest entry in one statement.
    """

    def ledger_size(self) -> int: ...
    def ledger_entries(self, start: int, stop: int) -> Iterator[Entry]: ...
    def entries_of(self, token: bytes) -> Iterator[Entry]: ...
    def entries_before(self, token: bytes, before: int, limit: int) -> Sequence[Entry]: ...
    def last_of(self, token: bytes) -> tuple[int, bytes] | None: ...
    def chain(self, token: bytes) -> bytes | None: ...
    def chain_end(self, row: bytes, token: bytes) -> tuple[bytes | None, tuple[int, bytes] | None]: ...
    def checkpoint(self) -> tuple[int, bytes, bytes] | None: ...


class AppendRows(Rows, Protocol[R_contra]):
    """The same rows inside the caller's transaction, which holds the write lock."""

    def add_entries(self, rows: Sequence[R_contra]) -> None: ...
    def put_chain(self, token: bytes, sealed: bytes) -> None: ...


class CheckpointRows(Rows, Protocol):
    """A transaction that keeps checkpoints."""

    def put_checkpoint(self, size: int, root: bytes, note: bytes) -> None: ...


class MergeRows(AppendRows[R_contra], Protocol[R_contra]):
    """A transaction that also remembers which spool was merged."""

    def meta(self, name: str) -> bytes | None: ...
    def put_meta(self, name: str, value: bytes) -> None: ...


class Sealer(Protocol):
    """One key that seals and opens. `open` raises `IntegrityError` on any change of bytes or `aad`."""

    def seal(self, plain: bytes, aad: bytes) -> bytes: ...
    def open(self, sealed: bytes, aad: bytes) -> bytes: ...


class YearKey(Sealer, Protocol):
    """The ledger key of one record and one year. `token` is an HMAC under it: it dies with the year."""

    @property
    def id(self) -> bytes: ...
    def token(self, label: str) -> bytes: ...


class TrailKey(Sealer, Protocol):
    """The key of one record's chain row; `token` names the row. It never expires."""

    def token(self) -> bytes: ...
