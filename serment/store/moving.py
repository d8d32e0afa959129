"""A whole store, carried from one engine to another: every row of every table, byte for byte.

`move` reads one consistent view of the source in the order of its keys, writes it into an empty target,
then reads the target back: the same number of rows and the same SHA-256 over them, table by table, or it
raises. Nothing is opened: the rows are sealed, and the store's id goes with them. What a migration or a
lock keeps for one engine alone (`migration`, `counter`, `ledger_head`) is not carried; the numbers
that were given are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from serment.errors import IntegrityError

Cell = bytes | int | str
Row = tuple[Cell, ...]
Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, how many of the first make its key, and how many rows are read at once."""

    name: str
    columns: tuple[str, ...]
    key: int
    at_once: int = 500

    @property
    def keys(self) -> tuple[str, ...]:
        """Name the columns of the key."""
        return self.columns[: self.key]


TABLES: Final = (
    Table("meta", ("name", "value"), 1),
    Table("record", ("record", "epoch", "head", "facts"), 1),
    Table("pack", ("number", "record", "sealed"), 2),
    Table("locator", ("token", "record", "pack"), 1),
    Table("body", ("number", "record", "sealed"), 2),
    Table("chunk", ("blob", "position", "record", "sealed"), 2, at_once=16),
    Table("person", ("token", "record"), 2),
    Table("session", ("token", "sealed"), 1),
    Table("retry", ("token", "hour", "sealed"), 1),
    Table("imported", ("source", "position"), 1),
    Table("quarantine", ("number", "sealed"), 1, at_once=50),
    Table("entry", ("sequence", "kind", "hour", "commitment", "key_id", "token", "body"), 1),
    Table("chain", ("token", "sealed"), 1),
    Table("checkpoint", ('"only"', "size", "root", "note"), 1),
)
"""Every table that is carried. Both engines order their keys by bytes, that of `meta` included."""


class Source(Protocol):
    """Somewhere whole tables are read from, in one view."""

    def count(self, table: Table) -> int: ...
    def page(self, table: Table, after: Row | None) -> list[Row]: ...
    def numbers(self) -> Mapping[str, int]: ...


class Target(Source, Protocol):
    """Somewhere whole tables are written to; `done` makes them durable, all or none."""

    def put(self, table: Table, rows: Sequence[Row]) -> None: ...
    def put_numbers(self, numbers: Mapping[str, int]) -> None: ...
    def done(self) -> None: ...


def move(source: Source, target: Target, progress: Progress | None = None) -> dict[str, int]:
    """Carry every table and hold the copy against what was read; rows by table.

    Raises `IntegrityError` when the copy is another one.
    """
    whole = {table.name: source.count(table) for table in TABLES}
    total, done = 2 * sum(whole.values()), 0
    digests: dict[str, bytes] = {}
    for table in TABLES:
        seen = Digest()
        for rows in pages(source, table):
            target.put(table, rows)
            seen.add(rows)
            done = _told(progress, done + len(rows), total)
        digests[table.name], whole[table.name] = seen.value(), seen.rows
    target.put_numbers(source.numbers())
    target.done()
    for table in TABLES:
        copy = Digest()
        for rows in pages(target, table):
            copy.add(rows)
            done = _told(progress, done + len(rows), total)
        if (copy.rows, copy.value()) != (whole[table.name], digests[table.name]):
            raise IntegrityError("store.move-differs", table=table.name)
    return whole


def pages(source: Source, table: Table) -> Iterator[list[Row]]:
    """Read a table in the order of its key, some rows at a time."""
    after: Row | None = None
    while rows := source.page(table, after):
        yield rows
        if len(rows) < table.at_once:
            return
        after = rows[-1][: table.key]


class Digest:
    """SHA-256 over rows: of each cell its kind, its length and its bytes."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Take in some rows."""
        for row in rows:
            for cell in row:
                kind, content = _content(cell)
                self._hash.update(kind + len(content).to_bytes(8, "big"))
                self._hash.update(content)
        self.rows += len(rows)

    def value(self) -> bytes:
        """Give the digest."""
        return self._hash.digest()


def _content(cell: Cell) -> tuple[bytes, bytes]:
    if isinstance(cell, int):
        return b"n", cell.to_bytes(8, "big", signed=True)
    return (b"t", cell.encode()) if isinstance(cell, str) else (b"b", cell)


def _told(progress: Progress | None, done: int, total: int) -> int:
    if progress is not None:
        progress(done, total)
    return done


def page_statement(table: Table, *, first: bool) -> str:
    """Write the statement of one page, with `?` for the key of the row before; see `TABLES`."""
    columns, keys = ", ".join(table.columns), ", ".join(table.keys)
    order = f" ORDER BY {keys} LIMIT {table.at_once}"
    if first:
        return f"SELECT {columns} FROM {table.name}{order}"  # noqa: S608 - names of this file
    blanks = ", ".join("?" * table.key)
    return f"SELECT {columns} FROM {table.name} WHERE ({keys}) > ({blanks}){order}"  # noqa: S608 - as above


def insert_statement(table: Table) -> str:
    """Write the statement that puts one row."""
    blanks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({blanks})"  # noqa: S608 - as above


def count_statement(table: Table) -> str:
    """Write the statement that counts a table's rows."""
    return f"SELECT count(*) FROM {table.name}"  # noqa: S608 - as above
