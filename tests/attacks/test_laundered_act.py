"""A declared act of 24 hours, or an emergency, turned into long access for somebody; and access taken away.

Everything is done through the passage, on days to come: what is named on a passing ground passes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serment.errors import NotFoundError, RefusedError
from serment.model import Actor, ActorId, ActorKind, EmergencyReason, Instant, PatientId, Purpose
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.write import Written
from tests.doors.samples import Json, by_rpps, person
from tests.installation import Installation, run

HOUR = 3600 * 1000
DAY = 24 * HOUR
NAMED = "second-associate"


@pytest.fixture(scope="module")
def made(practice: Installation) -> Installation:
    return practice


def at(made: Installation, role: str, day: float = 0) -> Asking:
    """Ask as somebody of the cast, some days from now."""
    asking = made.as_staff(role)
    return replace(asking, now=Instant(int(asking.now + day * DAY)))


def emergency(made: Installation, role: str, day: float = 0) -> Asking:
    reasons = frozenset({EmergencyReason.LIFE_THREAT})
    return replace(at(made, role, day), purpose=Purpose.EMERGENCY, reasons=reasons)


def instant(day: float) -> str:
    return (datetime.now(UTC) + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(made: Installation, asking: Asking, resource: Json) -> Written:
    return run(made.house.writing.create(asking, incoming.read(json.dumps(resource).encode())))


def rewrite(made: Installation, asking: Asking, resource: Json, over: Written) -> Written:
    read = incoming.read(json.dumps(resource | {"id": over.id}).encode())
    return run(made.house.writing.update(asking, read, over.id, over.version))


def delete(made: Installation, asking: Asking, written: Written) -> None:
    run(made.house.writing.delete(asking, written.type, written.id))


def declare(made: Installation, asking: Asking, patient: str) -> None:
    run(made.house.choosing.declare_act(asking, PatientId(patient), "care-coordination"))


def opens(made: Installation, asking: Asking, patient: str) -> bool:
    try:
        run(made.house.reading.read(asking, "Patient", patient))
    except NotFoundError:
        return False
    return True


@pytest.fixture
def patient(made: Installation) -> str:
    """Register somebody: two days later, nobody stands in the record's team any more."""
    return write(made, made.as_staff("secretary"), person("Delaunay", "1977-07-07")).id


@pytest.fixture
def child(made: Installation) -> str:
    return write(made, made.as_staff("secretary"), person("Delaunay", child_of_today())).id


def child_of_today() -> str:
    return (datetime.now(UTC) - timedelta(days=7 * 365)).date().isoformat()


def appointment(made: Installation, patient: str, day: float, role: str = NAMED) -> Json:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": instant(day),
        "end": instant(day + 1 / 48),
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": by_rpps(made.staff(role).id), "status": "accepted"},
        ],
    }


def visit(made: Installation, patient: str, role: str = NAMED, class_: str = "AMB", **said: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": class_},
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"individual": by_rpps(made.staff(role).id)}],
        **said,
    }


def team(made: Installation, patient: str, role: str = NAMED) -> Json:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"member": by_rpps(made.staff(role).id)}],
    }


def mother(patient: str) -> Json:
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{patient}"},
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "name": [{"family": "Delaunay"}],
    }


def refused(asked: Any) -> str:
    with pytest.raises(RefusedError) as error:
        asked()
    return error.value.sentence


# What a practice needs.


def test_a_first_appointment_is_booked_for_somebody_registered_the_day_before_yesterday(
    made: Installation, patient: str
) -> None:
    secretary = at(made, "secretary", 2)
    declare(made, secretary, patient)
    write(made, secretary, appointment(made, patient, 5))
    assert [opens(made, at(made, NAMED, day), patient) for day in (3, 4.9, 5, 7)] == [
        False,
        True,
        True,
        False,
    ]
    write(made, at(made, NAMED, 5), visit(made, patient, period={"start": instant(5), "end": instant(5)}))
    assert [opens(made, at(made, NAMED, day), patient) for day in (7, 300, 400)] == [True, True, False]
    write(made, at(made, "secretary", 7), team(made, patient, "nurse"))
    assert opens(made, at(made, "nurse", 800), patient)


