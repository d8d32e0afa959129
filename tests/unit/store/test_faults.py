"""Faults of the machine under the writer: a limit on files, a file held by another, a job that exits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event
from time import monotonic

import apsw
import pytest

from serment.errors import DependencyError, StorageFullError
from serment.store.ballast import Ballast
from serment.store.contract import Transaction
from serment.store.sqlite import SqliteStore
from serment.store.writer import GROUP_SECONDS
from tests.stores.engines import append, token

ROOT = Path(__file__).parents[3]

LIMITED = """
import resource, sys
from pathlib import Path
from serment.errors import StorageFullError
from serment.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
for turn in range(100):
    try:
        store.submit(lambda t: t.put_body(bytes(16), t.next_body(), bytes(100_000))).result()
    except StorageFullError:
        print(turn, flush=True)
        break
with store.snapshot() as snapshot:
    assert len(snapshot.bodies(bytes(16), range(1, 101))) == turn
store.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SqliteStore.create(tmp_path / "serment.db").close()
    return tmp_path / "serment.db"


def test_a_limit_on_the_size_of_files_is_a_full_disk(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    stored = int(done.stdout)
    assert stored > 5
    store = SqliteStore(path)
    with store.snapshot() as snapshot:
        assert len(snapshot.bodies(token(), [1])) == 0
    assert store.check().exception() is None
    store.submit(append).result()
    store.close()


def test_a_store_held_too_long_by_another_program_fails_the_job_and_then_goes_on(path: Path) -> None:
    store = SqliteStore(path)
    store._writer.between(lambda connection: connection.set_busy_timeout(1)).result()
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    failed = [store.submit(append).exception() for _ in range(2)]
    assert [type(error) for error in failed] == [DependencyError, DependencyError]
    assert failed[0] is not failed[1]
    with store.snapshot() as snapshot:
        assert snapshot.ledger_size() == 0
    other.execute("ROLLBACK")
    assert store.submit(append).result() == 1
    other.close()
    store.close()


def test_a_job_that_asks_to_exit_does_not_stop_the_writer(path: Path) -> None:
    store = SqliteStore(path)
    assert isinstance(store.submit(lambda _t: sys.exit(1)).exception(), SystemExit)
    assert store.submit(append).result() == 1
    store.close()


def test_a_commit_that_fails_fails_the_whole_group(path: Path) -> None:
    store = SqliteStore(path)
    # A commit hook that says no turns COMMIT into ROLLBACK, as an error of the disk does.
    store._writer.between(lambda connection: connection.set_commit_hook(lambda: True)).result()
    futures = [store.submit(append) for _ in range(5)]
    assert all(future.exception() is not None for future in futures)
    store._writer.between(lambda connection: connection.set_commit_hook(None)).result()
    assert store.submit(append).result() == 1
    store.close()


def test_a_full_disk_without_a_reserve_is_said_and_the_next_write_is_tried(path: Path) -> None:
    store = SqliteStore(path)
    store._writer.between(lambda c: c.pragma("max_page_count", c.pragma("page_count"))).result()
    large = store.submit(lambda t: t.put_body(token(), t.next_body(), bytes(500_000)))
    assert isinstance(large.exception(), StorageFullError)
    assert store.alarms == {"store.full", "store.reserve-spent"}
    assert not store.low_on_space
    store.close()


def test_the_writer_outlives_a_reserve_that_cannot_be_used(path: Path) -> None:
    ballast = Ballast(path.parent / "ballast", 4_096, steps=1)
    store = SqliteStore(path, ballast=ballast)
    store._writer.between(lambda c: c.pragma("max_page_count", c.pragma("page_count"))).result()
    ballast.close()
    large = store.submit(lambda t: t.put_body(token(), t.next_body(), bytes(500_000)))
    assert isinstance(large.exception(), DependencyError)
    store._writer.between(lambda c: c.pragma("max_page_count", 2**32 - 2)).result()
    with pytest.raises(OSError, match="Bad file descriptor"):
        assert store.low_on_space
    store.close()


def test_a_long_job_does_not_make_the_next_ones_wait_for_a_whole_queue(path: Path) -> None:
    store = SqliteStore(path)
    held, seen = Event(), []

    def long(t: Transaction) -> None:
        held.wait(10)
        end = monotonic() + 2 * GROUP_SECONDS
        while monotonic() < end:
            t.ledger_size()

    first = store.submit(long)
    rest = [store.submit(append) for _ in range(5)]
    first.add_done_callback(lambda _done: seen.append(sum(future.done() for future in rest)))
    held.set()
    assert [future.result() for future in rest] == [1, 2, 3, 4, 5]
    assert seen == [0]
    store.close()
