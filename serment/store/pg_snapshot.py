"""Reads on PostgreSQL: one view, many statements, one state.

The view begins with its first statement, in the same round trip, and what it asks together goes
together. Nothing here ends a transaction: `postgres.py` does for reads and `pg_hand.py` for writes.
A view that has been closed refuses every further statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from serment.model import RecordToken
from serment.store import pg_statements as sql
from serment.store.contract import EntryRow, Lead, Located, PackRow, RecordRow
from serment.store.pg_statements import Statement
from serment.store.pg_wire import Row, Value, Wire
from serment.store.statements import AT_ONCE

_NOWHERE: Final = Located(RecordToken(bytes(16)), -1)
"""Where the statements go that are asked for a locator nobody knows: the same, for nothing."""


class PgSnapshot:
    """The contract's `Snapshot`."""

    def __init__(self, wire: Wire) -> None:
        self._wire: Wire | None = wire

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

    def meta(self, name: str) -> bytes | None:
        row = self._one(sql.META, name)
        return row[0] if row else None

    def locate(self, token: bytes) -> Located | None:
        row = self._one(sql.LOCATE, token)
        return Located(row[0], row[1]) if row else None

    def locate_two(self, one: bytes, two: bytes) -> tuple[Located | None, Located | None]:
        first, second = self._together((sql.LOCATE, (one,)), (sql.LOCATE, (two,)))
        return Located(*first) if first else None, Located(*second) if second else None

    def lead_two(self, one: bytes, two: bytes) -> tuple[Lead | None, Lead | None]:
        """Ask six statements in two round trips, whether or not anything stands there."""
        places = self.locate_two(one, two)
        asked: list[tuple[Statement, tuple[Value, ...]]] = []
        for place in (each or _NOWHERE for each in places):
            asked += [(sql.RECORD, (place.record,)), (sql.PACK, (place.pack, place.record))]
        rows = self._together(*asked)
        return _lead(places[0], rows[0], rows[1]), _lead(places[1], rows[2], rows[3])

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

    def _numbered(
        self, one: Statement, many: Statement, record: RecordToken, numbers: Sequence[int]
    ) -> Iterator[Row]:
        """Read rows of one record by number, in the order asked; those that are not there are left out."""
        if len(numbers) == 1:
            return iter(self._all(one, numbers[0], record))
        found: dict[int, Row] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            filled = [*some, *[some[0]] * (AT_ONCE - len(some))]
            found.update((row[0], row) for row in self._all(many, record, *filled))
        return (found[number] for number in numbers if number in found)

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
        while start < stop:
            rows = self._all(sql.ENTRIES, start, stop)
            yield from self._still(rows)
            if len(rows) < sql.PAGE:
                return
            start = rows[-1][0] + 1

    def entries_of(self, token: bytes, after: int = 0) -> Iterator[EntryRow]:
        while True:
            rows = self._all(sql.ENTRIES_OF, token, after)
            yield from self._still(rows)
            if len(rows) < sql.PAGE:
                return
            after = rows[-1][0]

    def _still(self, rows: Sequence[Row]) -> Iterator[EntryRow]:
        """Give rows of a page while the view lasts: what is half read when it ends is not read on."""
        for row in rows:
            self._open()
            yield EntryRow(*row)

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


def _lead(place: Located | None, record: Row | None, pack: Row | None) -> Lead | None:
    if place is None:
        return None
    return Lead(place, RecordRow(*record) if record else None, pack[1] if pack else None)