def test_who_registers_somebody_names_the_team_and_the_mother_at_once(made: Installation, child: str) -> None:
    write(made, at(made, "secretary"), team(made, child))
    written = write(made, at(made, "secretary"), mother(child))
    assert opens(made, at(made, NAMED, 3), child)
    proxy = Actor(ActorId(f"proxy:{written.id}"), ActorKind.PROXY)
    assert opens(made, made.store.asking(proxy), child)


def test_an_appointment_to_come_is_moved_and_cancelled_by_who_answers_the_telephone(
    made: Installation, patient: str
) -> None:
    booked = write(made, at(made, "secretary"), appointment(made, patient, 40))
    secretary = at(made, "secretary", 30)
    declare(made, secretary, patient)
    moved = rewrite(made, secretary, appointment(made, patient, 41), booked)
    assert opens(made, at(made, NAMED, 41), patient)
    delete(made, at(made, "secretary", 30), moved)
    assert not opens(made, at(made, NAMED, 41), patient)


# What would launder the declared act.


def test_a_declared_act_names_no_care_team(made: Installation, patient: str) -> None:
    secretary = at(made, "secretary", 2)
    declare(made, secretary, patient)
    said = refused(lambda: write(made, secretary, team(made, patient)))
    assert said == "record.names-in-passing"
    assert not opens(made, at(made, NAMED, 2), patient)
    holder = made.store.asking(Actor(ActorId(f"patient:{patient}"), ActorKind.PATIENT, patient=None))
    told = [body.event for body in run(made.house.proving.trail(holder, patient))]
    assert (secretary.actor.id, "denial", "team", "C4.passing") in {
        (event.actor, event.decision.value, event.interaction.value, event.rule) for event in told
    }


def test_a_booking_for_today_does_not_let_the_one_who_booked_name_the_team(
    made: Installation, patient: str
) -> None:
    secretary = at(made, "secretary", 2)
    declare(made, secretary, patient)
    write(made, secretary, appointment(made, patient, 2))
    assert opens(made, at(made, NAMED, 2), patient)
    assert refused(lambda: write(made, secretary, team(made, patient))) == "record.names-in-passing"


def test_one_declared_act_books_no_year_of_access(made: Installation, patient: str) -> None:
    secretary = at(made, "secretary", 2)
    declare(made, secretary, patient)
    for day in range(10, 20):
        write(made, secretary, appointment(made, patient, day * 3))
    assert sum(opens(made, at(made, NAMED, day * 3), patient) for day in range(10, 20)) == 3


def test_the_family_doctor_of_the_identity_sheet_is_no_way_into_the_team(
    made: Installation, patient: str
) -> None:
    """By a secretary in passing, or by a doctor for themselves."""
    sheet = person("Delaunay", "1977-07-07")
    names = {"generalPractitioner": [by_rpps(made.staff(NAMED).id)]}
    secretary = at(made, "secretary", 2)
    declare(made, secretary, patient)
    second = rewrite(made, secretary, sheet | names, Written("Patient", patient, 1, 0, False))
    assert not opens(made, at(made, NAMED, 4), patient)
    write(made, secretary, appointment(made, patient, 2))
    third = rewrite(made, at(made, NAMED, 2), sheet | names, second)
    assert not opens(made, at(made, NAMED, 4), patient)
    write(made, at(made, NAMED, 2), visit(made, patient))
    rewrite(made, at(made, NAMED, 3), sheet | names, third)
    assert not opens(made, at(made, NAMED, 800), patient)


