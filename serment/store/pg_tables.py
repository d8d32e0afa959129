"""The whole tables of a store on PostgreSQL, for `moving`: read in one view, or written in one transaction.

Rows are sent many at a time. COPY would be faster, but a table under row-level security takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

from serment.store import pg_statements as sql
from serment.store.moving import Row, Table, count_statement, insert_statement, page_statement
from serment.store.pg_start import Sessions, check_schema, ready_for_a_store, target
from serment.store.pg_statements import Statement
from serment.store.pg_wire import Wire

_KINDS = {
    "name": "t",
    **dict.fromkeys(("epoch", "number", "position", "sequence", "kind", "hour", "size", '"only"'), "n"),
}


class PgTables:
    """One connection, in one transaction that has begun."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def count(self, table: Table) -> int:
        number: int = self._wire.ask(_count(table))[0][0]
        return number

    def page(self, table: Table, after: Row | None) -> list[Row]:
        return self._wire.ask(_page(table, after is None), *(after or ()))

    def numbers(self) -> Mapping[str, int]:
        return {name: self._wire.ask(statement)[0][0] for name, statement in sql.GIVEN.items()}

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        statement = _insert(table)
        for row in rows:
            self._wire.later(statement, *row)
        self._wire.flush()

    def put_numbers(self, numbers: Mapping[str, int]) -> None:
        for name, last in numbers.items():
            if last:
                self._wire.ask(sql.SET_NUMBER[name], last)

    def done(self) -> None:
        self._wire.ask(sql.COMMIT)


@contextmanager
def pg_source(url: str) -> Iterator[PgTables]:
    """Read the tables of the store at `url`. Raises `SettingsError`, `IntegrityError`, `DependencyError`."""
    wire = Sessions(target(url)).scanner()
    try:
        check_schema(wire)
        wire.later(sql.BEGIN_READ)
        yield PgTables(wire)
    finally:
        wire.close()


@contextmanager
def pg_target(url: str) -> Iterator[PgTables]:
    """Write the tables of a store into a database that holds none. Raises `SettingsError`."""
    wire = ready_for_a_store(Sessions(target(url)))
    try:
        wire.later(sql.BEGIN_WRITE)
        wire.ask(sql.LOCK_HEAD)
        yield PgTables(wire)
    finally:
        wire.close()


def _types(table: Table, columns: Sequence[str]) -> str:
    """Give the letter of each column: `record` is a token everywhere, `pack` a number in a locator."""
    return "".join(
        "n" if (table.name, column) == ("locator", "pack") else _KINDS.get(column, "b") for column in columns
    )


@cache
def _count(table: Table) -> Statement:
    return sql.statement(count_statement(table))


@cache
def _page(table: Table, first: bool) -> Statement:
    return sql.statement(page_statement(table, first=first), "" if first else _types(table, table.keys))


@cache
def _insert(table: Table) -> Statement:
    return sql.statement(insert_statement(table), _types(table, table.columns))
