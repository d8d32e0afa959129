"""One act that would open a record for ever: a stay that nobody ends, a visit that ends in 2199."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serment.errors import NotFoundError
from serment.model import Instant, PatientId
from serment.record import incoming
from serment.record.write import Written
from tests.doors.samples import Json, by_rpps
from tests.installation import Installation, run

DAY = 24 * 3600 * 1000
NAMED = "locum"


@pytest.fixture(scope="module")
def made(practice: Installation) -> Installation:
    return practice


def date(day: int) -> str:
    """Give the date of some days from now."""
    return (datetime.now(UTC) + timedelta(days=day)).date().isoformat()


def act(made: Installation, class_: str = "IMP", **said: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": class_},
        "subject": {"reference": f"Patient/{made.record()}"},
        "participant": [{"individual": by_rpps(made.staff(NAMED).id)}],
        **said,
    }


def write(made: Installation, resource: Json, day: int = 0, over: Written | None = None) -> Written:
    """Write as the attending physician, who stands in no need of an act, some days from now."""
    asking = made.as_staff("attending")
    asking = replace(asking, now=Instant(asking.now + day * DAY))
    if over is None:
        return run(made.house.writing.create(asking, incoming.read(json.dumps(resource).encode())))
    read = incoming.read(json.dumps(resource | {"id": over.id}).encode())
    return run(made.house.writing.update(asking, read, over.id, over.version))


def opens(made: Installation, day: int) -> bool:
    """Say whether the one who is named opens the record on that day."""
    asking = made.as_staff(NAMED)
    asking = replace(asking, now=Instant(asking.now + day * DAY))
    try:
        run(made.house.reading.read(asking, "Patient", PatientId(made.record())))
    except NotFoundError:
        return False
    return True


def take_back(made: Installation, *written: Written) -> None:
    for one in written:
        run(made.house.writing.delete(made.as_staff("attending"), "Encounter", one.id))


@pytest.mark.parametrize("period", [{}, {"end": "2199-01-01"}])
@pytest.mark.parametrize("class_", ["IMP", "AMB"])
def test_an_act_without_an_end_opens_twelve_months(
    made: Installation, class_: str, period: dict[str, str]
) -> None:
    assert not opens(made, 0)
    begun = write(made, act(made, class_, period={"start": date(-1), **period}))
    assert [opens(made, day) for day in (0, 300, 367, 4_000)] == [True, True, False, False]
    take_back(made, begun)


def test_a_stay_of_years_goes_on_while_somebody_writes_it(made: Installation) -> None:
    stay = act(made, period={"start": date(-1_000)})
    begun = write(made, stay)
    moved = write(made, stay | {"status": "onleave"}, day=300, over=begun)
    assert [opens(made, day) for day in (301, 660, 667)] == [True, True, False]
    take_back(made, moved)


def test_a_visit_that_is_written_again_is_not_made_longer(made: Installation) -> None:
    visit = act(made, "AMB", period={"start": date(-20)})
    begun = write(made, visit)
    again = write(made, visit | {"status": "onleave"}, day=300, over=begun)
    assert not opens(made, 400)
    take_back(made, again)


def test_an_appointment_in_two_years_does_not_open_today(made: Installation) -> None:
    booked = {
        "resourceType": "Appointment",
        "status": "booked",
        "start": f"{date(730)}T09:00:00Z",
        "end": "2199-03-01T09:20:00Z",
        "participant": [
            {"actor": {"reference": f"Patient/{made.record()}"}, "status": "accepted"},
            {"actor": by_rpps(made.staff(NAMED).id), "status": "accepted"},
        ],
    }
    asking = made.as_staff("secretary")
    run(made.house.writing.create(asking, incoming.read(json.dumps(booked).encode())))
    assert not opens(made, 0)
    assert not opens(made, 4_000)
