"""Steps run once, forward only, whole or not at all; a database from elsewhere is refused in clear words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import apsw
import pytest

from serment.errors import IntegrityError, SermentError, SettingsError
from serment.store.connection import APPLICATION_ID, connect
from serment.store.migration import Step, migrate, steps

ONE = Step(1, "0001_one", "CREATE TABLE one (a INTEGER) STRICT;")
TWO = Step(2, "0002_two", "CREATE TABLE two (a INTEGER) STRICT; INSERT INTO two VALUES (2);")
BROKEN = Step(3, "0003_broken", "CREATE TABLE three (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    (tmp_path / "serment.db").touch()
    return connect(tmp_path / "serment.db")


def tables(connection: apsw.Connection) -> set[object]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {row[0] for row in rows} - {"migration"}


def test_the_steps_of_this_version_are_numbered_without_a_hole() -> None:
    numbers = [step.number for step in steps()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(step.name.startswith(f"{step.number:04}_") for step in steps())


def test_steps_run_once_and_in_order(connection: apsw.Connection) -> None:
    migrate(connection, [ONE])
    migrate(connection, [ONE, TWO])
    migrate(connection, [ONE, TWO])
    assert tables(connection) == {"one", "two"}
    assert connection.execute("SELECT count(*) FROM two").fetchall() == [(1,)]
    assert connection.pragma("user_version") == 2
    assert connection.pragma("application_id") == APPLICATION_ID


def test_a_step_that_fails_leaves_the_step_before(connection: apsw.Connection) -> None:
    with pytest.raises(SermentError):
        migrate(connection, [ONE, TWO, BROKEN])
    assert tables(connection) == {"one", "two"}
    assert connection.pragma("user_version") == 2
    assert not connection.in_transaction


def test_a_database_of_a_newer_version_is_refused(connection: apsw.Connection) -> None:
    migrate(connection, [ONE, TWO])
    with pytest.raises(SettingsError) as refusal:
        migrate(connection, [ONE])
    assert refusal.value.sentence == "store.newer"


def test_a_step_changed_after_it_ran_is_refused(connection: apsw.Connection) -> None:
    migrate(connection, [ONE])
    with pytest.raises(IntegrityError) as refusal:
        migrate(connection, [Step(1, "0001_one", ONE.script + " -- mended"), TWO])
    assert refusal.value.sentence == "store.migration-changed"
    assert tables(connection) == {"one"}


def test_every_table_is_strict_and_names_no_time_or_text(connection: apsw.Connection) -> None:
    migrate(connection)
    every = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    strict = {name: bool(is_strict) for name, is_strict in every if not str(name).startswith("sqlite_")}
    assert all(strict.values())
    columns = connection.execute(
        "SELECT m.name, c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    ).fetchall()
    texts = {(table, column) for table, column, kind in columns if kind not in {"BLOB", "INTEGER"}}
    assert texts == {("meta", "name"), ("counter", "name"), ("migration", "name")}


@pytest.mark.capability("0-09", "refuses")
def test_the_clear_columns_are_the_allow_list(connection: apsw.Connection) -> None:
    migrate(connection)
    sealed = {"head", "facts", "sealed", "body", "value"}
    clear = {
        "name", "last", "record", "epoch", "number", "token", "pack", "blob", "position", "source",
        "sequence", "kind", "hour", "commitment", "key_id", "only", "size", "root", "note", "sha256",
    }  # fmt: skip
    rows = connection.execute(
        "SELECT DISTINCT c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    ).fetchall()
    assert {row[0] for row in rows} == sealed | clear


def test_the_engine_is_the_one_we_ship_and_not_the_system_one() -> None:
    shipped = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    assert shipped >= (3, 50, 0)
    assert apsw.sqlite_lib_version() != sqlite3.sqlite_version or shipped >= sqlite3.sqlite_version_info
