"""Writes on PostgreSQL: the contract's `Transaction`, alive during one job of the writer thread.

What a job writes is kept and sent with the next thing it reads, or at its end: its error, and a row that
was not where it should be, are raised there and undo the job. Reads see what was written before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from serment.errors import ConflictError, IntegrityError, SermentError
from serment.model import RecordToken
from serment.store import pg_statements as sql
from serment.store.contract import EntryRow, RecordRow
from serment.store.pg_snapshot import PgSnapshot
from serment.store.pg_statements import Statement
from serment.store.pg_wire import Check, Row, Value, Wire, copy_stream

_COUNTERS: Final[dict[str, Statement]] = {"pack": sql.NEXT_PACK, "body": sql.NEXT_BODY}


LEAST_COPIED: Final = 32
"""New bodies of one job that go in one stream (COPY): an import's lot, not a visit."""
MOST_WAITING: Final = 1_000_000
"""Bytes of new bodies that wait at most."""


class Numbers:
    """Numbers for packs and bodies that this process has taken and not given yet.

    They come from sequences, which no undone job puts back: a number is never given twice.
    """

    def __init__(self) -> None:
        self._left: dict[str, range] = {"pack": range(0), "body": range(0)}

    def next(self, counter: str, wire: Wire) -> int:
        """Give a number that nobody had."""
        left = self._left[counter]
        if not left:
            first: int = wire.ask(_COUNTERS[counter])[0][0]
            left = range(first, first + sql.AT_A_TIME)
        self._left[counter] = left[1:]
        return left[0]


