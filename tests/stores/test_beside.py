"""A file that is looked at beside an open store: SQLite's locks stay with whoever serves.

`fcntl` locks of a process end when it closes any handle on the file, SQLite's or not. The next process to
leave the database would then remove the WAL that the server goes on writing in, and what is written after
that would be in a file without a name.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serment.record.probes.disk import search
from serment.store.connection import check_header
from serment.store.sqlite import SqliteStore
from serment.store.sqlite_tables import sqlite_source
from tests.stores.engines import token

COMES_AND_GOES = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("SELECT count(*) FROM body").fetchall()
database.close()
"""


def put(store: SqliteStore) -> None:
    store.submit(lambda transaction: transaction.put_body(token(), transaction.next_body(), b"one")).result()


def a_survey(path: Path) -> None:
    """Do what an unlock page and `serment doctor` do: open a second store, look, close it."""
    SqliteStore(path).close()


def a_move(path: Path) -> None:
    with sqlite_source(path):
        pass


def a_search_of_the_disk(path: Path) -> None:
    assert search(path.parent, ["Mirabelle Quetsche"]).files >= 2


def a_look_at_the_header(path: Path) -> None:
    check_header(path)


@pytest.mark.parametrize("look", [a_look_at_the_header, a_survey, a_move, a_search_of_the_disk])
def test_nothing_acknowledged_is_lost_to_another_process_after_a_look_at_the_file(
    look: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "record.sqlite"
    store = SqliteStore.create(path)
    put(store)
    look(path)
    subprocess.run([sys.executable, "-c", COMES_AND_GOES, str(path)], check=True)
    put(store)
    with sqlite3.connect(path) as beside:
        assert beside.execute("SELECT count(*) FROM body").fetchall() == [(2,)]
    beside.close()
    store.close()
