"""What whoever watches the process is told: alive, ready, how many alarms stand, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serment.record.alarms import CUSTODY_AWAY, CUSTODY_LOCKED, INTEGRITY, LOW_ON_SPACE, SPOOL, standing
from serment.record.house import House
from serment.words import Language, say
from tests.attacks.sql import Thief
from tests.doors.served import Served, served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        yield one


def ready(server: Served) -> tuple[int, str]:
    """Ask as somebody who has not asked for a second."""
    server.house.lookout._at = server.house.passage.clock() - 10_000  # type: ignore[assignment]  # an instant
    answer = server.browser().get("/readyz")
    return answer.status_code, answer.text


def officer(server: Served) -> str:
    page = server.browser()
    page.get(server.code(server.installation.staff("officer"), "/officer"))
    return page.get("/officer").text


def test_a_quiet_house_is_ready_without_alarms(server: Served) -> None:
    assert ready(server) == (200, "ready\nalarms: 0\n")


@pytest.mark.capability("0-21", "refuses")
def test_an_alarm_is_counted_for_the_watcher_and_said_to_the_officer(server: Served) -> None:
    """A row that was altered is not served; who watches learns that something stands, not what."""
    item = server.installation.item("maskable")
    thief = Thief(server.installation)
    with thief.changed("body", "UPDATE body SET sealed = zeroblob(length(sealed))"):
        assert server.staff("attending").get(item).status_code == 500
    assert standing(server.house.passage) == [INTEGRITY]
    assert ready(server) == (200, "ready\nalarms: 1\n")
    assert say(INTEGRITY, Language.FR).partition("'")[0] in officer(server)


def test_custody_away_is_an_alarm_and_the_server_stays_ready_for_what_it_holds(server: Served) -> None:
    server.installation.custody.kill()
    assert standing(server.house.passage) == [CUSTODY_AWAY]
    assert ready(server) == (200, "ready\nalarms: 1\n")
    server.installation.restart_custody(unlock=False)
    assert standing(server.house.passage) == [CUSTODY_LOCKED]


class Full:
    """A store of which only the reserve is left, and a spool that holds a trace."""

    alarms = frozenset({"store.full"})
    low_on_space = waiting = True
    owed = 0


def test_a_full_disk_and_a_spool_in_use_stand_as_long_as_they_last(server: Served) -> None:
    full = replace(server.house.passage, store=Full(), spooling=Full())  # type: ignore[arg-type]  # what is read of them
    assert standing(full) == sorted([LOW_ON_SPACE, SPOOL, "store.full"])
    assert standing(server.house.passage) == []


def test_a_crowd_of_watchers_asks_custody_once_in_a_second(server: Served) -> None:
    ready(server)
    server.installation.custody.kill()
    house: House = server.house
    at = house.passage.clock()
    house.lookout._at = at
    assert house.lookout.count() == 0
    assert house.lookout._at == at


def test_a_watcher_does_not_wait_behind_another(server: Served) -> None:
    """Custody that hangs would else keep every thread of the server."""
    lookout = server.house.lookout
    with lookout._looking:
        assert lookout.count() == 1
