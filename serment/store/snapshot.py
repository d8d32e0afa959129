"""Reads on SQLite: one view, many statements, one state.

`Rows` runs statements on one connection and lets no error of SQLite out raw. `SqliteSnapshot` is
the contract's `Snapshot` on it. Neither begins nor ends a transaction: `sqlite.py` does for reads
and `writer.py` for writes. A view that has been closed refuses every further statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from serment.errors import SermentError, StorageFullError
from serment.model import RecordToken
from serment.store import statements as sql
from serment.store.contract import EntryRow, Lead, Located, PackRow, RecordRow
from serment.store.failure import translate


class Rows:
    """Statements on one connection, errors translated, until closed.

    `met_full` says whether one of them found no room, even where the caller caught the error.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection: apsw.Connection | None = connection
        self._unread: list[apsw.Cursor] = []
        self.met_full = False

    def close(self) -> None:
        """End every statement that is not read to its end, and refuse new ones."""
        for cursor in self._unread:
            cursor.close(True)
        self._unread.clear()
        self._connection = None

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            raise RuntimeError("a view of the store is used after its end")
        return self._connection

    def _meaning(self, error: apsw.Error, connection: apsw.Connection) -> SermentError:
        meaning = translate(error, connection.system_errno)
        self.met_full |= isinstance(meaning, StorageFullError)
        return meaning

    def _one(self, statement: str, *values: apsw.SQLiteValue) -> tuple[Any, ...] | None:
        connection = self._open()
        try:
            row: tuple[Any, ...] | None = connection.execute(statement, values).fetchone()
        except apsw.Error as error:
            raise self._meaning(error, connection) from None
        return row

    def _all(self, statement: str, *values: apsw.SQLiteValue) -> list[tuple[Any, ...]]:
        connection = self._open()
        try:
            return connection.execute(statement, values).fetchall()
        except apsw.Error as error:
            raise self._meaning(error, connection) from None

    def _numbered(
        self, one: str, many: str, record: RecordToken, numbers: Sequence[int]
    ) -> Iterator[tuple[Any, ...]]:
        """Read rows of one record by number, in the order asked; those that are not there are left out."""
        if len(numbers) == 1:
            row = self._one(one, numbers[0], record)
            return iter(() if row is None else (row,))
        found: dict[int, tuple[Any, ...]] = {}
        for start in range(0, len(numbers), sql.AT_ONCE):
            some = numbers[start : start + sql.AT_ONCE]
            filled = [*some, *[some[0]] * (sql.AT_ONCE - len(some))]
            found.update((row[0], row) for row in self._all(many, record, *filled))
        return (found[number] for number in numbers if number in found)

    def _each(self, statement: str, *values: apsw.SQLiteValue) -> Iterator[tuple[Any, ...]]:
        connection = self._open()
        cursor = connection.cursor()
        self._unread.append(cursor)
        try:
            yield from cursor.execute(statement, values)
        except apsw.CursorClosedError:
            raise RuntimeError("rows of the store are read after the end of their view") from None
        except apsw.Error as error:
            raise self._meaning(error, connection) from None

    def _change(self, statement: str, *values: apsw.SQLiteValue) -> int:
        """Run a write and give the number of rows it touched."""
        connection = self._open()
        try:
            connection.execute(statement, values)
        except apsw.Error as error:
            raise self._meaning(error, connection) from None
        return connection.changes()


