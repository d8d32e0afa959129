"""What a store refuses to start on, each with its own sentence; and how its connections are set."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from serment.errors import IntegrityError, SermentError, SettingsError
from serment.store.connection import connect
from serment.store.sqlite import SqliteStore
from tests.stores.engines import token


def a_store(path: Path, bodies: int = 60) -> bytes:
    store = SqliteStore.create(path)
    for _ in range(bodies):
        store.submit(lambda t: t.put_body(token(), t.next_body(), os.urandom(20_000))).result()
    store.close()
    return store.store_id


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_one_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def scribble_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(100))


def scribble_first_tables(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(30_000))


def become_text(path: Path) -> None:
    path.write_text("Cher confrère, " * 1_000)


def become_foreign(path: Path) -> None:
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE patient (name TEXT)")
    other.commit()
    other.close()


def lose_a_table(path: Path) -> None:
    edit(path, "DROP TABLE migration")


def lose_the_id(path: Path) -> None:
    edit(path, "DELETE FROM meta WHERE name = 'store-id'")


def change_a_step(path: Path) -> None:
    edit(path, "UPDATE migration SET sha256 = x'00'")


def come_from_the_future(path: Path) -> None:
    edit(path, "INSERT INTO migration VALUES (999, '0999_future', x'00')")


def edit(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()


DAMAGE: dict[Callable[[Path], None], tuple[type[SermentError], set[str]]] = {
    Path.unlink: (SettingsError, {"store.missing"}),
    cut_in_half: (IntegrityError, {"store.cut-short", "store.corrupt"}),
    cut_one_page: (IntegrityError, {"store.cut-short", "store.corrupt"}),
    empty: (IntegrityError, {"store.cut-short"}),
    scribble_header: (IntegrityError, {"store.not-a-database"}),
    scribble_first_tables: (IntegrityError, {"store.corrupt"}),
    become_text: (IntegrityError, {"store.not-a-database"}),
    become_foreign: (SettingsError, {"store.foreign"}),
    lose_a_table: (IntegrityError, {"store.schema-damaged"}),
    lose_the_id: (IntegrityError, {"store.no-id"}),
    change_a_step: (IntegrityError, {"store.migration-changed"}),
    come_from_the_future: (SettingsError, {"store.newer"}),
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_or_foreign_file_is_refused_with_what_to_do(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "serment.db"
    a_store(path)
    damage(path)
    before = path.read_bytes() if path.exists() else None
    error, sentences = DAMAGE[damage]
    with pytest.raises(error) as refusal:
        SqliteStore(path)
    assert refusal.value.sentence in sentences
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_new_store_does_not_replace_one_that_stands(tmp_path: Path) -> None:
    store_id = a_store(tmp_path / "serment.db", bodies=1)
    with pytest.raises(SettingsError):
        SqliteStore.create(tmp_path / "serment.db")
    again = SqliteStore(tmp_path / "serment.db", store_id=store_id)
    assert again.store_id == store_id
    again.close()


def test_a_store_of_another_installation_is_refused(tmp_path: Path) -> None:
    a_store(tmp_path / "serment.db", bodies=1)
    with pytest.raises(SettingsError) as refusal:
        SqliteStore(tmp_path / "serment.db", store_id=bytes(16))
    assert refusal.value.sentence == "store.other-installation"


def test_each_store_has_an_id_of_its_own_unless_given(tmp_path: Path) -> None:
    assert a_store(tmp_path / "one", 1) != a_store(tmp_path / "two", 1)
    given = SqliteStore.create(tmp_path / "three", store_id=b"sixteen bytes id")
    assert given.store_id == b"sixteen bytes id"
    given.close()


@pytest.mark.capability("4-13", "refuses")
def test_a_page_damaged_while_running_is_an_integrity_error_at_its_read(tmp_path: Path) -> None:
    path = tmp_path / "serment.db"
    a_store(path)
    store = SqliteStore(path)
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(os.urandom(path.stat().st_size - 8 * 4096))
    with store.snapshot() as snapshot, pytest.raises(IntegrityError):
        snapshot.bodies(token(), range(1, 61))
    assert isinstance(store.check().exception(), IntegrityError)
    store.close()


def test_a_whole_store_passes_its_check(tmp_path: Path) -> None:
    a_store(tmp_path / "serment.db")
    store = SqliteStore(tmp_path / "serment.db")
    assert store.check().exception() is None
    store.close()


def test_writes_are_flushed_and_deleted_bytes_wiped_on_every_connection(tmp_path: Path) -> None:
    a_store(tmp_path / "serment.db", 1)
    connection = connect(tmp_path / "serment.db")
    names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema", "temp_store")
    assert [connection.pragma(name) for name in names] == ["wal", 2, 1, 1, 0, 2]
    connection.close()


def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    a_store(tmp_path / "serment.db", 1)
    connection = connect(tmp_path / "serment.db", reader=True)
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM body")
    connection.close()


def test_a_crash_at_init_leaves_nothing_in_the_way_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "serment.db.new").write_bytes(b"half")
    SqliteStore.create(tmp_path / "serment.db").close()
    assert {file.name for file in tmp_path.iterdir()} == {"serment.db", "serment.db-turn"}


def test_a_folder_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        SqliteStore.create(tmp_path / "nowhere" / "serment.db")
