"""Create, update, delete and conditional create over HTTP."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.doors.samples import person, weight
from tests.doors.served import Served, outcome, sentence
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_a_create_gives_the_id_the_place_and_the_version(server: Served) -> None:
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record(), id="mine"))
    id_ = made.json()["id"]
    assert made.status_code == 201
    assert id_ != "mine"
    assert made.headers["location"] == f"{server.address}/fhir/Observation/{id_}/_history/1"
    assert made.headers["etag"] == 'W/"1"'
    assert "last-modified" in made.headers
    assert doctor.get(made.headers["location"]).content == made.content


def test_prefer_chooses_what_a_write_answers(server: Served) -> None:
    doctor = server.staff("team-doctor")
    minimal = doctor.post("Observation", json=weight(server.record()), headers={"prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert "location" in minimal.headers
    said = doctor.post(
        "Observation",
        json=weight(server.record()),
        headers={"prefer": "handling=strict, return=OperationOutcome"},
    )
    assert outcome(said)["severity"] == "information"
    whole = doctor.post(
        "Observation", json=weight(server.record()), headers={"prefer": "return=representation"}
    )
    assert whole.json()["valueQuantity"]["value"] == 70.5


def test_an_update_replaces_the_version_that_it_names(server: Served) -> None:
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record(), 70.0))
    id_ = made.json()["id"]
    changed = doctor.put(
        f"Observation/{id_}", json=weight(server.record(), 71.0, id=id_), headers={"if-match": 'W/"1"'}
    )
    assert changed.status_code == 200
    assert changed.headers["etag"] == 'W/"2"'
    assert doctor.get(f"Observation/{id_}").content == changed.content


@pytest.mark.parametrize(
    ("if_match", "status", "said"),
    [
        (None, 400, "record.if-match-needed"),
        ('W/"9"', 412, "record.version-conflict"),
        ('"1"', 400, "api.malformed-if-match"),
        ("*", 400, "api.malformed-if-match"),
        ('W/"one"', 400, "api.malformed-if-match"),
    ],
)
@pytest.mark.capability("0-17", "refuses")
def test_nothing_is_overwritten_without_naming_the_version(
    server: Served, if_match: str | None, status: int, said: str
) -> None:
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record(), 70.0))
    id_ = made.json()["id"]
    headers = {} if if_match is None else {"if-match": if_match}
    refused = doctor.put(f"Observation/{id_}", json=weight(server.record(), 99.0, id=id_), headers=headers)
    assert (refused.status_code, sentence(refused)) == (status, said)
    assert doctor.get(f"Observation/{id_}").content == made.content


@pytest.mark.parametrize("if_match", [None, 'W/"1"', 'W/"7"'])
def test_put_answers_alike_on_hidden_and_unknown(server: Served, if_match: str | None) -> None:
    made = server.staff("team-doctor").post("Observation", json=weight(server.record()))
    stranger = server.staff("unrelated-doctor")
    headers = {} if if_match is None else {"if-match": if_match}
    hidden, unknown = (
        stranger.put(f"Observation/{id_}", json=weight(server.record(), id=id_), headers=headers)
        for id_ in (made.json()["id"], UNKNOWN)
    )
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.content == unknown.content
    assert list(hidden.headers) == list(unknown.headers)


def test_put_does_the_same_work_on_hidden_and_unknown(server: Served) -> None:
    made = server.staff("team-doctor").post("Observation", json=weight(server.record()))
    stranger = server.staff("unrelated-doctor")
    grown = []
    for id_ in (made.json()["id"], UNKNOWN):
        before = _ledger_size(server)
        stranger.put(f"Observation/{id_}", json=weight(server.record(), id=id_))
        grown.append(_ledger_size(server) - before)
    assert grown == [1, 1]


def test_an_update_never_creates(server: Served) -> None:
    doctor = server.staff("team-doctor")
    refused = doctor.put(f"Observation/{UNKNOWN}", json=weight(server.record(), id=UNKNOWN))
    assert (refused.status_code, sentence(refused)) == (404, "record.not-found")
    assert doctor.get(f"Observation/{UNKNOWN}").status_code == 404


def test_the_address_and_the_body_name_the_same_item(server: Served) -> None:
    doctor = server.staff("team-doctor")
    id_ = doctor.post("Observation", json=weight(server.record())).json()["id"]
    for body in (weight(server.record(), id="other"), weight(server.record())):
        refused = doctor.put(f"Observation/{id_}", json=body, headers={"if-match": 'W/"1"'})
        assert (refused.status_code, sentence(refused)) == (400, "record.type-mismatch")
    refused = doctor.post("Condition", json=weight(server.record()))
    assert (refused.status_code, sentence(refused)) == (400, "record.type-mismatch")


def test_an_item_does_not_change_patient(server: Served) -> None:
    doctor = server.staff("attending")
    other = doctor.post("Patient", json=person("Quintrec")).json()["id"]
    made = doctor.post("Observation", json=weight(other))
    id_ = made.json()["id"]
    third = doctor.post("Patient", json=person("Rivolan")).json()["id"]
    refused = doctor.put(f"Observation/{id_}", json=weight(third, id=id_), headers={"if-match": 'W/"1"'})
    assert (refused.status_code, sentence(refused)) == (400, "record.owner-moved")
    assert doctor.get(f"Observation/{id_}").content == made.content


def test_an_absolute_reference_to_this_server_is_a_local_one(server: Served) -> None:
    doctor = server.staff("team-doctor")
    absolute = f"{server.address}/fhir/Patient/{server.record()}"
    made = doctor.post("Observation", json=weight(absolute))
    assert made.status_code == 201
    assert made.json()["subject"]["reference"] == absolute


@pytest.mark.parametrize(
    "reference",
    ["Jean Dupont", "Patient", "Practitioner/", "javascript:alert(1)", "Patient?name=x"],
)
def test_a_reference_is_checked_for_form_and_not_repeated(server: Served, reference: str) -> None:
    sent = weight(server.record(), performer=[{"reference": reference}])
    refused = server.staff("team-doctor").post("Observation", json=sent)
    assert (refused.status_code, sentence(refused)) == (422, "fhir.malformed-reference")
    assert outcome(refused)["expression"] == ["Observation.performer[0].reference"]
    assert reference not in refused.text or reference == "Patient"


@pytest.mark.parametrize("reference", ["Wizard/1", "Medication/1"])
def test_a_reference_to_what_may_not_stand_there_is_refused(server: Served, reference: str) -> None:
    sent = weight(server.record(), performer=[{"reference": reference}])
    refused = server.staff("team-doctor").post("Observation", json=sent)
    assert (refused.status_code, sentence(refused)) == (422, "fhir.wrong-target")
    assert outcome(refused)["expression"] == ["Observation.performer[0].reference"]


@pytest.mark.parametrize(
    "reference", [f"Practitioner/{UNKNOWN}", "https://example.org/fhir/Practitioner/7", f"urn:uuid:{UNKNOWN}"]
)
def test_a_reference_is_never_checked_for_existence(server: Served, reference: str) -> None:
    sent = weight(server.record(), performer=[{"reference": reference}])
    assert server.staff("team-doctor").post("Observation", json=sent).status_code == 201


def test_a_deletion_may_name_its_version(server: Served) -> None:
    doctor = server.staff("team-doctor")
    id_ = doctor.post("Observation", json=weight(server.record())).json()["id"]
    assert doctor.delete(f"Observation/{id_}", headers={"if-match": 'W/"4"'}).status_code == 412
    gone = doctor.delete(f"Observation/{id_}", headers={"if-match": 'W/"1"'})
    assert (gone.status_code, sentence(gone)) == (200, "api.deleted")
    assert doctor.delete(f"Observation/{id_}").status_code == 200
    assert (
        doctor.put(
            f"Observation/{id_}", json=weight(server.record(), id=id_), headers={"if-match": 'W/"2"'}
        ).status_code
        == 410
    )


def test_a_deletion_answers_alike_on_hidden_and_unknown(server: Served) -> None:
    made = server.staff("team-doctor").post("Observation", json=weight(server.record()))
    stranger = server.staff("unrelated-doctor")
    hidden, unknown = (stranger.delete(f"Observation/{id_}") for id_ in (made.json()["id"], UNKNOWN))
    assert (hidden.status_code, hidden.content) == (404, unknown.content)


def test_a_write_outside_one_s_grid_is_refused_with_one_sentence(server: Served) -> None:
    stranger = server.staff("unrelated-doctor")
    hidden = stranger.post("Observation", json=weight(server.record()))
    unknown = stranger.post("Observation", json=weight(UNKNOWN))
    assert (hidden.status_code, sentence(hidden)) == (403, "record.not-writable")
    assert hidden.content == unknown.content


@pytest.mark.capability("0-13", "lets")
def test_a_conditional_create_meets_what_is_there(server: Served) -> None:
    doctor = server.staff("team-doctor")
    mark = [{"system": "urn:balance", "value": "mesure-1"}]
    sent = weight(server.record(), identifier=mark)
    first = doctor.post(
        "Observation", json=sent, headers={"if-none-exist": "identifier=urn:balance|mesure-1"}
    )
    again = doctor.post(
        "Observation", json=sent, headers={"if-none-exist": "identifier=urn:balance|mesure-1"}
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["location"] == first.headers["location"]
    assert again.content == first.content


def test_a_condition_that_several_items_meet_writes_nothing(server: Served) -> None:
    doctor = server.staff("team-doctor")
    sent = weight(server.record(), identifier=[{"system": "urn:balance", "value": "double"}])
    for _ in range(2):
        doctor.post("Observation", json=sent)
    refused = doctor.post(
        "Observation", json=sent, headers={"if-none-exist": "identifier=urn:balance|double"}
    )
    assert (refused.status_code, sentence(refused)) == (412, "record.many-match")
    told = run(server.house.proving.trail(server.installation.as_patient(), server.record()))[1].event
    assert (told.interaction.value, told.count) == ("search", 2)


@pytest.mark.parametrize("condition", ["", "?", "colour=red", "identifier=", "_count=5", "subject.name=x"])
def test_a_condition_that_is_not_understood_is_refused(server: Served, condition: str) -> None:
    refused = server.staff("team-doctor").post(
        "Observation", json=weight(server.record()), headers={"if-none-exist": condition}
    )
    assert refused.status_code == 400


def test_a_condition_never_meets_a_hidden_item(server: Served) -> None:
    mark = [{"system": "urn:balance", "value": "cachée"}]
    condition = {"if-none-exist": "identifier=urn:balance|cach%C3%A9e"}
    server.staff("team-doctor").post("Observation", json=weight(server.record(), identifier=mark))
    hidden = server.staff("unrelated-doctor").post(
        "Observation", json=weight(server.record(), identifier=mark), headers=condition
    )
    unknown = server.staff("unrelated-doctor").post(
        "Observation", json=weight(UNKNOWN, identifier=mark), headers=condition
    )
    assert (hidden.status_code, hidden.content) == (403, unknown.content)


def test_twenty_equal_conditional_creates_at_once_make_one(server: Served) -> None:
    sent = weight(server.record(), identifier=[{"system": "urn:balance", "value": "course"}])
    doctor = server.staff("team-doctor", if_none_exist="identifier=urn:balance|course")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: doctor.post("Observation", json=sent), range(20)))
    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    assert len({one.headers["location"] for one in answers}) == 1
    found = doctor.get("Observation", params={"patient": server.record(), "identifier": "urn:balance|course"})
    assert found.json()["total"] == 1


def test_a_person_is_not_made_twice_by_somebody_who_may_only_find_them(server: Served) -> None:
    known = server.staff("team-doctor").get(f"Patient/{server.record()}").json()
    ins = next(one for one in known["identifier"] if "1.2.250.1.213.1.4" in one["system"])
    met = server.staff("locum").post(
        "Patient",
        json=person(),
        headers={"if-none-exist": f"identifier={ins['system']}|{ins['value']}"},
    )
    assert met.status_code == 200
    assert server.record() in met.headers["location"]


def test_what_is_written_is_dated_now(server: Served) -> None:
    made = server.staff("team-doctor").post("Observation", json=weight(server.record()))
    assert made.json()["meta"]["lastUpdated"].startswith(time.strftime("%Y-%m-%dT", time.gmtime()))


def _ledger_size(server: Served) -> int:
    with server.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()
