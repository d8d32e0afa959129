"""What the house asks of a store: ciphertext and tokens in, the same bytes out.

No rule, no key and no plaintext comes here. A `Snapshot` is one consistent view; a `Transaction`
is a snapshot that holds the write lock and also writes. `Store.submit` queues a job for the one
writer thread, which runs many jobs inside one `BEGIN IMMEDIATE` (group commit), each under its own
savepoint: a job that raises undoes only itself, and its future carries the error. A future is done
only after the commit is durable. A job may run more than once (when a commit met a full disk): all
that it does must be in its transaction, nothing in memory, and it reads again there what it builds on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from serment.model import RecordToken

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Located:
    """Where a locator token leads: a record and the pack that holds the current entry."""

    record: RecordToken
    pack: int


@dataclass(frozen=True, slots=True)
class RecordRow:
    """The one row of a record: epoch in clear, head and facts sealed."""

    record: RecordToken
    epoch: int
    head: bytes
    facts: bytes


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a locator token leads, with the rows that stand there: None for one that is gone."""

    located: Located
    row: RecordRow | None
    pack: bytes | None


@dataclass(frozen=True, slots=True)
class PackRow:
    """One sealed pack of index entries."""

    number: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One ledger row. `body` is sealed under the record's year key; `token` dies with that key.

    `sequence` counts from 1 without a hole: the row of sequence `s` is leaf `s - 1` of the tree.
    """

    sequence: int
    kind: int
    hour: int
    commitment: bytes
    key_id: bytes
    token: bytes
    body: bytes


class LedgerRows(Protocol):
    """The ledger's rows as one snapshot sees them (structurally equal to `ledger.port`).

    `ledger_size` is the newest sequence, 0 when empty. `ledger_entries` gives `start` ≤ sequence < `stop`
    and `entries_of` one token's, both in order, to be read before the snapshot ends; `last_of` is sequence
    and commitment of the newest of them; `chain_end` gives a chain row and that in one statement.
    `checkpoint` is the greatest that was put, as size, root and note.
    """

    def ledger_size(self) -> int: ...
    def ledger_entries(self, start: int, stop: int) -> Iterator[EntryRow]: ...
    def entries_of(self, token: bytes) -> Iterator[EntryRow]: ...
    def last_of(self, token: bytes) -> tuple[int, bytes] | None: ...
    def chain(self, token: bytes) -> bytes | None: ...
    def chain_end(self, row: bytes, token: bytes) -> tuple[bytes | None, tuple[int, bytes] | None]: ...
    def checkpoint(self) -> tuple[int, bytes, bytes] | None: ...


class Snapshot(LedgerRows, Protocol):
    """One consistent view of the store."""

    def meta(self, name: str) -> bytes | None: ...
    def locate(self, token: bytes) -> Located | None: ...
    def locate_two(self, one: bytes, two: bytes) -> tuple[Located | None, Located | None]: ...
    def lead_two(self, one: bytes, two: bytes) -> tuple[Lead | None, Lead | None]: ...
    def record(self, record: RecordToken) -> RecordRow | None: ...
    def epoch(self, record: RecordToken) -> int | None: ...
    def packs(self, record: RecordToken, numbers: Sequence[int]) -> list[PackRow]: ...
    def bodies(self, record: RecordToken, numbers: Sequence[int]) -> list[tuple[int, bytes]]: ...
    def chunk(self, blob: bytes, index: int) -> bytes | None: ...
    def chunks(self, blob: bytes) -> int: ...
    def blobs(self, record: RecordToken) -> list[bytes]: ...
    def unfinished_blobs(self, limit: int) -> list[bytes]: ...
    def persons(self, token: bytes, limit: int) -> list[RecordToken]: ...
    def persons_of(self, record: RecordToken) -> list[bytes]: ...
    def records(self, after: bytes, limit: int) -> list[RecordToken]: ...
    def session(self, token: bytes) -> bytes | None: ...
    def imported(self, source: bytes) -> int | None: ...
    def quarantined(self, after: int, limit: int) -> list[tuple[int, bytes]]: ...


class Transaction(Snapshot, Protocol):
    """A snapshot with the write lock. Row numbers are never used twice."""

    def put_meta(self, name: str, value: bytes) -> None: ...
    def add_record(self, row: RecordRow) -> None: ...
    def put_record(self, row: RecordRow) -> None: ...
    def next_pack(self) -> int: ...
    def put_pack(self, record: RecordToken, number: int, sealed: bytes) -> None: ...
    def drop_packs(self, record: RecordToken, numbers: Sequence[int]) -> None: ...
    def put_locator(self, token: bytes, record: RecordToken, pack: int) -> None: ...
    def move_locators(self, moves: Sequence[tuple[bytes, int]]) -> None: ...
    def next_body(self) -> int: ...
    def put_body(self, record: RecordToken, number: int, sealed: bytes) -> None: ...
    def put_chunk(self, record: RecordToken, blob: bytes, index: int, sealed: bytes) -> None: ...
    def drop_blob(self, blob: bytes) -> None: ...
    def put_person(self, token: bytes, record: RecordToken) -> None: ...
    def drop_persons(self, record: RecordToken) -> None: ...
    def put_session(self, token: bytes, sealed: bytes) -> None: ...
    def drop_session(self, token: bytes) -> None: ...
    def put_imported(self, source: bytes, position: int) -> None: ...
    def add_quarantined(self, sealed: bytes) -> int: ...
    def drop_quarantined(self, number: int) -> None: ...
    def add_entries(self, rows: Sequence[EntryRow]) -> None: ...
    def put_chain(self, token: bytes, sealed: bytes) -> None: ...
    def put_checkpoint(self, size: int, root: bytes, note: bytes) -> None: ...


class Store(Protocol):
    """Somewhere sealed rows are kept."""

    @property
    def store_id(self) -> bytes:
        """Sixteen random bytes made at `init`: part of the coordinates of every sealed row."""
        ...

    @property
    def low_on_space(self) -> bool:
        """Whether only the reserve is left: the caller refuses new content, traces go on."""
        ...

    @property
    def alarms(self) -> frozenset[str]:
        """Sentence ids of what has gone wrong since the start (`store.full`, `store.reserve-spent`)."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open a view for point reads, cheap enough for the event loop.

        Never await inside. Its statements raise `IntegrityError` on a malformed file.
        """
        ...

    def session(self, token: bytes) -> bytes | None:
        """Read one session as it stands now: as in a snapshot, at the price of one statement."""
        ...

    def submit(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Run `job` in the writer thread; done once durable.

        The future carries what the job raised, `StorageFullError` when the disk is full,
        `DependencyError` when another process holds the store too long or this one is closing.
        """
        ...

    def scan(self, job: Callable[[Snapshot], T]) -> Future[T]:
        """Run a long read in a worker thread on a snapshot of its own."""
        ...

    def truncate_wal(self) -> Future[bool]:
        """Leave no byte of deleted rows outside the tables; False when a reader still needs them."""
        ...

    def close(self) -> None: ...
