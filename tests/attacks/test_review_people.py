"""What was tried on identities, duplicates and those near the patient once they stood, and got through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from serment.access.scopes import Scope, parse
from serment.demo.insi import Certified, LocalInsi
from serment.errors import RefusedError
from serment.identity import ins
from serment.intake.import_.run import run as run_import
from serment.intake.import_.run import service
from serment.model import Actor, PatientId
from serment.record.asking import Asking
from serment.record.persons.identifying import Checked
from tests.attacks.test_family import near, related
from tests.attacks.test_secret_chain import SECRET
from tests.doors.samples import Json, person, weight
from tests.doors.served import Served, sentence, served
from tests.doors.test_duplicates import declare, do, register, someone, suspected
from tests.doors.test_identity import FAMILIES, OTHER, accepted, known, number_of
from tests.installation import run

SYSTEM = f"urn:oid:{ins.NIR_TEST}"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"
PLACES = iter(range(len(FAMILIES) - 1, 0, -1))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own, whose INSi knows a few people more."""
    with served(tmp_path_factory.mktemp("people")) as running:
        people = [Certified((ins.NIR_TEST, number_of(one)), known(one)) for one in range(len(FAMILIES))]
        running.house.identifying.service = LocalInsi(people)
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


@pytest.fixture
def doctor(server: Served) -> httpx.Client:
    return server.staff("team-doctor")


def fresh(by: httpx.Client) -> tuple[str, int]:
    """Register somebody whom INSi knows; give the id and their place in its list."""
    place = next(PLACES)
    answer = by.post("Patient", json=person(FAMILIES[place], known(place).birth_date))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"]), place


def named(number: str, **more: Any) -> Json:
    return {"system": SYSTEM, "value": number, **more}


def measured(patient: str, **more: Any) -> Json:
    body = weight(patient)
    body["subject"]["identifier"] = named(OTHER, **more)
    return body


# A matricule without a qualified identity.


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize("escaped", [r"urn:oid:1\u002e2.250", r"urn:oid:1.2\u002e250"])
def test_a_matricule_is_written_with_signs_that_only_a_parser_reads(
    doctor: httpx.Client, escaped: str
) -> None:
    id_, _ = fresh(doctor)
    raw = json.dumps(measured(id_)).replace("urn:oid:1.2.250", escaped)
    answer = doctor.post("Observation", content=raw)
    assert (answer.status_code, sentence(answer)) == (422, "identity.ins-unqualified")


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize("coding", [{"system": V2, "code": "PI"}, {"display": "INS"}, {"code": "nh"}])
def test_a_matricule_is_typed_as_another_kind_of_number(doctor: httpx.Client, coding: Json) -> None:
    id_, place = fresh(doctor)
    kind = {"coding": [coding]}
    observed = doctor.post("Observation", json=measured(id_, type=kind))
    sent = person(FAMILIES[place], "1999-10-11", identifier=[named(OTHER, type=kind)])
    registered = doctor.post("Patient", json=sent)
    assert [sentence(one) for one in (observed, registered)] == ["identity.ins-unqualified"] * 2


# Duplicates.


@pytest.mark.capability("0-04", "refuses")
@pytest.mark.parametrize("role", ["team-doctor", "nurse", "officer", "hospital-doctor"])
def test_the_worklist_is_asked_by_who_does_not_sort(server: Served, role: str) -> None:
    """With somebody on it or nobody: the hospital, whose list is empty, is refused alike."""
    born = f"1950-03-{len(role):02d}"
    register(server, someone("Dansereau", born=born))
    register(server, someone("Dancereau", born=born))
    answer = server.staff(role).get("Patient/$duplicates")
    assert (answer.status_code, sentence(answer)) == (403, "record.not-sorting")


