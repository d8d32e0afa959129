"""Suspected duplicates at the doors: search before create, the worklist, merging, undoing, two people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serment.fhir.consent import consent as a_consent
from serment.fhir.consent import opposing
from serment.model import Actor, ActorId, ActorKind, PatientId
from tests.doors.samples import Json, weight
from tests.doors.served import Served, sentence, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: records are merged here."""
    folder: Path = tmp_path_factory.mktemp("duplicates")
    with served(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def someone(family: str, given: str = "Capucine", born: str = "1961-02-03", **more: Any) -> Json:
    name = {"use": "official", "family": family, "given": [given]}
    return {"resourceType": "Patient", "name": [name], "birthDate": born, "gender": "female", **more}


def register(server: Served, person: Json, role: str = "secretary") -> Json:
    answer = server.staff(role).post("Patient", json=person)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def attributes(person: Json) -> list[str]:
    return [
        part["valueCoding"]["code"]
        for one in person.get("extension", [])
        for part in one.get("extension", [])
        if part["url"] == "comment"
    ]


def two(left: Json, kept: Json) -> Json:
    named = {"source-patient": left["id"], "target-patient": kept["id"]}
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "valueReference": {"reference": f"Patient/{id_}"}} for name, id_ in named.items()
        ],
    }


def do(server: Served, operation: str, left: Json, kept: Json, role: str = "secretary") -> httpx.Response:
    return server.staff(role).post(f"Patient/${operation}", json=two(left, kept))


def suspected(server: Served) -> list[set[str]]:
    answer = server.staff("secretary").get("Patient/$duplicates")
    assert answer.status_code == 200, answer.text
    return [
        {
            part["valueReference"]["reference"].removeprefix("Patient/")
            for part in pair["part"]
            if "valueReference" in part
        }
        for pair in answer.json().get("parameter", [])
    ]


def read(server: Served, person: Json, role: str = "secretary") -> Json:
    found: Json = server.staff(role).get(f"Patient/{person['id']}").json()
    return found


