"""Monday morning: a practice imported its old records on Sunday, without a single consent.

Its people do a day's acts and nobody is refused; a doctor of the same town, whom no record names, gets
nothing by any door.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serment.demo.people import directory
from serment.demo.population import DemoPatient, bundles_for
from serment.errors import NotFoundError, RefusedError, TooManyError
from serment.fhir.query import parse
from serment.intake import import_
from serment.record import incoming
from serment.record.imports.importing import Importing
from tests.installation import Installation, bare_installation, run

STRUCTURE = "cabinet-des-tilleuls"
SOURCE = "former-software"
SHORT, WHOLE = 200, 2_000
EACH = 12
A_DAY = 12
"""Patients whom one person sees, in this test."""

DOORS = ("Patient", "Encounter", "Appointment", "Observation", "Condition")
CARERS = ("attending", "team-doctor", "second-associate", "locum", "nurse")


class Practice:
    """An installation that holds the old records, and what each patient is called in it."""

    def __init__(self, made: Installation, folder: Path, patients: int) -> None:
        self.made = made
        self.today = datetime.now(UTC).date()
        self.old: list[DemoPatient] = list(bundles_for(patients, EACH, today=self.today))
        folder.mkdir()
        (folder / "0-people.json").write_text(json.dumps(directory(), ensure_ascii=False))
        for place, one in enumerate(self.old):
            (folder / f"{place:05}.json").write_text(json.dumps(one.bundle, ensure_ascii=False))
        asking = import_.service(made.house, STRUCTURE)
        self.report = import_.run(made.house, folder, asking, name=SOURCE)

    def id_of(self, entry: dict[str, Any]) -> str:
        type_ = entry["resource"]["resourceType"]
        key = entry["resource"].get("id", entry["fullUrl"])
        return Importing(self.made.house.passage).id_of(SOURCE, type_, key)

    def patient(self, one: DemoPatient) -> str:
        return self.id_of(one.bundle["entry"][0])

    def seen_by(self, role: str) -> list[DemoPatient]:
        """Give the patients whose old record names somebody."""
        number = self.made.staff(role).id.removeprefix("rpps:")
        return [one for one in self.old if number in json.dumps(one.bundle)][:A_DAY]


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("monday")
    with bare_installation(folder / "data") as made:
        yield Practice(made, folder / "old", SHORT)


def vital_sign(patient: str) -> bytes:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": system, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-11-23T09:30:00+01:00",
            "valueQuantity": {"value": 71.50, "unit": "kg"},
        }
    ).encode()


def appointment(patient: str) -> bytes:
    actor = {"reference": f"Patient/{patient}"}
    return json.dumps(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T09:20:00Z",
            "participant": [{"actor": actor, "status": "accepted"}],
        }
    ).encode()


def write(practice: Practice, role: str, raw: bytes) -> None:
    house = practice.made.house
    made = run(house.writing.create(practice.made.as_staff(role), incoming.read(raw)))
    assert run(house.reading.read(practice.made.as_staff(role), made.type, made.id)).version == 1


def found(practice: Practice, role: str, type_: str, patient: str) -> int:
    name = "_id" if type_ == "Patient" else "patient"
    house = practice.made.house
    query = parse(type_, [(name, patient)])
    return run(house.finding.search(practice.made.as_staff(role), query)).total


def test_all_of_it_is_in(practice: Practice) -> None:
    report = practice.report
    assert report.received == SHORT * EACH + len(directory()["entry"])
    assert (report.created, report.quarantined) == (report.received, 0)


@pytest.mark.capability("0-11", "lets")
@pytest.mark.parametrize("role", CARERS)
def test_who_cares_for_them_opens_searches_reads_and_writes(practice: Practice, role: str) -> None:
    house, patients = practice.made.house, practice.seen_by(role)
    assert len(patients) == A_DAY
    for one in patients:
        patient = practice.patient(one)
        view = run(house.showing.first_view(practice.made.as_staff(role), patient))
        assert view.rule == "G6.team"
        assert found(practice, role, "Observation", patient) > 0
        assert run(house.reading.read(practice.made.as_staff(role), "Patient", patient)).version == 1
        write(practice, role, vital_sign(patient))
        write(practice, role, appointment(patient))


@pytest.mark.capability("0-11", "lets")
def test_the_secretary_receives_and_books_and_reads_no_measure(practice: Practice) -> None:
    house = practice.made.house
    for one in practice.old[:A_DAY]:
        patient = practice.patient(one)
        served = run(house.reading.read(practice.made.as_staff("secretary"), "Patient", patient))
        assert served.version == 1
        assert found(practice, "secretary", "Appointment", patient) > 0
        write(practice, "secretary", appointment(patient))
        entry = next(e for e in one.bundle["entry"] if e["resource"]["resourceType"] == "Observation")
        with pytest.raises(NotFoundError):
            run(house.reading.read(practice.made.as_staff("secretary"), "Observation", practice.id_of(entry)))


@pytest.mark.capability("0-11", "refuses")
def test_a_doctor_of_the_same_town_whom_nothing_names_gets_nothing(practice: Practice) -> None:
    assert gained(practice, practice.old[:40]) == (0, 0, 0, 0)


def gained(practice: Practice, patients: list[DemoPatient]) -> tuple[int, int, int, int]:
    """Count what the unrelated doctor gets by read, search, history and write."""
    house, stranger = practice.made.house, "unrelated-doctor"
    reads = searches = histories = writes = 0
    for one in patients:
        for entry in one.bundle["entry"]:
            type_, id_ = entry["resource"]["resourceType"], practice.id_of(entry)
            reads += answers(
                lambda t=type_, i=id_: house.reading.read(practice.made.as_staff(stranger), t, i)
            )
            histories += answers(
                lambda t=type_, i=id_: house.reading.history(practice.made.as_staff(stranger), t, i)
            )
        patient = practice.patient(one)
        for type_ in DOORS[1:]:
            searches += shown(practice, stranger, type_, patient)
        writes += answers(
            lambda p=patient: house.writing.create(
                practice.made.as_staff(stranger), incoming.read(vital_sign(p))
            )
        )
    return reads, searches, histories, writes


def shown(practice: Practice, role: str, type_: str, patient: str) -> int:
    """Count what a search shows: one refused too often lately is not even answered."""
    try:
        return found(practice, role, type_, patient)
    except TooManyError:
        return 0


def answers(asked: Any) -> int:
    try:
        run(asked())
    except (NotFoundError, RefusedError):
        return 0
    return 1


@pytest.mark.campaign
def test_two_thousand_patients_and_nobody_of_the_practice_is_refused(tmp_path: Path) -> None:
    with bare_installation(tmp_path / "data") as made:
        practice = Practice(made, tmp_path / "old", WHOLE)
        assert practice.report.created == WHOLE * EACH + len(directory()["entry"])
        for role in CARERS:
            test_who_cares_for_them_opens_searches_reads_and_writes(practice, role)
        test_the_secretary_receives_and_books_and_reads_no_measure(practice)
        assert gained(practice, practice.old[::20]) == (0, 0, 0, 0)
        assert (
            sum(shown(practice, "unrelated-doctor", "Encounter", practice.patient(p)) for p in practice.old)
            == 0
        )
        made.house.proving.checkpoint()
        assert made.house.proving.verify().ok
