"""The page that says what a disk tells is complete: each clear column of the real files is explained."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import apsw
import pytest

from serment import app
from serment.demo.thieves.disk import loot
from tests.attacks.sql import Thief
from tests.installation import Installation
from tests.stores.server import server

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "leakage.md"
KEY_FILE = "keys.sqlite"
LENGTHS = """
SELECT length(head) FROM record UNION ALL SELECT length(facts) FROM record
UNION ALL SELECT length(sealed) FROM pack UNION ALL SELECT length(sealed) FROM body
UNION ALL SELECT length(sealed) FROM chunk
"""
LEAST = 256
ON_SQLITE, ON_POSTGRESQL = "counter", "ledger_head"
"""The tables that one engine has and the other has not; the page says so of both."""


@pytest.fixture(scope="module")
def house(practice: Installation) -> Installation:
    return practice


def columns(file: Path) -> set[str]:
    """List `table.column` of every table of a file."""
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    tables = [
        str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    found = {
        f"{table}.{name}"
        for table in tables
        if not table.startswith("sqlite_")
        for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }
    connection.close()
    return found


def explained(title: str) -> set[str]:
    """List what the table under a title of the page explains."""
    section = PAGE.read_text("utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| (\w+\.\w+) \|", section, re.MULTILINE)) - {"table.column"}


def test_every_column_of_the_database_is_explained(house: Installation) -> None:
    thief = Thief(house)
    found = {f"{table}.{name}" for table in thief.tables() for name in thief.columns(table)}
    thief.close()
    assert {one for one in explained("The database") if ON_SQLITE not in one} == {
        one for one in found if one.partition(".")[0] not in {ON_SQLITE, ON_POSTGRESQL}
    }
    assert any(one.startswith(ON_POSTGRESQL if house.settings.store else ON_SQLITE) for one in found)


def test_every_column_of_the_key_file_is_explained(house: Installation, tmp_path: Path) -> None:
    """Custody keeps its file locked: a thief takes a copy."""
    for part in (house.settings.directory / app.CUSTODY).glob(f"{KEY_FILE}*"):
        shutil.copy(part, tmp_path / part.name)
    assert explained("The key file") == columns(tmp_path / KEY_FILE)


def test_an_unexplained_column_is_found(tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE record (record BLOB, surname TEXT)")
    connection.close()
    assert columns(file) - explained("The database") == {"record.surname"}


@pytest.mark.capability("0-09", "refuses")
def test_nobody_is_recognised_from_the_bytes(house: Installation) -> None:
    disks = [house.settings.directory, *([server().folder] if house.settings.store else [])]
    for disk in disks:
        found = loot(disk, house.store.people.patients)
        assert found.planted_found
        assert found.search.names > 100
        assert found.search.found == 0


def test_sizes_are_those_of_the_padding(house: Installation) -> None:
    """A small body is as long as any other: few lengths for many rows."""
    thief = Thief(house)
    lengths = [int(length) for (length,) in thief.rows(LENGTHS)]
    thief.close()
    assert min(lengths) > LEAST
    assert len(set(lengths)) < len(lengths) / 10