@pytest.mark.capability("0-04", "lets")
def test_who_registers_somebody_twice_is_told_and_the_pair_stands_on_the_list(server: Served) -> None:
    one = register(server, someone("Quévraud"))
    telling = server.staff("secretary", prefer="return=OperationOutcome")
    again = telling.post("Patient", json=someone("Quevrau", born="1961-03-02"))
    assert (again.status_code, sentence(again)) == (201, "record.suspected")
    other = again.headers["location"].split("/")[-3]
    assert {one["id"], other} in suspected(server)
    entry = {"resource": someone("Quevro"), "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    (said,) = server.staff("secretary").post("", json=bundle).json()["entry"]
    assert said["response"]["outcome"]["issue"][0]["details"]["coding"][0]["code"] == "record.suspected"


@pytest.mark.capability("0-04", "refuses")
def test_attack_a_mark_tells_the_person_that_they_are_known_under_another_record(server: Served) -> None:
    """An adolescent is registered a second time, alone: the record that a parent opens says nothing of it.

    Nor does any program, carer or professional outside who reads a Patient and may find nobody.
    """
    register(server, someone("Trévignac"))
    other = register(server, someone("Trevignac", born="1961-03-02"))
    assert attributes(other) == []
    assert attributes(read(server, other)) == []
    assert "extension" not in holder(server, other).get(f"Patient/{other['id']}").json()


def test_a_registration_sent_again_is_answered_alike(server: Served) -> None:
    register(server, someone("Kerlauzé"))
    asked = {"idempotency_key": "front-desk-1", "prefer": "return=OperationOutcome"}
    secretary = server.staff("secretary", **asked)
    first, again = (secretary.post("Patient", json=someone("Kerlosé")) for _ in range(2))
    assert (first.status_code, sentence(first)) == (201, "record.suspected")
    assert (again.json(), again.headers["location"]) == (first.json(), first.headers["location"])


@pytest.mark.capability("0-04", "refuses")
def test_a_second_record_is_never_silent_whoever_brings_it(server: Served) -> None:
    one = register(server, someone("Sénéchieu"))
    other = register(server, someone("Senechieu"), role="team-doctor")
    assert {one["id"], other["id"]} in suspected(server)


def test_somebody_else_is_not_suspected(server: Served) -> None:
    one = register(server, someone("Malvésin"))
    other = register(server, someone("Malvésin", born="1988-11-27", given="Solène"))
    assert attributes(other) == []
    assert {one["id"], other["id"]} not in suspected(server)


@pytest.mark.capability("0-04", "lets")
def test_a_merge_links_both_and_its_undoing_restores_them(server: Served) -> None:
    number = {"system": "urn:oid:1.2.3.4", "value": "42", "use": "usual"}
    kept = register(server, someone("Drouvelin"))
    left = register(server, someone("Drouvellin", identifier=[number]))
    doctor = server.staff("team-doctor")
    assert doctor.post(f"Patient/{left['id']}/$declare-act", json=declared()).status_code == 200
    assert doctor.post("Observation", json=weight(left["id"])).status_code == 201
    before = [read(server, kept), read(server, left)]
    assert do(server, "merge", left, kept).status_code == 200
    merged = [read(server, kept), read(server, left)]
    assert merged[0]["link"] == [{"other": {"reference": f"Patient/{left['id']}"}, "type": "replaces"}]
    assert merged[1]["link"] == [{"other": {"reference": f"Patient/{kept['id']}"}, "type": "replaced-by"}]
    assert (merged[1]["active"], merged[1]["identifier"][0]["use"]) == (False, "old")
    assert attributes(merged[1])[0] == "DESA"
    assert doctor.get("Observation", params={"patient": left["id"]}).json()["total"] == 1
    assert do(server, "undo-merge", left, kept).status_code == 200
    after = [read(server, kept), read(server, left)]
    assert [plain(one) for one in after] == [plain(one) for one in before]


def declared() -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueCode": "visit-today"}]}


def plain(person: Json) -> Json:
    return {name: value for name, value in person.items() if name != "meta"}


def test_nothing_new_is_written_in_a_record_that_was_left(server: Served) -> None:
    kept = register(server, someone("Tourneau"), role="team-doctor")
    left = register(server, someone("Tournau"), role="team-doctor")
    assert do(server, "merge", left, kept).status_code == 200
    answer = server.staff("team-doctor").post("Observation", json=weight(left["id"]))
    assert (answer.status_code, sentence(answer)) == (409, "record.left-for")
    assert server.staff("team-doctor").post("Observation", json=weight(kept["id"])).status_code == 201


def test_two_people_are_not_suspected_again(server: Served) -> None:
    one, other = register(server, someone("Gaudieu")), register(server, someone("Gaudieux"))
    assert do(server, "keep-apart", one, other).status_code == 200
    assert {one["id"], other["id"]} not in suspected(server)
    again = {**read(server, other), "maritalStatus": {"text": "mariée"}}
    version = again["meta"]["versionId"]
    put = server.staff("secretary", if_match=f'W/"{version}"').put(f"Patient/{other['id']}", json=again)
    assert put.status_code == 200, put.text
    assert {one["id"], other["id"]} not in suspected(server)


@pytest.mark.capability("0-04", "refuses")
@pytest.mark.parametrize("operation", ["merge", "undo-merge", "keep-apart"])
@pytest.mark.parametrize("role", ["team-doctor", "nurse", "unrelated-doctor", "officer"])
def test_only_who_sorts_identities_decides(server: Served, operation: str, role: str) -> None:
    person = {"id": server.record()}
    answer = do(server, operation, person, {"id": server.record("adolescent")}, role)
    assert (answer.status_code, sentence(answer)) == (403, "record.not-sorting")


@pytest.mark.capability("0-04", "refuses")
def test_attack_twins_are_never_merged(server: Served) -> None:
    one = register(server, someone("Vaubrieu", given="Louise"))
    other = register(server, someone("Vaubrieu", given="Rosalie"))
    assert {one["id"], other["id"]} not in suspected(server)
    answer = do(server, "merge", other, one)
    assert (answer.status_code, sentence(answer)) == (409, "record.merge-not-alike")


@pytest.mark.capability("0-04", "refuses")
def test_attack_homonyms_of_another_day_are_never_merged(server: Served) -> None:
    one = register(server, someone("Morvont"))
    other = register(server, someone("Morvont", born="1979-08-21"))
    answer = do(server, "merge", other, one)
    assert (answer.status_code, sentence(answer)) == (409, "record.merge-not-alike")


@pytest.mark.capability("0-04", "refuses")
def test_attack_a_merge_opens_no_record_of_somebody_else(server: Served) -> None:
    mine = register(server, someone("Jarnoise"))
    theirs = {"id": server.record()}
    answer = do(server, "merge", theirs, mine)
    assert (answer.status_code, sentence(answer)) == (409, "record.merge-not-alike")
    absent = do(server, "merge", {"id": "no-such-record"}, mine)
    assert (absent.status_code, sentence(absent)) == (404, "record.not-found")


def test_a_record_is_not_merged_with_itself_nor_twice(server: Served) -> None:
    kept, left = register(server, someone("Corminy")), register(server, someone("Corminny"))
    assert sentence(do(server, "merge", kept, kept)) == "record.merge-itself"
    assert do(server, "merge", left, kept).status_code == 200
    assert sentence(do(server, "merge", left, kept)) == "record.merge-not-free"
    assert sentence(do(server, "undo-merge", kept, left)) == "record.not-merged"


def declare(server: Served, person: Json, role: str) -> None:
    answer = server.staff(role).post(f"Patient/{person['id']}/$declare-act", json=declared())
    assert answer.status_code == 200, answer.text


def weights(server: Served, person: Json, role: str) -> int:
    found = server.staff(role).get("Observation", params={"patient": person["id"]}).json()
    total: int = found["total"]
    return total


def opposed_pair(server: Served, family: str, second: str) -> tuple[Json, Json]:
    """Register somebody twice: two carers read both records until the person opposes sharing."""
    doctor = server.staff("team-doctor")
    pair = (
        register(server, someone(family), role="team-doctor"),
        register(server, someone(second), role="team-doctor"),
    )
    for one in pair:
        assert doctor.post("Observation", json=weight(one["id"])).status_code == 201
        declare(server, one, "second-associate")
    return pair


def oppose(server: Served, person: Json) -> str:
    """Write down that the person opposes the sharing of their measurements; give the id of the Consent."""
    said = json.loads(a_consent(person["id"], opposing("vitals")))
    answer = server.staff("team-doctor").post("Consent", json=said)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def holder(server: Served, person: Json) -> httpx.Client:
    id_ = person["id"]
    return server.client(Actor(ActorId(f"patient:{id_}"), ActorKind.PATIENT, patient=PatientId(id_)))


@pytest.mark.capability("0-04", "refuses")
def test_attack_a_merge_never_lifts_an_opposition(server: Served) -> None:
    """What was refused in one record is refused in both, and in one again when the merge is undone."""
    kept, left = opposed_pair(server, "Rochebaud", "Rochebaut")
    oppose(server, left)
    assert [weights(server, one, "second-associate") for one in (kept, left)] == [1, 0]
    assert do(server, "merge", left, kept).status_code == 200
    assert [weights(server, one, "second-associate") for one in (kept, left)] == [0, 0]
    assert do(server, "undo-merge", left, kept).status_code == 200
    assert [weights(server, one, "second-associate") for one in (kept, left)] == [1, 0]


@pytest.mark.capability("0-04", "refuses")
@pytest.mark.parametrize("names", [("Lambanges", "Lambange"), ("Kerlaud", "Kerlau")])
def test_a_word_said_after_the_merge_rules_both_records(server: Served, names: tuple[str, str]) -> None:
    kept, left = opposed_pair(server, *names)
    assert do(server, "merge", left, kept).status_code == 200
    said = {"Lambanges": kept, "Kerlaud": left}[names[0]]
    word = oppose(server, said)
    assert [weights(server, one, "second-associate") for one in (kept, left)] == [0, 0]
    assert holder(server, said).delete(f"Consent/{word}").status_code == 200
    assert [weights(server, one, "second-associate") for one in (kept, left)] == [1, 1]


def test_the_team_of_one_record_treats_under_both_numbers(server: Served) -> None:
    doctor = server.staff("team-doctor")
    kept = register(server, someone("Escarolle"), role="team-doctor")
    left = register(server, someone("Escarol"), role="team-doctor")
    assert doctor.post("Observation", json=weight(left["id"])).status_code == 201
    declare(server, kept, "nurse")
    assert weights(server, left, "nurse") == 0
    assert do(server, "merge", left, kept).status_code == 200
    assert weights(server, left, "nurse") == 1
    assert do(server, "undo-merge", left, kept).status_code == 200
    assert weights(server, left, "nurse") == 0


@pytest.mark.capability("0-04", "refuses")
def test_attack_a_registration_tells_nothing_of_another_structure(server: Served) -> None:
    """The same person at the hospital: the answer, the list and what follows are as if nobody were here."""
    ours = register(server, someone("Hautevigny"))
    theirs = register(server, someone("Hautevigny"), role="hospital-doctor")
    other = register(server, someone("Hautevignon", "Solange", "1933-05-16"), role="hospital-doctor")
    assert attributes(theirs) == attributes(other) == []
    assert not any({ours["id"], theirs["id"]} & pair for pair in suspected(server))
    answers = [do(server, "merge", one, ours) for one in (theirs, {"id": "no-such-record"})]
    assert [(one.status_code, sentence(one)) for one in answers] == [(404, "record.not-found")] * 2