class PgTransaction(PgSnapshot):
    """The contract's `Transaction`. `wrong` is the first error that a statement of the job met."""

    def __init__(self, wire: Wire, numbers: Numbers) -> None:
        super().__init__(wire)
        self._numbers = numbers
        self._fresh: set[tuple[str, int]] = set()
        self._bodies: list[tuple[int, RecordToken, bytes]] = []
        self._weight = 0
        self.wrong: SermentError | None = None

    def flush(self) -> None:
        """Send what was written and not yet sent. Raises the first error of it."""
        with self._noted() as wire:
            self._send_bodies(wire)
            wire.flush()

    def _send_bodies(self, wire: Wire) -> None:
        """Send the new bodies that wait: many in one stream, few as statements like any other."""
        rows, self._bodies, self._weight = self._bodies, [], 0
        if len(rows) >= LEAST_COPIED:
            wire.copy(sql.COPY_BODY, copy_stream(rows))
            return
        for row in rows:
            wire.later(sql.ADD_BODY, *row, check=_own_number)

    @contextmanager
    def _noted(self) -> Iterator[Wire]:
        """Keep the first error in `wrong`, even where the job catches it."""
        try:
            yield self._open()
        except SermentError as error:
            self.wrong = self.wrong or error
            raise

    def _all(self, statement: Statement, *values: Value) -> list[Row]:
        with self._noted() as wire:
            self._send_bodies(wire)
            return wire.ask(statement, *values)

    def _several(self, asked: Sequence[tuple[Statement, tuple[Value, ...]]]) -> list[list[Row]]:
        with self._noted() as wire:
            self._send_bodies(wire)
            return wire.ask_all(asked)

    def _later(self, statement: Statement, *values: Value, check: Check | None = None) -> None:
        with self._noted() as wire:
            wire.later(statement, *values, check=check)

    def put_meta(self, name: str, value: bytes) -> None:
        self._later(sql.PUT_META, name, value)

    def add_record(self, row: RecordRow) -> None:
        self._later(sql.ADD_RECORD, row.record, row.epoch, row.head, row.facts)

    def put_record(self, row: RecordRow) -> None:
        self._later(sql.PUT_RECORD, row.epoch, row.head, row.facts, row.record, check=_one_row)
        self._later(sql.SAY, f"{row.record.hex()} {row.epoch}")

    def next_pack(self) -> int:
        return self._next("pack")

    def put_pack(self, record: RecordToken, number: int, sealed: bytes) -> None:
        statement = sql.ADD_PACK if self._is_fresh("pack", number) else sql.PUT_PACK
        self._later(statement, number, record, sealed, check=_one_row)

    def drop_packs(self, record: RecordToken, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._later(sql.DROP_PACK, number, record, check=_one_row)

    def put_locator(self, token: bytes, record: RecordToken, pack: int) -> None:
        self._later(sql.PUT_LOCATOR, token, record, pack, check=_own_locator)

    def put_locators(self, record: RecordToken, places: Sequence[tuple[bytes, int]]) -> None:
        for token, pack in places:
            self.put_locator(token, record, pack)

    def move_locators(self, moves: Sequence[tuple[bytes, int]]) -> None:
        for token, pack in moves:
            self._later(sql.MOVE_LOCATOR, pack, token, check=_one_row)

    def next_body(self) -> int:
        return self._next("body")

    def put_body(self, record: RecordToken, number: int, sealed: bytes) -> None:
        if not self._is_fresh("body", number):
            self._later(sql.PUT_BODY, number, record, sealed, check=_own_number)
            return
        self._bodies.append((number, record, sealed))
        self._weight += len(sealed)
        if self._weight > MOST_WAITING:
            with self._noted() as wire:
                self._send_bodies(wire)

    def put_chunk(self, record: RecordToken, blob: bytes, index: int, sealed: bytes) -> None:
        self._later(sql.PUT_CHUNK, record, blob, index, sealed)

    def drop_blob(self, blob: bytes) -> None:
        self._later(sql.DROP_BLOB, blob)

    def put_person(self, token: bytes, record: RecordToken) -> None:
        self._later(sql.PUT_PERSON, token, record)

    def drop_persons(self, record: RecordToken) -> None:
        self._later(sql.DROP_PERSONS, record)

    def put_session(self, token: bytes, sealed: bytes) -> None:
        self._later(sql.PUT_SESSION, token, sealed)

    def drop_session(self, token: bytes) -> None:
        self._later(sql.DROP_SESSION, token)

    def put_retry(self, token: bytes, hour: int, sealed: bytes) -> None:
        self._later(sql.PUT_RETRY, token, hour, sealed)

    def drop_retry(self, token: bytes) -> None:
        self._later(sql.DROP_RETRY, token)

    def put_imported(self, source: bytes, position: int) -> None:
        self._later(sql.PUT_IMPORTED, source, position)

    def add_quarantined(self, sealed: bytes) -> int:
        number: int = self._all(sql.NEXT_QUARANTINED)[0][0]
        self._later(sql.ADD_QUARANTINED, number, sealed)
        return number

    def drop_quarantined(self, number: int) -> None:
        self._later(sql.DROP_QUARANTINED, number)

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        for row in rows:
            values = (row.sequence, row.kind, row.hour, row.commitment, row.key_id, row.token, row.body)
            self._later(sql.ADD_ENTRY, *values, check=_in_place)

    def put_chain(self, token: bytes, sealed: bytes) -> None:
        self._later(sql.PUT_CHAIN, token, sealed)

    def put_checkpoint(self, size: int, root: bytes, note: bytes) -> None:
        # Of two processes that sign at once the smaller may come last: the greater stands.
        self._later(sql.PUT_CHECKPOINT, size, root, note)

    def _next(self, counter: str) -> int:
        with self._noted() as wire:
            number = self._numbers.next(counter, wire)
        self._fresh.add((counter, number))
        return number

    def _is_fresh(self, counter: str, number: int) -> bool:
        """Say whether this job was given the number and has not used it yet."""
        if (counter, number) not in self._fresh:
            return False
        self._fresh.discard((counter, number))
        return True


def _one_row(touched: int) -> SermentError | None:
    return None if touched == 1 else IntegrityError("store.row-missing")


def _own_locator(touched: int) -> SermentError | None:
    return None if touched else ConflictError("store.already-there", code="locator")


def _own_number(touched: int) -> SermentError | None:
    return None if touched else ConflictError("store.already-there", code="number")


def _in_place(touched: int) -> SermentError | None:
    return None if touched == 1 else IntegrityError("store.entry-out-of-place")