class SqliteSnapshot(Rows):
    """The contract's `Snapshot`."""

    def meta(self, name: str) -> bytes | None:
        row = self._one(sql.META, name)
        return row[0] if row else None

    def locate(self, token: bytes) -> Located | None:
        row = self._one(sql.LOCATE, token)
        return Located(row[0], row[1]) if row else None

    def locate_two(self, one: bytes, two: bytes) -> tuple[Located | None, Located | None]:
        found = {row[0]: Located(row[1], row[2]) for row in self._all(sql.LOCATE_TWO, one, two)}
        return found.get(one), found.get(two)

    def lead_two(self, one: bytes, two: bytes) -> tuple[Lead | None, Lead | None]:
        found = {row[0]: _lead(row) for row in self._all(sql.LEAD_TWO, one, two)}
        return found.get(one), found.get(two)

    def record(self, record: RecordToken) -> RecordRow | None:
        row = self._one(sql.RECORD, record)
        return RecordRow(*row) if row else None

    def epoch(self, record: RecordToken) -> int | None:
        row = self._one(sql.EPOCH, record)
        return row[0] if row else None

    def packs(self, record: RecordToken, numbers: Sequence[int]) -> list[PackRow]:
        return [PackRow(*row) for row in self._numbered(sql.PACK, sql.PACKS, record, numbers)]

    def bodies(self, record: RecordToken, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        return [(row[0], row[1]) for row in self._numbered(sql.BODY, sql.BODIES, record, numbers)]

    def chunk(self, blob: bytes, index: int) -> bytes | None:
        row = self._one(sql.CHUNK, blob, index)
        return row[0] if row else None

    def chunks(self, blob: bytes) -> int:
        row = self._one(sql.CHUNKS, blob)
        return row[0] if row else 0

    def blobs(self, record: RecordToken) -> list[bytes]:
        return [row[0] for row in self._all(sql.BLOBS, record)]

    def unfinished_blobs(self, limit: int) -> list[bytes]:
        return [row[0] for row in self._all(sql.UNFINISHED_BLOBS, limit)]

    def persons(self, token: bytes, limit: int) -> list[RecordToken]:
        return [row[0] for row in self._all(sql.PERSONS, token, limit)]

    def persons_of(self, record: RecordToken) -> list[bytes]:
        return [row[0] for row in self._all(sql.PERSONS_OF, record)]

    def records(self, after: bytes, limit: int) -> list[RecordToken]:
        return [row[0] for row in self._all(sql.RECORDS, after, limit)]

    def session(self, token: bytes) -> bytes | None:
        row = self._one(sql.SESSION, token)
        return row[0] if row else None

    def session_and_newest(self, token: bytes, trail: bytes) -> tuple[bytes | None, int]:
        row = self._one(sql.SESSION_AND_NEWEST, token, trail)
        return (row[0], row[1] or 0) if row else (None, 0)

    def sessions(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(row[0], row[1]) for row in self._all(sql.SESSIONS, after, limit)]

    def imported(self, source: bytes) -> int | None:
        row = self._one(sql.IMPORTED, source)
        return row[0] if row else None

    def quarantined(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        return [(row[0], row[1]) for row in self._all(sql.QUARANTINED, after, limit)]

    def ledger_size(self) -> int:
        row = self._one(sql.LEDGER_SIZE)
        return row[0] if row else 0

    def ledger_entries(self, start: int, stop: int) -> Iterator[EntryRow]:
        return (EntryRow(*row) for row in self._each(sql.ENTRIES, start, stop))

    def entries_of(self, token: bytes, after: int = 0) -> Iterator[EntryRow]:
        return (EntryRow(*row) for row in self._each(sql.ENTRIES_OF, token, after))

    def last_of(self, token: bytes) -> tuple[int, bytes] | None:
        row = self._one(sql.LAST_OF, token)
        return (row[0], row[1]) if row else None

    def chain(self, token: bytes) -> bytes | None:
        row = self._one(sql.CHAIN, token)
        return row[0] if row else None

    def chain_end(self, row: bytes, token: bytes) -> tuple[bytes | None, tuple[int, bytes] | None]:
        found = self._one(sql.CHAIN_END, row, token)
        if found is None or found[1] is None:
            return (None if found is None else found[0]), None
        return found[0], (found[1], found[2])

    def checkpoint(self) -> tuple[int, bytes, bytes] | None:
        row = self._one(sql.CHECKPOINT)
        return (row[0], row[1], row[2]) if row else None


def _lead(row: tuple[Any, ...]) -> Lead:
    _, record, pack, epoch, head, facts, sealed = row
    return Lead(
        Located(record, pack), None if epoch is None else RecordRow(record, epoch, head, facts), sealed
    )
