"""Custody killed on a ward: who is here or expected stays open, all others cannot be opened now."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serment.errors import CustodyError, NotFoundError
from serment.intake import import_
from serment.keys.trace_keys import TraceKeys
from serment.ledger.chains import Chain
from serment.ledger.follow import follow
from serment.model import Instant, PatientId, RecordToken
from serment.record import incoming, today
from serment.record.alarms import UNIT_LIST_BROKEN, standing
from serment.record.passage import DIRECTORY, HELD, UNIT_LIST
from serment.record.write import Written
from tests.attacks.sql import Thief
from tests.doors.samples import Json, by_rpps
from tests.installation import Installation, run

HOUR = 3600 * 1000
DAY = 24 * HOUR
NURSE = "nurse"


LIGHT, OTHER = "light", "other"
"""Two people registered just now, whom nobody expects yet."""


@pytest.fixture
def made(untouched: Installation) -> Installation:
    for name in (LIGHT, OTHER):
        person = {"resourceType": "Patient", "name": [{"family": name}], "birthDate": "1950-01-01"}
        untouched.store.ids[name] = PatientId(write(untouched, person).id)
    return untouched


def patient_id(made: Installation, name: str) -> PatientId:
    return made.store.ids[name]


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def stay(made: Installation, patient: str, **said: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{patient_id(made, patient)}"},
        "participant": [{"individual": by_rpps(made.staff(NURSE).id)}],
        "period": {"start": at(-48)},
        **said,
    }


def appointment(made: Installation, patient: str, hours: float) -> Json:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": at(hours),
        "end": at(hours + 0.5),
        "participant": [
            {"actor": {"reference": f"Patient/{patient_id(made, patient)}"}, "status": "accepted"},
            {"actor": by_rpps(made.staff(NURSE).id), "status": "accepted"},
        ],
    }


def write(made: Installation, resource: Json, over: Written | None = None) -> Written:
    asking = made.as_staff("attending")
    if over is None:
        return run(made.house.writing.create(asking, incoming.read(json.dumps(resource).encode())))
    read = incoming.read(json.dumps(resource | {"id": over.id}).encode())
    return run(made.house.writing.update(asking, read, over.id, over.version))


def restart(made: Installation) -> None:
    """Start the server again: nothing is opened, the keys of today's list are fetched in turns."""
    made.house.close()
    made.reopen()
    while not made.house.warming.ready:
        made.house.warming.turn()


def record_of(made: Installation, reference: str) -> RecordToken:
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        return passage.resolve(snapshot, reference)[0].record


def listed(made: Installation, patient: str) -> bool:
    return record_of(made, f"Patient/{patient_id(made, patient)}") in made.house.passage.keyring.listed


def groups(made: Installation, role: str, patient: str) -> int:
    return len(run(made.house.showing.first_view(made.as_staff(role), patient_id(made, patient))).groups)


def test_custody_killed_closes_no_record_of_the_unit_list_and_opens_no_other(made: Installation) -> None:
    write(made, stay(made, LIGHT))
    restart(made)
    os.kill(made.custody.process.pid, signal.SIGKILL)
    made.custody.process.wait()
    assert groups(made, NURSE, LIGHT) > 0
    for role in (NURSE, "attending"):
        with pytest.raises(CustodyError) as refused:
            groups(made, role, OTHER)
        assert refused.value.status == 503
        assert "cannot be opened now" in str(refused.value)


def test_the_nurse_writes_on_with_custody_away(made: Installation) -> None:
    write(made, stay(made, LIGHT))
    restart(made)
    made.custody.kill()
    vital = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient_id(made, LIGHT)}"},
        "valueQuantity": {"value": 72},
    }
    sent = incoming.read(json.dumps(vital).encode())
    assert run(made.house.writing.create(made.as_staff(NURSE), sent)).created


@pytest.mark.parametrize(
    ("hours", "expected"), [(0.1, True), (6, True), (-30, False), (24 * 3, False), (24 * 90, False)]
)
def test_an_appointment_is_on_the_list_of_its_day(made: Installation, hours: float, expected: bool) -> None:
    write(made, appointment(made, LIGHT, hours))
    restart(made)
    assert listed(made, LIGHT) is expected
    assert not listed(made, OTHER)


def test_an_appointment_that_is_moved_or_cancelled_leaves_the_day(made: Installation) -> None:
    moved = write(made, appointment(made, LIGHT, 1))
    cancelled = write(made, appointment(made, OTHER, 1))
    write(made, appointment(made, LIGHT, 24 * 40), moved)
    write(made, {**appointment(made, OTHER, 1), "status": "cancelled"}, cancelled)
    restart(made)
    assert not listed(made, LIGHT)
    assert not listed(made, OTHER)
    again = run(made.house.writing.delete(made.as_staff("attending"), "Appointment", moved.id))
    assert again.version == 3


def test_a_stay_that_has_ended_leaves_the_list(made: Installation) -> None:
    begun = write(made, stay(made, LIGHT))
    write(made, stay(made, LIGHT, status="finished", period={"start": at(-90), "end": at(-40)}), begun)
    restart(made)
    assert not listed(made, LIGHT)


def test_twelve_hours_without_custody_close_the_unit_list_too(made: Installation) -> None:
    write(made, stay(made, LIGHT))
    restart(made)
    made.custody.kill()
    passage = made.house.passage
    record = record_of(made, f"Patient/{patient_id(made, LIGHT)}")
    with passage.store.snapshot() as snapshot:
        epoch = snapshot.epoch(record)
    assert epoch is not None
    with pytest.raises(CustodyError):
        made.house.warming.turn()
    assert passage.keyring.held(record, epoch, Instant(passage.clock() + HELD + HOUR)) is None


