"""A whole store goes from one engine to the other and back: every row, byte for byte, or it is said."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from serment import app
from serment.errors import ConflictError, IntegrityError, RequestError, SettingsError
from serment.store.contract import Snapshot, Store, Transaction
from serment.store.moving import TABLES, Row, Table, Target, move
from serment.store.pg_tables import pg_source, pg_target
from serment.store.sqlite import SqliteStore
from serment.store.sqlite_tables import sqlite_source, sqlite_target
from tests.installation import run, small_installation
from tests.stores.engines import ENGINES, a_record, append, token
from tests.stores.server import server

FILE = "serment.db"


def filled(store: Store) -> None:
    """Put rows into every table: more than a page of some, and numbers of rows that are gone."""

    def write(t: Transaction) -> None:
        records = [token() for _ in range(600)]
        for record in records:
            t.add_record(a_record(record))
            pack, body = t.next_pack(), t.next_body()
            t.put_pack(record, pack, os.urandom(300))
            t.put_body(record, body, os.urandom(3_000))
            t.put_locator(record[:8], record, pack)
            t.put_person(record[:4], record)
            append(t, record)
        t.drop_packs(record, [pack])
        for index in range(40):
            t.put_chunk(records[0], b"blob", index, os.urandom(1_000))
        t.put_session(b"hash", b"sealed")
        t.put_retry(b"token", 7, b"sealed")
        t.put_imported(b"source", 7)
        t.drop_quarantined(t.add_quarantined(b"gone"))
        t.add_quarantined(b"why")
        t.put_chain(b"chain", b"sealed")
        t.put_meta("Zoë", b"capital")
        t.put_meta("a-name", b"small")
        t.put_checkpoint(600, b"root", b"note")

    store.submit(write).result()


def told(store: Store) -> str:
    """Give a hash of what a store says through the contract."""

    def look(view: Snapshot) -> str:
        said = hashlib.sha256()
        for record in view.records(b"", 10_000):
            place = view.locate(record[:8])
            said.update(repr((view.record(record), place, view.persons(record[:4], 9))).encode())
            said.update(repr([*view.packs(record, range(1, 2_000)), *view.entries_of(record)]).encode())
        said.update(repr([view.chunk(b"blob", index) for index in range(41)]).encode())
        said.update(repr([view.sessions(b"", 9), view.retry(b"token"), view.imported(b"source")]).encode())
        said.update(repr(view.quarantined(0, 9)).encode())
        said.update(repr([view.chain(b"chain"), view.checkpoint(), view.ledger_size()]).encode())
        return said.hexdigest()

    return store.scan(look).result()


@contextmanager
def opened(engine: str, folder: Path) -> Iterator[Store]:
    store = ENGINES[engine].open(folder)
    try:
        yield store
    finally:
        store.close()


def test_a_store_goes_to_postgresql_and_back_and_says_the_same(tmp_path: Path) -> None:
    back = tmp_path / "back"
    back.mkdir()
    store = ENGINES["sqlite"].create(tmp_path)
    filled(store)
    first = told(store)
    store.close()
    (tmp_path / "postgresql.address").write_text(url := server().database())
    with sqlite_source(tmp_path / FILE) as source, pg_target(url) as target:
        rows = move(source, target)
    assert rows["entry"] == rows["record"] == 600
    with opened("postgresql", tmp_path) as there:
        assert (there.store_id, told(there)) == (store.store_id, first)
    with pg_source(url) as read, sqlite_target(back / FILE) as written:
        assert move(read, written) == rows
    with opened("sqlite", back) as again:
        assert (again.store_id, told(again)) == (store.store_id, first)


def test_a_number_that_was_given_before_a_move_is_not_given_after_it(tmp_path: Path) -> None:
    store = ENGINES["sqlite"].create(tmp_path)
    filled(store)
    taken = store.submit(lambda t: (t.next_pack(), t.next_body(), t.add_quarantined(b"why"))).result()
    store.close()
    (tmp_path / "postgresql.address").write_text(url := server().database())
    with sqlite_source(tmp_path / FILE) as source, pg_target(url) as target:
        move(source, target)
    with opened("postgresql", tmp_path) as there:
        later = there.submit(lambda t: (t.next_pack(), t.next_body(), t.add_quarantined(b"why"))).result()
    assert all(new > old for new, old in zip(later, taken, strict=True))


class Forgetful:
    """A target that changes one byte of one row on its way in."""

    def __init__(self, under: Target) -> None:
        self._under = under
        self.count, self.page, self.numbers = under.count, under.page, under.numbers
        self.put_numbers, self.done = under.put_numbers, under.done

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        if table.name == "body":
            number, record, sealed = rows[0]
            assert isinstance(sealed, bytes)
            rows = [(number, record, sealed[:-1] + bytes([sealed[-1] ^ 1])), *rows[1:]]
        self._under.put(table, rows)


def test_a_copy_that_is_another_one_by_a_bit_is_refused(tmp_path: Path) -> None:
    store = ENGINES["sqlite"].create(tmp_path)
    filled(store)
    store.close()
    with (
        pytest.raises(IntegrityError, match="body"),
        sqlite_source(tmp_path / FILE) as source,
        sqlite_target(tmp_path / "copy.db") as target,
    ):
        move(source, Forgetful(target))
    assert not (tmp_path / "copy.db").exists()


def test_a_move_that_ends_in_the_middle_leaves_no_store(tmp_path: Path) -> None:
    url = server().database()

    def begun(target: Target) -> None:
        target.put(TABLES[0], [("store-id", bytes(16))])
        raise KeyError

    with pytest.raises(KeyError), pg_target(url) as target:
        begun(target)
    with pg_target(url) as target:
        assert [target.count(table) for table in TABLES] == [0] * len(TABLES)


def test_a_store_that_stands_is_not_written_over(tmp_path: Path) -> None:
    ENGINES["postgresql"].create(tmp_path).close()
    with pytest.raises(SettingsError), pg_target((tmp_path / "postgresql.address").read_text()):
        pass
    SqliteStore.create(tmp_path / FILE).close()
    with pytest.raises(SettingsError), sqlite_target(tmp_path / FILE):
        pass


def test_every_table_of_the_schema_is_carried_or_said_not_to_be(tmp_path: Path) -> None:
    SqliteStore.create(tmp_path / FILE).close()
    carried = {table.name: {column.strip('"') for column in table.columns} for table in TABLES}
    columns: dict[str, set[str]] = {}
    with sqlite_source(tmp_path / FILE) as source:
        statement = (
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
        for table, column in source._connection.execute(statement):
            columns.setdefault(str(table), set()).add(str(column))
    assert {name: columns[name] for name in columns.keys() - {"migration", "counter"}} == carried


def test_an_installation_is_moved_and_read_on(tmp_path: Path) -> None:
    """Everything a patient has is served as before, from the other engine, and the ledger goes on."""
    with small_installation(tmp_path) as made:
        record = made.record()
        asking = made.as_patient()
        before = run(made.house.reading.read(asking, "Patient", record))
        there = server().database() if not made.settings.store else ""
        with pytest.raises(ConflictError):
            app.move_store(made.settings, there)
        with pytest.raises(RequestError):
            app.move_store(made.settings, made.settings.store)
        made.house.close()
        made.custody.stop()
        moved = app.move_store(made.settings, there)
        assert moved.rows["entry"] == moved.ledger_size > 0
        made.settings = replace(made.settings, store=there)
        made.restart_custody()
        house = made.reopen()
        after = run(house.reading.read(made.as_patient(), "Patient", record))
        assert (after.body, after.version) == (before.body, before.version)
        assert house.proving.verify().ok
