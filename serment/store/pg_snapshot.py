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

_NOWHERE: Final = Located(RecordToken(bytes(16)), -1)
"""Where the statements go that are asked for a locator nobody knows: the same, for nothing."""


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
        """Ask six statements in two round trips, whether or not anything stands there."""
        places = self.locate_two(one, two)
        asked: list[tuple[Statement, tuple[Value, ...]]] = []
        for place in (each or _NOWHERE for each in places):
            asked += [
                (pg_statements.RECORD, (place.record,)),
                (pg_statements.PACK, (place.pack, place.record)),
            ]
        rows = self._together(*asked)
        return _lead(places[0], rows[0], rows[1]), _lead(places[1], rows[2], rows[3])

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


def _lead(place: Located | None, record: Row | None, pack: Row | None) -> Lead | None:
    if place is None:
        return None
    return Lead(place, RecordRow(*record) if record else None, pack[1] if pack else None)