def test_an_admission_by_an_emergency_opens_a_week_until_the_ward_confirms_it(
    made: Installation, patient: str
) -> None:
    admitted = write(made, emergency(made, "team-doctor", 2), visit(made, patient, class_="IMP"))
    assert [opens(made, at(made, NAMED, day), patient) for day in (3, 8, 10)] == [True, True, False]
    rewrite(made, at(made, NAMED, 8), visit(made, patient, class_="IMP"), admitted)
    assert [opens(made, at(made, NAMED, day), patient) for day in (10, 300, 400)] == [True, True, False]


def test_a_stay_is_not_renewed_by_somebody_in_passing(made: Installation, patient: str) -> None:
    stay = visit(made, patient, class_="IMP", period={"start": instant(-10)})
    begun = write(made, at(made, "secretary"), stay)
    renewed = rewrite(made, emergency(made, "team-doctor", 300), stay | {"status": "onleave"}, begun)
    assert renewed.version == 2
    assert not opens(made, at(made, NAMED, 400), patient)


# Taking away.


@pytest.mark.parametrize("way", ["delete", "cancel", "unname"])
def test_who_declared_an_act_takes_nobody_s_ground_away(made: Installation, patient: str, way: str) -> None:
    seen = visit(made, patient)
    written = write(made, at(made, "secretary"), seen)
    nurse = at(made, "nurse", 2)
    declare(made, nurse, patient)
    nobody = {name: value for name, value in seen.items() if name != "participant"}
    ways = {
        "delete": lambda: delete(made, nurse, written),
        "cancel": lambda: rewrite(made, nurse, seen | {"status": "entered-in-error"}, written),
        "unname": lambda: rewrite(made, nurse, nobody, written),
    }
    assert refused(ways[way]) == "record.takes-in-passing"
    assert opens(made, at(made, NAMED, 2), patient)
    delete(made, at(made, "secretary", 2), written)
    assert not opens(made, at(made, NAMED, 2), patient)


def test_a_doctor_takes_nobody_out_of_a_care_team_that_they_may_not_name(
    made: Installation, patient: str
) -> None:
    named = write(made, at(made, "secretary"), team(made, patient))
    write(made, at(made, "secretary"), visit(made, patient, "team-doctor"))
    doctor = at(made, "team-doctor", 2)
    assert refused(lambda: delete(made, doctor, named)) == "record.names-writer"
    assert opens(made, at(made, NAMED, 500), patient)
    delete(made, at(made, "secretary", 2), named)
    assert not opens(made, at(made, NAMED, 2), patient)


def test_a_representative_is_withdrawn_by_who_names_one_and_the_person_is_told(
    made: Installation, child: str
) -> None:
    related = write(made, at(made, "secretary"), mother(child))
    write(made, at(made, "secretary"), visit(made, child, "team-doctor"))
    proxy = made.store.asking(Actor(ActorId(f"proxy:{related.id}"), ActorKind.PROXY))
    doctor = at(made, "team-doctor", 1)
    assert refused(lambda: delete(made, doctor, related)) == "record.mandate-in-passing"
    assert opens(made, proxy, child)
    delete(made, at(made, "secretary", 2), related)
    assert not opens(made, proxy, child)
    holder = made.store.asking(Actor(ActorId(f"patient:{child}"), ActorKind.PATIENT))
    newest = run(made.house.proving.trail(holder, child))
    assert any(
        body.event.interaction.value == "delete" and f"RelatedPerson/{related.id}" in body.event.resources[0]
        for body in newest
        if body.event.resources
    )
    again = write(made, at(made, "secretary", 2), mother(child))
    proxy = made.store.asking(Actor(ActorId(f"proxy:{again.id}"), ActorKind.PROXY))
    assert opens(made, replace(proxy, now=at(made, "secretary", 3).now), child)


def test_a_representative_is_not_named_on_a_declared_act(made: Installation, child: str) -> None:
    secretary = at(made, "secretary", 2)
    declare(made, secretary, child)
    assert refused(lambda: write(made, secretary, mother(child))) == "record.mandate-in-passing"
    phone = mother(child) | {"relationship": [{"coding": [{"code": "NBOR"}]}]}
    assert write(made, secretary, phone).version == 1
