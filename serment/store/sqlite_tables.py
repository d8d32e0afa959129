"""The whole tables of an SQLite store, for `moving`: read in one view, or written into a draft file.

The draft takes its name once everything is in it: a move that ends in the middle leaves no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import apsw

from serment.store.connection import check_header, connect, new_file
from serment.store.failure import translate
from serment.store.migration import migrate
from serment.store.moving import Row, Table, count_statement, insert_statement, page_statement

T = TypeVar("T")


class SqliteTables:
    """One connection, in one transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._run(lambda: connection.execute("BEGIN"))

    def count(self, table: Table) -> int:
        number: int = self._all(count_statement(table))[0][0]
        return number

    def page(self, table: Table, after: Row | None) -> list[Row]:
        return self._all(page_statement(table, first=after is None), after or ())

    def numbers(self) -> Mapping[str, int]:
        return dict(self._all("SELECT name, last FROM counter"))

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        self._run(lambda: self._connection.executemany(insert_statement(table), rows))

    def put_numbers(self, numbers: Mapping[str, int]) -> None:
        counters = [(last, name) for name, last in numbers.items()]
        update = "UPDATE counter SET last = ? WHERE name = ?"
        self._run(lambda: self._connection.executemany(update, counters))

    def done(self) -> None:
        self._run(lambda: self._connection.execute("COMMIT"))

    def _all(self, statement: str, values: Row = ()) -> list[Any]:
        return self._run(lambda: self._connection.execute(statement, values).fetchall())

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except apsw.Error as error:
            raise translate(error, self._connection.system_errno) from None


@contextmanager
def sqlite_source(path: Path) -> Iterator[SqliteTables]:
    """Read the tables of the store at `path`. Raises `SettingsError`, `IntegrityError`."""
    check_header(path)
    connection = connect(path, reader=True)
    try:
        yield SqliteTables(connection)
    finally:
        connection.close(True)


@contextmanager
def sqlite_target(path: Path) -> Iterator[SqliteTables]:
    """Write the tables of a store that is at `path` once this ended well. Raises `SettingsError`."""
    with new_file(path) as draft:
        connection = connect(draft)
        try:
            migrate(connection)
            yield SqliteTables(connection)
        finally:
            connection.close(True)
