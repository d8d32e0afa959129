"""The power goes, or the disk refuses, at any operation: what was acknowledged stands, nothing by half."""

from __future__ import annotations

import random
import shutil
from functools import partial
from pathlib import Path

import apsw
import pytest

from serment.errors import SermentError
from serment.store.sqlite import SqliteStore
from tests.stores.acts import acknowledged_and_whole, act
from tests.stores.disks import Acknowledged, RecordingDisk, RefusingDisk, after_power_cut, under

DICE = 2026


@pytest.fixture
def template(tmp_path: Path) -> Path:
    folder = tmp_path / "template"
    folder.mkdir()
    store = SqliteStore.create(folder / "serment.db")
    store.submit(partial(act, b"the first act")).result()
    store.close()
    return folder


def a_day(template: Path, folder: Path, acts: int) -> RecordingDisk:
    """Record a store at work, with checkpoints every 30 pages, ended without a close."""
    shutil.copytree(template, folder)
    disk = RecordingDisk()
    with under(disk):
        store = SqliteStore(folder / "serment.db")
        store._writer.between(lambda connection: connection.wal_autocheckpoint(30)).result()
        for turn in range(0, acts, 3):
            names = [b"act %d" % each for each in range(turn, turn + 3)]
            futures = [store.submit(partial(act, name)) for name in names]
            for name, future in zip(names, futures, strict=True):
                future.result()
                disk.events.append(Acknowledged(name))
    recorded = len(disk.events)
    store.close()
    del disk.events[recorded:]
    return disk


def survives(template: Path, folder: Path, disk: RecordingDisk, moment: int, seed: int) -> None:
    folder.mkdir()
    events = disk.events[:moment]
    after_power_cut(template, folder, events, random.Random(seed))  # noqa: S311 - dice for a test
    acknowledged = [event.name for event in events if isinstance(event, Acknowledged)]
    store = SqliteStore(folder / "serment.db")
    acknowledged_and_whole(store, [b"the first act", *acknowledged])
    assert store.check().exception() is None
    store.submit(partial(act, b"after the cut")).result()
    store.close()
    shutil.rmtree(folder)


def test_a_power_cut_at_any_moment_loses_nothing_acknowledged(template: Path, tmp_path: Path) -> None:
    disk = a_day(template, tmp_path / "day", acts=45)
    dice = random.Random(DICE)  # noqa: S311 - dice for a test
    for seed in range(60):
        survives(template, tmp_path / "cut", disk, dice.randrange(len(disk.events) + 1), seed)


@pytest.mark.campaign
def test_a_power_cut_at_every_moment(template: Path, tmp_path: Path) -> None:
    disk = a_day(template, tmp_path / "day", acts=90)
    for moment in range(len(disk.events) + 1):
        for seed in range(3):
            survives(template, tmp_path / "cut", disk, moment, seed)


def refuse(template: Path, folder: Path, disk: RefusingDisk) -> None:
    """Work on a refusing disk, then look with a good one."""
    shutil.copytree(template, folder)
    acknowledged = [b"the first act"]
    with under(disk):
        store = SqliteStore(folder / "serment.db")
        store._writer.between(lambda connection: connection.wal_autocheckpoint(10)).result()
        disk.armed = True
        for turn in range(3):
            name = b"act %d" % turn
            future = store.submit(partial(act, name))
            error = future.exception()
            assert error is None or isinstance(error, SermentError)
            if error is None:
                acknowledged.append(name)
        disk.armed = False
        store.submit(partial(act, b"when the disk is well again")).result()
        acknowledged.append(b"when the disk is well again")
        store.close()
    again = SqliteStore(folder / "serment.db")
    acknowledged_and_whole(again, acknowledged)
    assert again.check().exception() is None
    again.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", [apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_FULL])
def test_a_disk_that_refuses_its_nth_operation_loses_nothing_acknowledged(
    template: Path, tmp_path: Path, code: int, for_good: bool
) -> None:
    turn, refused = 0, 1
    while refused:
        turn += 1
        disk = RefusingDisk(turn, code, for_good=for_good)
        refuse(template, tmp_path / "refused", disk)
        refused = disk.refused
    assert turn > 15
