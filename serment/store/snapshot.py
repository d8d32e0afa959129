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
from serment.store import statements
from serment.store.contract import EntryRow, Lead, Located, RecordRow
from serment.store.failure import translate
from serment.store.reads import Reads, Statements


class Rows(Reads[str]):
    """Statements on one connection, errors translated, until closed.

    `met_full` says whether one of them found no room, even where the caller caught the error.
    """

    sql: Statements[str] = statements

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

    def _change_many(self, statement: str, rows: Sequence[tuple[apsw.SQLiteValue, ...]]) -> int:
        """Run one write for each of `rows` and give the number of rows that all of them touched."""
        connection = self._open()
        before = connection.total_changes()
        try:
            connection.executemany(statement, rows)
        except apsw.Error as error:
            raise self._meaning(error, connection) from None
        return connection.total_changes() - before

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

    def locate_two(self, one: bytes, two: bytes) -> tuple[Located | None, Located | None]:
        found = {row[0]: Located(row[1], row[2]) for row in self._all(statements.LOCATE_TWO, one, two)}
        return found.get(one), found.get(two)

    def lead_two(self, one: bytes, two: bytes) -> tuple[Lead | None, Lead | None]:
        found = {row[0]: _lead(row) for row in self._all(statements.LEAD_TWO, one, two)}
        return found.get(one), found.get(two)

    def ledger_entries(self, start: int, stop: int) -> Iterator[EntryRow]:
        return (EntryRow(*row) for row in self._each(statements.ENTRIES, start, stop))

    def entries_of(self, token: bytes, after: int = 0) -> Iterator[EntryRow]:
        return (EntryRow(*row) for row in self._each(statements.ENTRIES_OF, token, after))


def _lead(row: tuple[Any, ...]) -> Lead:
    _, record, pack, epoch, head, facts, sealed = row
    return Lead(
        Located(record, pack), None if epoch is None else RecordRow(record, epoch, head, facts), sealed
    )
