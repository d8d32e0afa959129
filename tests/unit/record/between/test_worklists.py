"""Lists of records for one person: ids of their own, names by the decision of the moment, nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from serment.ledger.entry import Interaction
from serment.ledger.sentences import line
from serment.model import Instant
from serment.record import incoming
from serment.record.between.worklists import EACH, MOST, Worklists
from serment.words import Language
from tests.installation import Installation, installation

HOUR = 3_600_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("worklists")) as one:
        yield one


def lists(made: Installation, later: int = 0) -> Worklists:
    now = made.house.passage.clock()
    return Worklists(replace(made.house.passage, clock=lambda: Instant(now + later)))


def appointment(made: Installation, at: int, role: str, number: str = "") -> dict[str, Any]:
    doctor = {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": number.removeprefix("rpps:")}}
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "description": "motif protégé",
        "start": stamp(at),
        "end": stamp(at + HOUR // 4),
        "participant": [
            {"actor": {"reference": f"Patient/{made.record(role)}"}, "status": "accepted"},
            {"actor": doctor, "status": "accepted"},
        ],
    }


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).isoformat()


def test_what_somebody_looked_at_is_kept_for_them_and_put_away_once_a_minute(made: Installation) -> None:
    mine, asking = lists(made), made.as_staff("team-doctor")
    mine.note(asking, made.record())
    assert [one.patient for one in mine.looked(asking)] == [made.record()]
    assert mine.last(asking, made.record()) == asking.now
    assert mine.turn() == 1
    assert mine.turn() == 0
    assert lists(made).last(asking, made.record()) == asking.now
    assert lists(made).looked(made.as_staff("unrelated-doctor")) == []


def test_a_later_look_takes_the_place_of_the_one_before_and_the_oldest_go(made: Installation) -> None:
    mine, asking = lists(made), made.as_staff("nurse")
    for place in range(MOST + 5):
        mine.note(replace(asking, now=Instant(asking.now + place)), f"p{place}")
    mine.note(replace(asking, now=Instant(asking.now + HOUR)), "p7")
    mine.turn(ending=True)
    found = lists(made).looked(asking)
    assert len(found) == MOST
    assert (found[0].patient, found[0].at) == ("p7", asking.now + HOUR)
    assert "p0" not in {one.patient for one in found}


def test_a_patient_has_no_such_list(made: Installation) -> None:
    mine, asking = lists(made), made.as_patient()
    mine.note(asking, made.record())
    assert mine.looked(asking) == []
    assert mine.last(asking, made.record()) == 0


def test_who_may_be_seen_is_named_and_nobody_else(made: Installation) -> None:
    asking = made.as_staff("second-associate")
    wanted = [made.record("celebrity"), made.record("masking"), "0" * 36]
    assert asyncio.run(lists(made).named(asking, wanted)) == {}
    attending = made.as_staff("attending")
    named = asyncio.run(lists(made).named(attending, wanted))
    assert set(named) == {made.record("celebrity"), made.record("masking")}


def test_a_name_is_traced_before_it_is_shown_and_told_to_the_person(made: Installation) -> None:
    asking = made.as_staff("attending")
    asyncio.run(lists(made).named(asking, [made.record("waiting")]))
    later = replace(made.house.passage, clock=lambda: Instant(asking.now + 10 * EACH))
    while type(made.house.telling)(later).turn():
        pass
    seen = asyncio.run(made.house.proving.trail(made.as_patient("waiting"), made.record("waiting")))
    mine = [one.event for one in seen if one.event.request == asking.request]
    assert [one.interaction for one in mine] == [Interaction.FIND]
    assert "a vu votre nom dans sa liste du jour" in line(mine[0], Language.FR).said


def test_one_s_own_appointments_of_the_day_are_listed_without_their_reason(made: Installation) -> None:
    attending = made.staff("attending")
    start = made.house.passage.clock() + HOUR
    sent = incoming.read(msgspec.json.encode(appointment(made, start, "husband", attending.id)))
    written = asyncio.run(made.house.writing.create(made.as_staff("attending"), sent))
    asking = made.as_staff("attending")
    found = asyncio.run(lists(made).expected(asking, start - HOUR, start + HOUR))
    mine = [one for one in found if one.source == f"Appointment/{written.id}"]
    assert [(one.patient, one.start // 1000) for one in mine] == [(made.record("husband"), start // 1000)]
    assert "motif" not in repr(found)
    other = asyncio.run(lists(made).expected(made.as_staff("team-doctor"), start - HOUR, start + HOUR))
    assert [one for one in other if one.patient == made.record("husband")] == []
