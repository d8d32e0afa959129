"""Reads on PostgreSQL: one view, many statements, one state.

The view begins with its first statement, in the same round trip, and what it asks together goes
together. Nothing here ends a transaction: `postgres.py` does for reads and `pg_hand.py` for writes.
A view that has been closed refuses every further statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from serment.model import RecordToken
from serment.store import pg_statements
from serment.store.contract import EntryRow, Lead, Located, RecordRow
from serment.store.pg_statements import Statement
from serment.store.pg_wire import Row, Value, Wire
from serment.store.reads import Reads, Statements

T = TypeVar("T")

BULK: Final = 4
"""Bodies that are worth the way to a standby: fewer are read where the view is."""


class Proof(NamedTuple):
    """What a standby must hold to stand in for a view: the place in the log, the newest ledger entry."""

    replayed: int
    sequence: int
    commitment: bytes


class Bulk(Protocol):
    """Somewhere else to read what is much and decides nothing; None for what is not there."""

    def ready(self) -> bool: ...
    def read(self, proof: Proof, look: Callable[[PgSnapshot], T | None]) -> T | None: ...


class PgSnapshot(Reads[Statement]):
    """The contract's `Snapshot`. With a `bulk`, bodies and chunks may be read there."""

    sql: Statements[Statement] = pg_statements

    def __init__(self, wire: Wire, bulk: Bulk | None = None) -> None:
        self._wire: Wire | None = wire
        self._bulk = bulk
        self._proof: Proof | None = None

    def close(self) -> None:
        """Refuse every further statement."""
        self._wire = None

    def _open(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("a view of the store is used after its end")
        return self._wire

    def _all(self, statement: Statement, *values: Value) -> list[Row]:
        return self._open().ask(statement, *values)

    def _several(self, asked: Sequence[tuple[Statement, tuple[Value, ...]]]) -> list[list[Row]]:
        return self._open().ask_all(asked)

    def _one(self, statement: Statement, *values: Value) -> Row | None:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _together(self, *asked: tuple[Statement, tuple[Value, ...]]) -> list[Row | None]:
        """Ask several statements in one round trip; the first row of each."""
        return [rows[0] if rows else None for rows in self._several(asked)]

    def locate_two(self, one: bytes, two: bytes) -> tuple[Located | None, Located | None]:
        first, second = self._together((pg_statements.LOCATE, (one,)), (pg_statements.LOCATE, (two,)))
        return Located(*first) if first else None, Located(*second) if second else None

    def lead_two(self, one: bytes, two: bytes) -> tuple[Lead | None, Lead | None]:
        """Ask twice three lookups in one round trip, whether or not anything stands there."""
        first, second = self._together((pg_statements.LEAD, (one,)), (pg_statements.LEAD, (two,)))
        return _lead(first), _lead(second)

    def bodies(self, record: RecordToken, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
        def elsewhere(view: PgSnapshot) -> list[tuple[int, bytes]] | None:
            found = view.bodies(record, numbers)
            return found if len(found) == len(numbers) else None

        found = self._elsewhere(elsewhere) if len(numbers) >= BULK else None
        return super().bodies(record, numbers) if found is None else found

    def chunk(self, blob: bytes, index: int) -> bytes | None:
        found = self._elsewhere(lambda view: view.chunk(blob, index))
        return super().chunk(blob, index) if found is None else found

    def _elsewhere(self, look: Callable[[PgSnapshot], T | None]) -> T | None:
        """Read on the standby what this view would read, when it is proven to be the same."""
        if self._bulk is None or not self._bulk.ready():
            return None
        if self._proof is None:
            rows = self._all(pg_statements.PROOF)
            self._proof = Proof(*rows[0]) if rows else None
        return None if self._proof is None else self._bulk.read(self._proof, look)

    def ledger_entries(self, start: int, stop: int) -> Iterator[EntryRow]:
        while start < stop:
            rows = self._all(pg_statements.ENTRIES, start, stop)
            yield from self._still(rows)
            if len(rows) < pg_statements.PAGE:
                return
            start = rows[-1][0] + 1

    def entries_of(self, token: bytes, after: int = 0) -> Iterator[EntryRow]:
        while True:
            rows = self._all(pg_statements.ENTRIES_OF, token, after)
            yield from self._still(rows)
            if len(rows) < pg_statements.PAGE:
                return
            after = rows[-1][0]

    def _still(self, rows: Sequence[Row]) -> Iterator[EntryRow]:
        """Give rows of a page while the view lasts: what is half read when it ends is not read on."""
        for row in rows:
            self._open()
            yield EntryRow(*row)


def _lead(row: Row | None) -> Lead | None:
    if row is None or row[0] is None:
        return None
    record, pack, epoch, head, facts, sealed = row
    there = None if epoch is None else RecordRow(record, epoch, head, facts)
    return Lead(Located(record, pack), there, sealed)
