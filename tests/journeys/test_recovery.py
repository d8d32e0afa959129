"""A server that starts locked, loses custody, fills its disk and comes back: what its doors answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import apsw
import httpx
import pytest

from serment import app, serving
from serment.errors import IntegrityError, LockedError
from serment.keys.custody.client import CustodyClient
from serment.record.house import House
from serment.record.recovery import recover
from serment.server import application
from tests.attacks.sql import Thief, items, read_all
from tests.installation import PASSPHRASE, Installation, run, small_installation
from tests.stores.disks import RefusingDisk, under


@pytest.fixture
def disk() -> Iterator[RefusingDisk]:
    refusing = RefusingDisk(1, apsw.SQLITE_FULL, for_good=True)
    with under(refusing):
        yield refusing
        refusing.armed = False


@pytest.fixture
def made(disk: RefusingDisk, tmp_path: Path) -> Iterator[Installation]:
    with small_installation(tmp_path / "data") as one:
        yield one


@pytest.fixture
def locked(made: Installation) -> Iterator[serving.Doorkeeper]:
    """A server whose custody is locked, as production starts."""
    made.house.close()
    made.custody.stop()
    made.restart_custody(unlock=False)
    door = serving.Doorkeeper(made.settings)
    door.turn()
    yield door
    door.stop()


def asked(door: serving.Doorkeeper, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        served = httpx.ASGITransport(app=application(door.house, lambda: None))
        async with httpx.AsyncClient(transport=served, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(ask())


def waits(house: House) -> bool:
    return house.passage.spooling.waiting


def unlock(made: Installation) -> None:
    client = CustodyClient(app.custody_directory(made.settings))
    app.unlock(made.settings, client, PASSPHRASE)
    client.close()


@pytest.mark.capability("0-09", "refuses")
def test_a_locked_server_answers_health_and_says_how_to_unlock_and_nothing_else(
    locked: serving.Doorkeeper,
) -> None:
    assert asked(locked, "/livez").status_code == 200
    assert (asked(locked, "/readyz").status_code, asked(locked, "/readyz").text) == (503, "custody.locked\n")
    page = asked(locked, "/")
    assert page.status_code == 503
    assert "serment unlock" in page.text
    for path in ("/me", "/officer", "/record/some", "/fhir/Patient/some", "/fhir/Patient?identifier=a|b"):
        assert asked(locked, path).status_code == 503


def test_an_unlocked_custody_opens_the_house_and_a_locked_one_shuts_it(
    made: Installation, locked: serving.Doorkeeper
) -> None:
    unlock(made)
    locked.turn()
    assert asked(locked, "/readyz").status_code == 200
    client = CustodyClient(app.custody_directory(made.settings))
    client.lock()
    client.close()
    locked.hurry()
    locked.turn()
    with pytest.raises(LockedError):
        locked.house()


def test_custody_that_dies_and_comes_back_locked_closes_no_record_that_is_open(
    made: Installation, locked: serving.Doorkeeper
) -> None:
    unlock(made)
    locked.turn()
    made.house = made.store.house = locked.house()
    before = read_all(made)
    made.custody.kill()
    locked.turn()
    assert read_all(made) == before
    made.restart_custody(unlock=False)
    locked.turn()
    assert read_all(made) == before
    unlock(made)
    locked.turn()
    assert read_all(made) == before


def test_a_database_that_was_put_back_stays_locked_behind_its_door(
    made: Installation, locked: serving.Doorkeeper
) -> None:
    thief = Thief(made)
    thief.rows("DELETE FROM entry WHERE sequence > 3")
    thief.close()
    unlock(made)
    locked.turn()
    with pytest.raises(IntegrityError):
        locked.house()
    assert asked(locked, "/readyz").status_code == 503
    assert asked(locked, "/me").status_code == 500
    assert "remise dans un état ancien" in asked(locked, "/me").text


def test_the_server_gives_waiting_traces_their_places_by_itself(
    made: Installation, locked: serving.Doorkeeper, disk: RefusingDisk
) -> None:
    unlock(made)
    locked.turn()
    house = made.house = made.store.house = locked.house()
    read_all(made)
    disk.armed = True
    type_, _, id_ = items(made)[0].partition("/")
    asking = made.as_patient()
    run(house.reading.read(asking, type_, id_))
    locked.turn()
    assert waits(house)
    disk.armed = False
    locked.turn()
    told = [body.event.request for body in run(house.proving.trail(made.as_patient(), made.record()))]
    assert asking.request in told


def test_two_houses_on_one_spool_merge_each_trace_once(made: Installation, disk: RefusingDisk) -> None:
    """Another process spools as well; whoever recovers first takes all, the other one sees it."""
    read_all(made)
    other = app.open_house(made.settings)
    type_, _, id_ = items(made)[0].partition("/")
    run(other.reading.read(made.as_patient(), type_, id_))
    disk.armed = True
    asking = [made.as_patient() for _ in range(4)]
    for place, one in enumerate(asking):
        run((other if place % 2 else made.house).reading.read(one, type_, id_))
    disk.armed = False
    assert recover(other.passage).merged == 4
    assert recover(made.house.passage).merged == 0
    assert not waits(made.house)
    told = [body.event.request for body in run(made.house.proving.trail(made.as_patient(), made.record()))]
    assert [request for request in told if request in {one.request for one in asking}] == [
        one.request for one in reversed(asking)
    ]
    other.close()
    made.house.proving.checkpoint()
    assert made.house.proving.verify().ok


def test_a_trace_left_by_a_process_that_ended_is_merged_with_keys_asked_of_custody(
    made: Installation, disk: RefusingDisk
) -> None:
    read_all(made)
    disk.armed = True
    late = made.as_patient()
    type_, _, id_ = items(made)[0].partition("/")
    run(made.house.reading.read(late, type_, id_))
    disk.armed = False
    made.house.close()
    made.reopen()
    assert made.house.proving.examine().late == 1
    assert recover(made.house.passage).merged == 0
