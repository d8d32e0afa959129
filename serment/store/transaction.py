"""Writes on SQLite: the contract's `Transaction`, alive during one job of the writer thread.

A write that finds another row than the one it names (a record that is not there, a pack of another
record, a ledger entry out of its place) raises and so undoes its own job: the store holds no rule,
but it never writes beside the mark in silence.
"""

from __future__ import annotations

from collections.abc import Sequence

from serment.errors import ConflictError, IntegrityError
from serment.model import RecordToken
from serment.store import statements as sql
from serment.store.contract import EntryRow, RecordRow
from serment.store.snapshot import SqliteSnapshot


class SqliteTransaction(SqliteSnapshot):
    """The contract's `Transaction`."""

    def put_meta(self, name: str, value: bytes) -> None:
        self._change(sql.PUT_META, name, value)

    def add_record(self, row: RecordRow) -> None:
        self._change(sql.ADD_RECORD, row.record, row.epoch, row.head, row.facts)

    def put_record(self, row: RecordRow) -> None:
        self._must(self._change(sql.PUT_RECORD, row.epoch, row.head, row.facts, row.record))

    def next_pack(self) -> int:
        return self._next("pack")

    def put_pack(self, record: RecordToken, number: int, sealed: bytes) -> None:
        self._must(self._change(sql.PUT_PACK, number, record, sealed))

    def drop_packs(self, record: RecordToken, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._must(self._change(sql.DROP_PACK, number, record))

    def put_locator(self, token: bytes, record: RecordToken, pack: int) -> None:
        if not self._change(sql.PUT_LOCATOR, token, record, pack):
            raise ConflictError("store.already-there", code="locator")

    def put_locators(self, record: RecordToken, places: Sequence[tuple[bytes, int]]) -> None:
        rows = [(token, record, pack) for token, pack in places]
        if self._change_many(sql.PUT_LOCATOR, rows) != len(rows):
            raise ConflictError("store.already-there", code="locator")

    def move_locators(self, moves: Sequence[tuple[bytes, int]]) -> None:
        touched = self._change_many(sql.MOVE_LOCATOR, [(pack, token) for token, pack in moves])
        self._must(touched, len(moves))

    def next_body(self) -> int:
        return self._next("body")

    def put_body(self, record: RecordToken, number: int, sealed: bytes) -> None:
        self._change(sql.PUT_BODY, number, record, sealed)

    def put_chunk(self, record: RecordToken, blob: bytes, index: int, sealed: bytes) -> None:
        self._change(sql.PUT_CHUNK, record, blob, index, sealed)

    def drop_blob(self, blob: bytes) -> None:
        self._change(sql.DROP_BLOB, blob)

    def put_person(self, token: bytes, record: RecordToken) -> None:
        self._change(sql.PUT_PERSON, token, record)

    def drop_persons(self, record: RecordToken) -> None:
        self._change(sql.DROP_PERSONS, record)

    def put_session(self, token: bytes, sealed: bytes) -> None:
        self._change(sql.PUT_SESSION, token, sealed)

    def drop_session(self, token: bytes) -> None:
        self._change(sql.DROP_SESSION, token)

    def put_retry(self, token: bytes, hour: int, sealed: bytes) -> None:
        self._change(sql.PUT_RETRY, token, hour, sealed)

    def drop_retry(self, token: bytes) -> None:
        self._change(sql.DROP_RETRY, token)

    def put_imported(self, source: bytes, position: int) -> None:
        self._change(sql.PUT_IMPORTED, source, position)

    def add_quarantined(self, sealed: bytes) -> int:
        number = self._next("quarantine")
        self._change(sql.ADD_QUARANTINED, number, sealed)
        return number

    def drop_quarantined(self, number: int) -> None:
        self._change(sql.DROP_QUARANTINED, number)

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        for row in rows:
            values = (row.sequence, row.kind, row.hour, row.commitment, row.key_id, row.token, row.body)
            if self._change(sql.ADD_ENTRY, *values) != 1:
                raise IntegrityError("store.entry-out-of-place")

    def put_chain(self, token: bytes, sealed: bytes) -> None:
        self._change(sql.PUT_CHAIN, token, sealed)

    def put_checkpoint(self, size: int, root: bytes, note: bytes) -> None:
        # Of two processes that sign at once the smaller may come last: the greater stands.
        self._change(sql.PUT_CHECKPOINT, size, root, note)

    def _next(self, counter: str) -> int:
        row = self._one(sql.NEXT[counter])
        if row is None:
            raise IntegrityError("store.row-missing")
        number: int = row[0]
        return number

    @staticmethod
    def _must(touched: int, rows: int = 1) -> None:
        if touched != rows:
            raise IntegrityError("store.row-missing")
