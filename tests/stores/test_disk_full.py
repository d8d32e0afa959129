"""A full disk stops content, says so, and leaves the traces their reserve."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.errors import StorageFullError
from serment.store.contract import Store, Transaction
from tests.stores.engines import ENGINES, Engine, an_entry, append, token

RECORD = token()
BALLAST = 16_000_000


@pytest.fixture
def engine() -> Engine:
    """SQLite: a file that the house keeps itself. What a server does with its disk is its operator's."""
    return ENGINES["sqlite"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A volume of 32 MB of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None:
        pytest.skip("no mount command here")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run([unmount, "-l", folder], check=True)


def content(t: Transaction) -> None:
    t.put_body(RECORD, t.next_body(), bytes(50_000))


def fill(store: Store) -> int:
    """Store content until it is refused, or until only the reserve is left as a careful caller does."""
    for stored in range(1_000):
        if store.low_on_space:
            return stored
        try:
            store.submit(content).result()
        except StorageFullError:
            return stored
    raise AssertionError("the disk never filled")


def test_traced_reads_go_on_from_the_reserve(engine: Engine, small_disk: Path) -> None:
    store = engine.create(small_disk, BALLAST)
    stored = fill(store)
    assert stored > 10
    assert store.low_on_space
    assert "store.full" in store.alarms
    for turn in range(500):
        assert store.submit(append).result() == turn + 1
        with store.snapshot() as snapshot:
            assert len(snapshot.bodies(RECORD, [1, stored])) == 2
    store.close()


def test_what_was_acknowledged_before_the_disk_was_full_stands_after_a_restart(
    engine: Engine, small_disk: Path
) -> None:
    store = engine.create(small_disk, BALLAST)
    stored = fill(store)
    store.submit(append).result()
    store.close()
    store = engine.open(small_disk, BALLAST)
    with store.snapshot() as snapshot:
        assert len(snapshot.bodies(RECORD, range(1, stored + 1))) == stored
        assert snapshot.ledger_size() == 1
    store.close()


def test_reserve_spent_is_an_alarm_and_room_makes_all_well(engine: Engine, small_disk: Path) -> None:
    def trace(t: Transaction) -> None:
        sequence = t.ledger_size() + 1
        t.add_entries([an_entry(sequence, body=bytes(100_000))])

    def trace_until_refused() -> None:
        for _ in range(1_000):
            store.submit(trace).result()

    filler = small_disk / "filler"
    filler.write_bytes(bytes(2_000_000))
    store = engine.create(small_disk, BALLAST)
    fill(store)
    with pytest.raises(StorageFullError):
        trace_until_refused()
    assert "store.reserve-spent" in store.alarms
    with store.snapshot() as snapshot:
        size = snapshot.ledger_size()
    subprocess.run(["mount", "-o", "remount,size=96m", small_disk], check=True)  # noqa: S607 - root's own path
    for turn in range(200):
        assert store.submit(append).result() == size + turn + 1
    assert not store.low_on_space
    store.submit(content).result()
    store.close()


def test_a_store_opens_on_a_full_disk(engine: Engine, small_disk: Path) -> None:
    store = engine.create(small_disk, BALLAST)
    store.submit(append).result()
    store.close()
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4_096)):
                pass
        except OSError:
            pass
    store = engine.open(small_disk, BALLAST)
    assert store.submit(append).result() == 2
    store.close()
