"""What a `Snapshot` reads in the same way on whatever store: rows in, the contract's nouns out.

A store gives the module of its statements (text for one, prepared for another) and how one is run (`_one`,
`_all`). What it asks in another way than the others, it writes itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from serment.model import RecordToken
from serment.store.contract import EntryRow, Located, PackRow, RecordRow
from serment.store.statements import AT_ONCE

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
Row = tuple[Any, ...]


class Statements(Protocol[S_co]):
    """The statements of one store by name, as its module holds them."""

    @property
    def META(self) -> S_co: ...
    @property
    def LOCATE(self) -> S_co: ...
    @property
    def RECORD(self) -> S_co: ...
    @property
    def EPOCH(self) -> S_co: ...
    @property
    def PACK(self) -> S_co: ...
    @property
    def PACKS(self) -> S_co: ...
    @property
    def BODY(self) -> S_co: ...
    @property
    def BODIES(self) -> S_co: ...
    @property
    def CHUNK(self) -> S_co: ...
    @property
    def CHUNKS(self) -> S_co: ...
    @property
    def BLOBS(self) -> S_co: ...
    @property
    def UNFINISHED_BLOBS(self) -> S_co: ...
    @property
    def PERSONS(self) -> S_co: ...
    @property
    def PERSONS_OF(self) -> S_co: ...
    @property
    def RECORDS(self) -> S_co: ...
    @property
    def SESSION(self) -> S_co: ...
    @property
    def SESSION_AND_NEWEST(self) -> S_co: ...
    @property
    def SESSIONS(self) -> S_co: ...
    @property
    def RETRY(self) -> S_co: ...
    @property
    def OLD_RETRIES(self) -> S_co: ...
    @property
    def IMPORTED(self) -> S_co: ...
    @property
    def QUARANTINED(self) -> S_co: ...
    @property
    def LEDGER_SIZE(self) -> S_co: ...
    @property
    def LEDGER_DAYS(self) -> S_co: ...
    @property
    def ENTRIES_BEFORE(self) -> S_co: ...
    @property
    def LAST_OF(self) -> S_co: ...
    @property
    def CHAIN(self) -> S_co: ...
    @property
    def CHAIN_END(self) -> S_co: ...
    @property
    def CHECKPOINT(self) -> S_co: ...


class Reads(ABC, Generic[S]):
    """The reads that differ from store to store only by their statements."""

    sql: Statements[S]

    @abstractmethod
    def _one(self, statement: S, *values: Any) -> Row | None: ...

    @abstractmethod
    def _all(self, statement: S, *values: Any) -> list[Row]: ...

    def _numbered(self, one: S, many: S, record: RecordToken, numbers: Sequence[int]) -> Iterator[Row]:
        """Read rows of one record by number, in the order asked; those that are not there are left out."""
        if len(numbers) == 1:
            row = self._one(one, numbers[0], record)
            return iter(() if row is None else (row,))
        found: dict[int, Row] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            filled = [*some, *[some[0]] * (AT_ONCE - len(some))]
            found.update((row[0], row) for row in self._all(many, record, *filled))
        return (found[number] for number in numbers if number in found)

    def meta(self, name: str) -> bytes | None:
        row = self._one(self.sql.META, name)
        return row[0] if row else None

    def locate(self, token: bytes) -> Located | None:
        row = self._one(self.sql.LOCATE, token)
        return Located(row[0], row[1]) if row else None

    def record(self, record: RecordToken) -> RecordRow | None:
        row = self._one(self.sql.RECORD, record)
        return RecordRow(*row) if row else None

    def epoch(self, record: RecordToken) -> int | None:
        row = self._one(self.sql.EPOCH, record)
        return row[0] if row else None

    def packs(self, record: RecordToken, numbers: Sequence[int]) -> list[PackRow]:
        return [PackRow(*row) for row in self._numbered(self.sql.PACK, self.sql.PACKS, record, numbers)]

    def bodies(self, record: RecordToken, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        return [(row[0], row[1]) for row in self._numbered(self.sql.BODY, self.sql.BODIES, record, numbers)]

    def chunk(self, blob: bytes, index: int) -> bytes | None:
        row = self._one(self.sql.CHUNK, blob, index)
        return row[0] if row else None

    def chunks(self, blob: bytes) -> int:
        row = self._one(self.sql.CHUNKS, blob)
        return row[0] if row else 0

    def blobs(self, record: RecordToken) -> list[bytes]:
        return [row[0] for row in self._all(self.sql.BLOBS, record)]

    def unfinished_blobs(self, limit: int) -> list[bytes]:
        return [row[0] for row in self._all(self.sql.UNFINISHED_BLOBS, limit)]

    def persons(self, token: bytes, limit: int) -> list[RecordToken]:
        return [row[0] for row in self._all(self.sql.PERSONS, token, limit)]

    def persons_of(self, record: RecordToken) -> list[bytes]:
        return [row[0] for row in self._all(self.sql.PERSONS_OF, record)]

    def records(self, after: bytes, limit: int) -> list[RecordToken]:
        return [row[0] for row in self._all(self.sql.RECORDS, after, limit)]

    def session(self, token: bytes) -> bytes | None:
        row = self._one(self.sql.SESSION, token)
        return row[0] if row else None

    def session_and_newest(self, token: bytes, trail: bytes) -> tuple[bytes | None, int]:
        row = self._one(self.sql.SESSION_AND_NEWEST, token, trail)
        return (row[0], row[1] or 0) if row else (None, 0)

    def sessions(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(row[0], row[1]) for row in self._all(self.sql.SESSIONS, after, limit)]

    def retry(self, token: bytes) -> bytes | None:
        row = self._one(self.sql.RETRY, token)
        return row[0] if row else None

    def old_retries(self, hour: int, limit: int) -> list[bytes]:
        return [row[0] for row in self._all(self.sql.OLD_RETRIES, hour, limit)]

    def imported(self, source: bytes) -> int | None:
        row = self._one(self.sql.IMPORTED, source)
        return row[0] if row else None

    def quarantined(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        return [(row[0], row[1]) for row in self._all(self.sql.QUARANTINED, after, limit)]

    def ledger_size(self) -> int:
        row = self._one(self.sql.LEDGER_SIZE)
        return row[0] if row else 0

    def ledger_days(self) -> list[tuple[int, int, int]]:
        return [(row[0], row[1], row[2]) for row in self._all(self.sql.LEDGER_DAYS)]

    def entries_before(self, token: bytes, before: int, limit: int) -> list[EntryRow]:
        return [EntryRow(*row) for row in self._all(self.sql.ENTRIES_BEFORE, token, before, limit)]

    def last_of(self, token: bytes) -> tuple[int, bytes] | None:
        row = self._one(self.sql.LAST_OF, token)
        return (row[0], row[1]) if row else None

    def chain(self, token: bytes) -> bytes | None:
        row = self._one(self.sql.CHAIN, token)
        return row[0] if row else None

    def chain_end(self, row: bytes, token: bytes) -> tuple[bytes | None, tuple[int, bytes] | None]:
        found = self._one(self.sql.CHAIN_END, row, token)
        if found is None or found[1] is None:
            return (None if found is None else found[0]), None
        return found[0], (found[1], found[2])

    def checkpoint(self) -> tuple[int, bytes, bytes] | None:
        row = self._one(self.sql.CHECKPOINT)
        return (row[0], row[1], row[2]) if row else None
