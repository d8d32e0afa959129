"""Who writes next among the processes of one SQLite file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import apsw
import pytest

from serment.store.connection import connect
from serment.store.sqlite import SqliteStore
from serment.store.sqlite_hand import SqliteHand
from serment.store.turnstile import Turnstile, turnstile_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "records.db"
    SqliteStore.create(path).close()
    return path


@contextmanager
def hand(path: Path) -> Iterator[SqliteHand]:
    """Give the hand of one more writer, as a process of its own has it."""
    one = SqliteHand(connect(path), Turnstile(path), lambda: False, lambda: None)
    try:
        yield one
    finally:
        one.close()


def stands(path: Path) -> bool:
    """Say whether somebody stands in the turnstile."""
    looking = Turnstile(path)
    try:
        return looking.enter_now() is None
    finally:
        looking.close()


def test_who_has_just_written_waits_behind_who_waits_already(path: Path) -> None:
    order = []
    with hand(path) as first, hand(path) as second:
        first.begin()

        def write() -> None:
            second.begin()
            order.append("second")
            second.commit()

        waiting = Thread(target=write)
        waiting.start()
        while not stands(path):
            pass
        first.commit()
        first.begin()
        order.append("first again")
        first.commit()
        waiting.join()
    assert order == ["second", "first again"]


def test_a_process_that_stays_in_the_turnstile_stops_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serment.store.turnstile.PATIENCE_SECONDS", 0.01)
    stopped = Turnstile(path)
    with stopped.passing(), hand(path) as other:
        other.begin()
        other.commit()
    stopped.close()


def test_a_folder_that_takes_no_file_stops_nobody(path: Path) -> None:
    turnstile_of(path).unlink()
    turnstile_of(path).mkdir()
    with hand(path) as other:
        other.begin()
        other.commit()


def test_a_writer_that_waits_too_long_is_told_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serment.store.sqlite_hand.BUSY_MS", 5)
    with hand(path) as first, hand(path) as second:
        first.begin()
        with pytest.raises(apsw.BusyError):
            second.begin()
        first.commit()


def test_the_file_of_the_turnstile_is_empty_and_its_owners_alone(path: Path) -> None:
    with hand(path) as one:
        one.begin()
        one.commit()
    found = os.stat(turnstile_of(path))
    assert (found.st_size, stat.S_IMODE(found.st_mode)) == (0, 0o600)
