"""The page that says what a disk tells is complete: each clear column of the real files is explained."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from serment import app
from serment.demo.thieves.disk import loot
from tests.installation import Installation, installation

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "leakage.md"
KEY_FILE = "keys.sqlite"
LENGTHS = """
SELECT length(head) FROM record UNION ALL SELECT length(facts) FROM record
UNION ALL SELECT length(sealed) FROM pack UNION ALL SELECT length(sealed) FROM body
UNION ALL SELECT length(sealed) FROM chunk
"""
LEAST = 256


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("stolen")) as made:
        yield made


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
    assert explained("The database") == columns(house.settings.directory / app.STORE_FILE)


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
    found = loot(house.settings.directory, house.store.people.patients)
    assert found.planted_found
    assert found.search.names > 100
    assert found.search.found == 0


def test_sizes_are_those_of_the_padding(house: Installation) -> None:
    """A small body is as long as any other: few lengths for many rows."""
    file = house.settings.directory / app.STORE_FILE
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    lengths = [int(length) for (length,) in connection.execute(LENGTHS)]
    connection.close()
    assert min(lengths) > LEAST
    assert len(set(lengths)) < len(lengths) / 10
