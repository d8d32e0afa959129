"""A row that was deleted or replaced leaves no byte in the store's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serment.model import RecordToken
from serment.store.contract import RecordRow, Store, Transaction
from tests.stores.engines import ENGINES, Engine, token

RECORD: RecordToken = token()


@pytest.fixture
def engine() -> Engine:
    """SQLite: a file that the house keeps itself. What a server does with its disk is its operator's."""
    return ENGINES["sqlite"]


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())


def test_deleted_and_replaced_rows_leave_no_byte(engine: Engine, tmp_path: Path) -> None:
    marks = {name: os.urandom(24) for name in ("pack", "session", "blob", "quarantine", "facts", "person")}

    def write(t: Transaction) -> int:
        t.add_record(RecordRow(RECORD, 1, b"head", marks["facts"] * 300))
        t.put_pack(RECORD, t.next_pack(), marks["pack"] * 2_000)
        t.put_session(b"hash", marks["session"] * 10)
        t.put_chunk(RECORD, b"blob", 0, marks["blob"] * 5_000)
        t.put_person(marks["person"], RECORD)
        return t.add_quarantined(marks["quarantine"] * 100)

    def drop(t: Transaction) -> None:
        t.drop_packs(RECORD, [1])
        t.drop_session(b"hash")
        t.drop_blob(b"blob")
        t.drop_persons(RECORD)
        t.drop_quarantined(number)
        t.put_record(RecordRow(RECORD, 2, b"head", b"facts"))

    store: Store = engine.create(tmp_path)
    number = store.submit(write).result()
    assert all(mark in everything(tmp_path) for mark in marks.values())
    store.submit(drop).result()
    assert store.truncate_wal().result()
    left = everything(tmp_path)
    assert [name for name, mark in marks.items() if mark in left] == []
    store.close()


def test_a_reader_in_the_way_of_emptying_the_wal_is_told(engine: Engine, tmp_path: Path) -> None:
    store = engine.create(tmp_path)
    with store.snapshot() as view:
        view.ledger_size()
        store.submit(lambda t: t.put_session(b"hash", b"sealed")).result()
        emptied = store.truncate_wal()
        assert not emptied.result()
    assert store.truncate_wal().result()
    store.close()


@pytest.mark.capability("0-09", "refuses")
def test_nothing_is_written_outside_the_folder_of_the_store(engine: Engine, tmp_path: Path) -> None:
    store = engine.create(tmp_path)

    def large(t: Transaction) -> None:
        for _ in range(40):
            t.put_body(RECORD, t.next_body(), os.urandom(200_000))
        opened = [Path("/proc/self/fd", each) for each in os.listdir("/proc/self/fd")]
        targets = {os.readlink(each) for each in opened if each.is_symlink()}
        seen.extend(target for target in targets if "etilqs" in target)

    seen: list[str] = []
    store.submit(large).result()
    store.close()
    assert seen == []
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}