def test_a_merge_is_still_undone_when_both_have_come_to_one_number(
    server: Served, doctor: httpx.Client
) -> None:
    left, place = fresh(doctor)
    born = known(place).birth_date
    kept = doctor.post("Patient", json=person(FAMILIES[place], born)).json()["id"]
    assert accepted(doctor, left, proof="PA").status_code == 200
    assert do(server, "merge", {"id": left}, {"id": kept}).status_code == 200
    assert accepted(doctor, kept, proof="PA").status_code == 200
    assert do(server, "undo-merge", {"id": left}, {"id": kept}).status_code == 200
    assert {left, kept} in suspected(server)
    assert do(server, "merge", {"id": left}, {"id": kept}).status_code == 200


@pytest.mark.capability("0-04", "refuses")
def test_two_people_of_two_numbers_that_nobody_has_compared_are_merged(
    server: Served, tmp_path: Path
) -> None:
    """An import knows no qualified identity: homonyms of one day came with a number each."""
    sent = [
        someone("Abergevin", id=f"import-{place}", identifier=[named(number_of(place))]) for place in (0, 1)
    ]
    lines = "\n".join(json.dumps(one) for one in sent)
    (tmp_path / "Patient.ndjson").write_text(lines + "\n", "utf-8")
    importer = service(server.house, server.installation.staff("secretary").structure)
    report = run_import(server.house, tmp_path, importer)
    assert report.stored == 2
    secretary = server.staff("secretary")
    ids = [
        secretary.get("Patient", params={"identifier": f"{SYSTEM}|{number_of(place)}"}).json()
        for place in (0, 1)
    ]
    one, other = ({"id": found["entry"][0]["resource"]["id"]} for found in ids)
    for each in (one, other):
        declare(server, each, "secretary")
    answer = do(server, "merge", other, one)
    assert (answer.status_code, sentence(answer)) == (409, "record.merge-two-numbers")


@pytest.mark.capability("0-04", "refuses")
@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_a_parent_reads_the_record_that_was_left_after_the_emancipation(
    server: Served, *, after: bool
) -> None:
    """Nobody writes the Patient that was left any more: what ends mandates in one ends them in both."""
    family = "Hermelouin" if after else "Brénaudat"
    kept, left = (register(server, someone(name, born="2011-05-06")) for name in (family, f"{family}t"))
    parent = near(server, server.staff("secretary"), related(left["id"], "MTH"))
    if not after:
        _emancipate(server, kept)
    assert do(server, "merge", left, kept).status_code == 200
    if after:
        assert _reads(server, parent, left["id"]) == 200
        _emancipate(server, kept)
    assert _reads(server, parent, left["id"]) == 404
    assert do(server, "undo-merge", left, kept).status_code == 200
    assert _reads(server, parent, left["id"]) == 200


def _emancipate(server: Served, person: Json) -> None:
    secretary = server.staff("secretary")
    body = secretary.get(f"Patient/{person['id']}").json()
    freed = [{"url": "urn:serment:emancipated", "valueDate": "2026-11-01"}]
    version = {"if-match": f'W/"{body["meta"]["versionId"]}"'}
    answer = secretary.put(f"Patient/{person['id']}", json=body | {"extension": freed}, headers=version)
    assert answer.status_code == 200, answer.text


@pytest.mark.capability("0-04", "refuses")
def test_a_secret_that_came_by_its_chain_is_lost_on_the_way_to_another_record(server: Served) -> None:
    """A prescription of a secret visit is split off alone: the other record's parent reads it."""
    doctor, secretary, child = (
        server.staff("attending"),
        server.staff("secretary"),
        server.record("adolescent"),
    )
    subject = {"subject": {"reference": f"Patient/{child}"}}
    visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "meta": SECRET}
    stay = doctor.post("Encounter", json=visit | subject).json()["id"]
    medicine = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Comprimé"},
        "encounter": {"reference": f"Encounter/{stay}"},
    }
    ordered = doctor.post("MedicationRequest", json=medicine | subject).json()["id"]
    other = register(server, someone("Quillivic", born="2011-01-01"), role="attending")["id"]
    parent = server.client(near(server, secretary, related(other, "MTH")))
    assert parent.get(f"Patient/{other}").status_code == 200
    frozen = {"resourceType": "Parameters", "parameter": [{"name": "code", "valueCode": "COLP"}]}
    assert secretary.post(f"Patient/{child}/$report-collision", json=frozen).status_code == 200
    moved = [("to", f"Patient/{other}"), ("item", f"MedicationRequest/{ordered}")]
    sent = [{"name": name, "valueReference": {"reference": reference}} for name, reference in moved]
    answer = doctor.post(f"Patient/{child}/$split", json={"resourceType": "Parameters", "parameter": sent})
    assert answer.status_code == 200, answer.text
    item = answer.json()["parameter"][0]["part"][1]["valueReference"]["reference"]
    assert doctor.get(item).status_code == 200
    assert parent.get(item).status_code == 404
    assert secretary.post(f"Patient/{child}/$close-collision").status_code == 200