def test_keys_of_the_list_outlast_ten_thousand_other_openings(made: Installation) -> None:
    write(made, stay(made, LIGHT))
    restart(made)
    passage, now = made.house.passage, made.house.passage.clock()
    record = record_of(made, f"Patient/{patient_id(made, LIGHT)}")
    with passage.store.snapshot() as snapshot:
        epoch = snapshot.epoch(record) or 0
    keys = passage.keyring.held(record, epoch, now)
    assert keys is not None
    for other in range(10_000):
        passage.keyring.hold(RecordToken(other.to_bytes(16, "big")), 1, now, keys)
    assert passage.keyring.held(record, epoch, now) is keys
    assert passage.keyring.held(RecordToken(bytes(16)), 1, now) is None


def test_warming_leaves_a_trace_and_opens_no_record(made: Installation) -> None:
    write(made, stay(made, LIGHT))
    made.house.close()
    made.reopen()
    before = size(made)
    while not made.house.warming.ready:
        made.house.warming.turn()
    assert size(made) == before + 1
    made.house.warming.turn()
    assert size(made) == before + 1
    assert made.house.proving.verify().ok


def size(made: Installation) -> int:
    with made.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()


def test_the_days_that_are_over_are_taken_off_the_list(made: Installation) -> None:
    write(made, appointment(made, LIGHT, 1))
    assert parts(made)
    house, clock = made.house, made.house.passage.clock
    later = replace(house.passage, clock=lambda: Instant(clock() + 5 * DAY))
    made.house = type(house).of(later, house.custody, house.kind, house.base)
    while not made.house.warming.ready:
        made.house.warming.turn()
    made.house = house
    assert parts(made) == set()
    write(made, appointment(made, OTHER, 1))
    restart(made)
    assert listed(made, OTHER)
    assert made.house.proving.verify().ok


def parts(made: Installation) -> set[str]:
    passage = made.house.passage
    asking = today.of_installation(made.as_staff(NURSE))
    with passage.store.snapshot() as snapshot:
        view = passage.view(snapshot, asking, record_of(made, UNIT_LIST))
    return {unit.document_type for unit in view.head.classes()}


def test_who_breaks_the_list_stops_no_care_and_is_found(made: Installation, thief: Thief) -> None:
    write(made, stay(made, LIGHT))
    record = record_of(made, UNIT_LIST)
    with thief.changed("pack", "UPDATE pack SET sealed = zeroblob(256) WHERE record = ?", record):
        assert write(made, stay(made, OTHER)).created
        assert UNIT_LIST_BROKEN in standing(made.house.passage)
        assert not made.house.proving.verify().ok
    assert made.house.proving.verify().ok


def test_an_installation_without_a_list_is_given_one(made: Installation, thief: Thief) -> None:
    """Made by a version that had none: the next start makes it, and does so once."""
    locator = made.house.passage.installation.locator(UNIT_LIST)
    with thief.changed("locator", "DELETE FROM locator WHERE token = ?", locator):
        assert write(made, stay(made, OTHER)).created
        assert record_of(made, UNIT_LIST) != record_of(made, DIRECTORY)
        restart(made)
        new = record_of(made, UNIT_LIST)
        write(made, stay(made, LIGHT))
        restart(made)
        assert record_of(made, UNIT_LIST) == new
        assert listed(made, LIGHT)


def test_an_import_of_a_ward_changes_the_list_once_a_lot(made: Installation, tmp_path: Path) -> None:
    restart(made)
    standing_before = count_listed(made)
    ward = [f"ward-{number}" for number in range(25)]
    resources: list[Json] = [
        {"resourceType": "Patient", "id": one, "name": [{"family": one}]} for one in ward
    ]
    for one in ward:
        subject = {"reference": f"Patient/{one}"}
        resources.append({**stay(made, LIGHT), "id": f"stay-{one}", "subject": subject})
    source = tmp_path / "ward.ndjson"
    source.write_text("".join(json.dumps(one) + "\n" for one in resources))
    begun = len(list_trace(made))
    service = import_.service(made.house, made.staff(NURSE).structure)
    report = import_.run(made.house, source, service, name="former-software")
    assert report.stored == len(resources)
    lots = len(list_trace(made)) - begun
    assert 0 < lots <= 2
    before = begun + lots
    restart(made)
    assert count_listed(made) == standing_before + len(ward)
    assert len(list_trace(made)) == before + 1


def count_listed(made: Installation) -> int:
    return len(made.house.passage.keyring.listed)


def list_trace(made: Installation) -> list[str]:
    """Say what was done to the list, births left out."""
    record = record_of(made, UNIT_LIST)
    with made.house.passage.store.snapshot() as snapshot:
        keys = TraceKeys(made.house.custody.year_keys(record))
        found = follow(snapshot, record, keys.trail, list(keys.years.values()), list(Chain))
    return [one.body.event.interaction.value for one in found if one.body.event.interaction != "birth"]


@pytest.mark.parametrize("role", [NURSE, "attending", "secretary", "officer"])
def test_nobody_reads_the_list_through_a_door(made: Installation, role: str) -> None:
    write(made, stay(made, LIGHT))
    with pytest.raises(NotFoundError):
        run(made.house.reading.read(made.as_staff(role), today.TYPE, today.RUNNING))
