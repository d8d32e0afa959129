"""Places taken in a team by a list, a replacement or a confirmation: none lasts, none is given to oneself.

Everything is done through the passage, on days to come.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from serment.access.declare import declared_act
from serment.access.policy import shipped_policy
from serment.access.record_facts import ON_CALL, TeamFact
from serment.errors import NotFoundError, RefusedError
from serment.model import Actor, Instant, PatientId, RequestId
from serment.record import incoming
from serment.record.asking import Asking
from tests.doors.samples import Json, by_rpps
from tests.installation import Installation, run
from tests.rules.cast import DAY, HOUR, NOW, NURSE, OWN, PRACTICE

RECORD = "masking"


@pytest.fixture(scope="module")
def made(practice: Installation) -> Installation:
    return practice


def at(made: Installation, actor: Actor, day: float = 0) -> Asking:
    asking = replace(made.as_staff("team-doctor"), actor=actor)
    return replace(asking, now=Instant(int(asking.now + day * DAY)))


def shift(actor: Actor, begins: str, ends: str) -> Json:
    return {
        "resourceType": "Schedule",
        "serviceType": [{"coding": [{"system": "urn:serment:schedule", "code": "on-call"}]}],
        "actor": [by_rpps(actor.id)],
        "planningHorizon": {"start": begins, "end": ends},
    }


def write(made: Installation, actor: Actor, resource: Json) -> str:
    read = incoming.read(json.dumps(resource).encode())
    return run(made.house.writing.create(at(made, actor), read)).id


def instant(day: float) -> str:
    return (datetime.now(UTC) + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")


def opens(made: Installation, actor: Actor, day: float) -> bool:
    try:
        run(made.house.reading.read(at(made, actor, day), "Patient", made.record(RECORD)))
    except NotFoundError:
        return False
    return True


def on_call(made: Installation, actor: Actor, day: float = 0) -> int:
    return run(made.house.choosing.declare_act(at(made, actor, day), PatientId(made.record(RECORD)), ON_CALL))


def test_a_list_that_never_ends_opens_two_days_from_its_writing(made: Installation) -> None:
    locum, secretary = made.staff("locum"), made.staff("secretary")
    listed = write(made, secretary, shift(locum, "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"))
    on_call(made, locum, 1)
    assert opens(made, locum, 1)
    assert not opens(made, locum, 2.1)
    with pytest.raises(RefusedError):
        on_call(made, locum, 2.1)
    run(made.house.writing.delete(at(made, secretary), "Schedule", listed))


def test_a_shift_that_is_taken_back_gives_no_further_record(made: Installation) -> None:
    nurse, secretary = made.staff("nurse"), made.staff("secretary")
    listed = write(made, secretary, shift(nurse, instant(-0.1), instant(0.3)))
    run(made.house.writing.delete(at(made, secretary), "Schedule", listed))
    with pytest.raises(RefusedError):
        on_call(made, nurse)


def test_a_plain_schedule_is_not_turned_into_an_on_call_list_by_who_wrote_it(made: Installation) -> None:
    doctor = made.staff("second-associate")
    said = shift(doctor, instant(-0.1), instant(0.3))
    plain = write(made, doctor, {**said, "serviceType": [{"text": "consultations"}]})
    turned = incoming.read(json.dumps({**said, "id": plain}).encode())
    with pytest.raises(RefusedError):
        run(made.house.writing.update(at(made, doctor), turned, plain, 1))
    with pytest.raises(RefusedError):
        on_call(made, doctor)


def test_an_imported_list_a_list_of_elsewhere_and_one_of_somebody_else_list_nobody() -> None:
    good = TeamFact(NURSE.id, ON_CALL, NOW - HOUR, NOW + HOUR, PRACTICE, source="Schedule/1")
    asked = (NURSE, OWN, ON_CALL, NOW, RequestId("r"), shipped_policy())
    assert declared_act(*asked, [good]).end == NOW + HOUR
    from_elsewhere = TeamFact(NURSE.id, ON_CALL, NOW - HOUR, NOW + HOUR, "elsewhere")
    imported = TeamFact(NURSE.id, ON_CALL, NOW - HOUR, NOW + HOUR, PRACTICE, imported=True)
    other = TeamFact("rpps:other", ON_CALL, NOW - HOUR, NOW + HOUR, PRACTICE)
    for shifts in ([], [imported], [from_elsewhere], [other]):
        with pytest.raises(RefusedError):
            declared_act(*asked, shifts)


def test_a_replacement_that_has_ended_opens_nothing_and_what_was_written_stays_readable(
    made: Installation,
) -> None:
    locum, doctor = made.staff("locum"), made.staff("team-doctor")
    patient = made.record()
    standing = replace(locum, replaces=doctor.id)
    weight = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": 70},
    }
    written = write(made, standing, weight)
    for role, visible in ((standing, True), (locum, False)):
        try:
            run(made.house.reading.read(at(made, role), "Patient", patient))
            seen = True
        except NotFoundError:
            seen = False
        assert seen is visible
    assert run(made.house.reading.read(at(made, locum), "Observation", written))


def test_a_locum_names_neither_themselves_nor_whom_they_replace(made: Installation) -> None:
    doctor = made.staff("team-doctor")
    standing = replace(made.staff("locum"), replaces=doctor.id)
    for named in (standing, doctor):
        team = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": f"Patient/{made.record()}"},
            "participant": [{"member": by_rpps(named.id)}],
        }
        with pytest.raises(RefusedError):
            write(made, standing, team)