# Finding people, in a program's hands.


def test_a_program_launched_for_one_patient_finds_the_others_by_name(server: Served) -> None:
    """Its operation was registered, its scope is one record: who else is here is outside."""
    asking = server.installation.as_staff("team-doctor")
    record = server.house.passage.resolve
    with server.house.passage.store.snapshot() as snapshot:
        token = record(snapshot, f"Patient/{server.record()}")[0].record
    inside = _within(asking, "patient/Patient.rs", token)
    with pytest.raises(RefusedError) as refused:
        run(server.house.as_typed.search(inside, "martin"))
    assert refused.value.sentence == "record.not-as-typed"
    run(server.house.as_typed.search(_within(asking, "user/Patient.rs", token), "martin"))


@pytest.mark.capability("0-02", "refuses")
def test_a_program_says_that_a_person_has_checked_a_proof(server: Served, doctor: httpx.Client) -> None:
    """Whatever operation it was registered for: a person looks at a document, and says so themselves."""
    id_, _ = fresh(doctor)
    with server.house.passage.store.snapshot() as snapshot:
        token = server.house.passage.resolve(snapshot, f"Patient/{id_}")[0].record
    inside = _within(server.installation.as_staff("team-doctor"), "user/*.cruds", token)
    for gesture in (
        lambda: server.house.identifying.search(inside, PatientId(id_)),
        lambda: server.house.identifying.prove(inside, PatientId(id_), Checked("PA")),
    ):
        with pytest.raises(RefusedError) as refused:
            run(gesture())
        assert refused.value.sentence == "identity.gesture"
    assert "extension" not in doctor.get(f"Patient/{id_}").json()


def _within(asking: Asking, said: str, record: Any) -> Asking:
    scope = parse(said)
    assert scope is not None
    return replace(asking, scope=Scope((scope,), record=record, program="app"))


# Mandates.


def test_a_mandate_goes_on_after_a_colleague_wrote_that_it_has_ended(server: Served) -> None:
    """The page says that a judge withdrew it, the parent reads on: nobody writes one without the other."""
    child, secretary, doctor = (
        server.record("adolescent"),
        server.staff("secretary"),
        server.staff("attending"),
    )
    parent = near(server, secretary, related(child, "MTH"))
    written = doctor.get(f"RelatedPerson/{parent.id[6:]}").json()
    ended = written | {"active": False}
    version = {"if-match": f'W/"{written["meta"]["versionId"]}"'}
    answer = doctor.put(f"RelatedPerson/{written['id']}", json=ended, headers=version)
    assert (answer.status_code, sentence(answer)) == (403, "record.mandate-in-passing")
    renamed = written | {"name": [{"family": "Lemonnier", "given": ["Aurore"]}]}
    assert doctor.put(f"RelatedPerson/{written['id']}", json=renamed, headers=version).status_code == 200
    assert _reads(server, parent, child) == 200
    version = {"if-match": 'W/"2"'}
    assert secretary.put(f"RelatedPerson/{written['id']}", json=ended, headers=version).status_code == 200
    assert _reads(server, parent, child) == 404


def _reads(server: Served, parent: Actor, child: str) -> int:
    return server.client(parent).get(f"Patient/{child}").status_code
