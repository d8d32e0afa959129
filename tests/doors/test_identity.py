"""How sure an identity is, over HTTP: two steps to INSi, a proof, and what leaves before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serment.demo.insi import Certified, LocalInsi
from serment.fhir.identity_body import TYPES
from serment.identity import ins
from serment.identity.status import RELIABILITY, STATUS_SYSTEM, status
from serment.identity.traits import Traits
from serment.intake.import_.run import run
from tests.doors.samples import Json, entry, person, weight
from tests.doors.served import Served, outcome, sentence, served

FAMILIES = [f"{one}{two}auval" for one in "BDGLMRST" for two in "aeiouy"]


def number_of(place: int) -> str:
    stem = f"2610299{place:03d}007"
    return stem + ins.key(stem)


def known(place: int) -> Traits:
    """Give one of the people whom INSi knows here: no two are alike, so that none is a duplicate."""
    born = f"{1930 + place}-02-{1 + place % 28:02d}"
    return Traits(FAMILIES[place].upper(), "ANAIS MARIE", born, "F", "99999")


ORDER = iter(range(len(FAMILIES)))
PLACES: dict[str, int] = {}
OTHER = "279035121518989"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: INSi knows one more person here."""
    with served(tmp_path_factory.mktemp("identity")) as running:
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


def made(doctor: httpx.Client, **more: Any) -> str:
    """Register a person whom INSi knows; give the id."""
    place = next(ORDER)
    answer = doctor.post("Patient", json=person(FAMILIES[place], known(place).birth_date, **more))
    assert answer.status_code == 201, answer.text
    id_: str = answer.json()["id"]
    PLACES[id_] = place
    return id_


def matricule(id_: str) -> str:
    return number_of(PLACES[id_])


def parameters(**given: Any) -> Json:
    listed = []
    for name, value in given.items():
        kind = {bool: "valueBoolean"}.get(type(value), "valueString" if name == "comparison" else "valueCode")
        listed.append({"name": name, kind: value})
    return {"resourceType": "Parameters", "parameter": listed}


def part(answer: httpx.Response, name: str) -> Any:
    assert answer.status_code == 200, answer.text
    found = next(one for one in answer.json()["parameter"] if one["name"] == name)
    return next(value for key, value in found.items() if key.startswith("value"))


def searched(doctor: httpx.Client, id_: str) -> str:
    token: str = part(doctor.post(f"Patient/{id_}/$insi-search"), "comparison")
    return token


def accepted(doctor: httpx.Client, id_: str, **more: Any) -> httpx.Response:
    given = parameters(comparison=searched(doctor, id_), compared=True, **more)
    return doctor.post(f"Patient/{id_}/$insi-accept", json=given)


def qualified(doctor: httpx.Client) -> str:
    id_ = made(doctor)
    assert accepted(doctor, id_, proof="PA").status_code == 200
    return id_


def put(doctor: httpx.Client, body: Json) -> httpx.Response:
    headers = {"if-match": f'W/"{body["meta"]["versionId"]}"'}
    return doctor.put(f"Patient/{body['id']}", json=body, headers=headers)


def said(code: str) -> Json:
    parts = [{"url": "identityStatus", "valueCoding": {"system": STATUS_SYSTEM, "code": code}}]
    return {"url": RELIABILITY, "extension": parts}


def with_status(body: Json, code: str) -> Json:
    """Say another status, and no matricule."""
    others = [one for one in body.get("extension", []) if one["url"] != RELIABILITY]
    kept = {name: value for name, value in body.items() if name != "identifier"}
    return {**kept, "extension": [*others, said(code)]}


def number(value: str = OTHER, oid: str = ins.NIR_TEST) -> list[Json]:
    kind = {"coding": [{"system": TYPES, "code": "INS-NIR-TEST"}]}
    return [{"use": "official", "type": kind, "system": f"urn:oid:{oid}", "value": value}]


@pytest.mark.capability("0-02", "lets")
def test_insi_then_a_proof_qualify_an_identity(doctor: httpx.Client) -> None:
    id_ = made(doctor)
    answer = accepted(doctor, id_)
    assert (answer.status_code, sentence(answer)) == (200, "identity.accepted")
    retrieved = doctor.get(f"Patient/{id_}").json()
    assert (status(retrieved), "identifier" in retrieved) == ("RECUP", False)
    doctor.post(f"Patient/{id_}/$identity-proof", json=parameters(proof="PA"))
    sure = doctor.get(f"Patient/{id_}").json()
    assert status(sure) == "QUAL"
    assert list(ins.matricules(sure)) == [(ins.NIR_TEST, matricule(id_))]
    assert sure["name"][0]["given"] == ["ANAIS"]


def test_both_in_one_gesture_make_one_version(doctor: httpx.Client) -> None:
    id_ = qualified(doctor)
    sure = doctor.get(f"Patient/{id_}").json()
    assert (status(sure), sure["meta"]["versionId"]) == ("QUAL", "2")


def test_what_insi_answers_is_shown_trait_by_trait_and_without_the_matricule(doctor: httpx.Client) -> None:
    id_ = made(doctor)
    answer = doctor.post(f"Patient/{id_}/$insi-search")
    traits = [one["part"] for one in answer.json()["parameter"] if one["name"] == "trait"]
    differing = [one[0]["valueCode"] for one in traits if one[-1]["valueBoolean"]]
    assert (len(traits), differing) == (5, ["given-names", "birth-place"])
    assert matricule(id_) not in answer.text
    assert doctor.get(f"Patient/{id_}").json()["meta"]["versionId"] == "1"


@pytest.mark.capability("0-02", "refuses")
def test_nothing_of_insi_is_stored_before_a_person_has_compared(server: Served, doctor: httpx.Client) -> None:
    id_ = made(doctor)
    token = searched(doctor, id_)
    door = f"Patient/{id_}/$insi-accept"
    for given in ({"comparison": token}, {"comparison": token, "compared": False}):
        assert sentence(doctor.post(door, json=parameters(**given))) == "identity.not-compared"
    for forged in ("", token[:-4], token[:-2] + "AA"):
        refused = doctor.post(door, json=parameters(comparison=forged, compared=True))
        assert refused.status_code in {400, 422}
    assert doctor.get(f"Patient/{id_}").json()["meta"]["versionId"] == "1"


def test_the_answer_for_one_patient_is_not_accepted_for_another(doctor: httpx.Client) -> None:
    one, other = made(doctor), made(doctor)
    given = parameters(comparison=searched(doctor, one), compared=True)
    assert sentence(doctor.post(f"Patient/{other}/$insi-accept", json=given)) == "identity.comparison"


def test_an_answer_compared_with_another_version_is_not_accepted(doctor: httpx.Client) -> None:
    id_ = made(doctor)
    token = searched(doctor, id_)
    body = doctor.get(f"Patient/{id_}").json()
    assert put(doctor, body | {"active": True}).status_code == 200
    answer = doctor.post(f"Patient/{id_}/$insi-accept", json=parameters(comparison=token, compared=True))
    assert (answer.status_code, sentence(answer)) == (409, "identity.comparison")


def test_a_proof_of_low_trust_lifts_nothing(doctor: httpx.Client) -> None:
    id_ = made(doctor)
    doctor.post(f"Patient/{id_}/$identity-proof", json=parameters(proof="PC"))
    assert status(doctor.get(f"Patient/{id_}").json()) == "PROV"
    unknown = doctor.post(f"Patient/{id_}/$identity-proof", json=parameters(proof="XX"))
    assert sentence(unknown) == "identity.proof-kind"


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize("role", ["patient", "husband"])
def test_nobody_qualifies_themselves(server: Served, role: str) -> None:
    door = f"Patient/{server.record()}/$identity-proof"
    answer = server.patient(role).post(door, json=parameters(proof="PA"))
    assert (answer.status_code, sentence(answer)) == (403, "identity.gesture")


@pytest.mark.parametrize("door", ["$insi-search", "$identity-proof", "$insi-accept"])
def test_a_hidden_record_and_an_absent_one_answer_alike(server: Served, door: str) -> None:
    stranger = server.staff("unrelated-doctor")
    given = parameters(proof="PA") if door == "$identity-proof" else None
    hidden, absent = (
        stranger.post(f"Patient/{id_}/{door}", json=given) for id_ in (server.record(), "nobody")
    )
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize("claimed", ["VALI", "RECUP", "QUAL"])
def test_a_status_is_not_declared_by_any_door(doctor: httpx.Client, claimed: str) -> None:
    sent = person(extension=[said(claimed)])
    assert sentence(doctor.post("Patient", json=sent)) == "identity.status-claimed"
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(sent)]}
    assert doctor.post("", json=bundle).status_code == 422
    id_ = made(doctor)
    body = doctor.get(f"Patient/{id_}").json()
    assert sentence(put(doctor, body | {"extension": [said(claimed)]})) == "identity.status-claimed"
    patch = [{"op": "add", "path": "/extension", "value": [said(claimed)]}]
    headers = {"content-type": "application/json-patch+json"}
    patched = doctor.patch(f"Patient/{id_}", content=json.dumps(patch), headers=headers)
    assert sentence(patched) == "identity.status-claimed"


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize(
    ("identifier", "refused"),
    [
        (number(), "identity.ins-unqualified"),
        (number(OTHER[:-1] + "0"), "identity.ins-key"),
        (number(oid=ins.NIR), "identity.ins-unqualified"),
    ],
    ids=["unqualified", "wrong-key", "wrong-oid"],
)
def test_no_matricule_is_typed_without_a_qualified_identity(
    doctor: httpx.Client, identifier: list[Json], refused: str
) -> None:
    assert sentence(doctor.post("Patient", json=person(identifier=identifier))) == refused


def test_the_matricule_of_somebody_else_is_written_nowhere_in_the_record(doctor: httpx.Client) -> None:
    id_ = qualified(doctor)
    observed = weight(id_)
    observed["subject"]["identifier"] = {"system": f"urn:oid:{ins.NIR_TEST}", "value": OTHER}
    assert sentence(doctor.post("Observation", json=observed)) == "identity.ins-other"
    observed["subject"]["identifier"]["value"] = matricule(id_)
    assert doctor.post("Observation", json=observed).status_code == 201


@pytest.mark.capability("0-02", "refuses")
def test_a_qualified_trait_is_not_edited_without_the_status_falling(doctor: httpx.Client) -> None:
    id_ = qualified(doctor)
    body = doctor.get(f"Patient/{id_}").json()
    edited = body | {"birthDate": "1999-12-31"}
    refused = put(doctor, edited)
    assert (refused.status_code, sentence(refused)) == (422, "identity.status-falls")
    assert "VALI" in outcome(refused)["details"]["text"]
    assert put(doctor, with_status(edited, "VALI")).status_code == 200
    back = doctor.get(f"Patient/{id_}").json()
    again = put(doctor, {**body, "meta": back["meta"]})
    assert sentence(again) == "identity.status-claimed"


def test_what_is_no_strict_trait_is_edited_freely(doctor: httpx.Client) -> None:
    id_ = qualified(doctor)
    body = doctor.get(f"Patient/{id_}").json()
    changed = body | {"telecom": [{"system": "phone", "value": "06 39 98 00 00"}]}
    assert put(doctor, changed).status_code == 200
    assert status(doctor.get(f"Patient/{id_}").json()) == "QUAL"


@pytest.mark.capability("0-02", "refuses")
def test_a_matricule_leaves_through_no_door_once_the_identity_has_fallen(
    server: Served, doctor: httpx.Client
) -> None:
    id_ = qualified(doctor)
    body = doctor.get(f"Patient/{id_}").json()
    assert put(doctor, with_status(body | {"birthDate": "1999-12-31"}, "VALI")).status_code == 200
    address = f"{server.address}/fhir/Patient/{id_}"
    doors = (
        "",
        "/_history",
        "/_history/1",
        "/_history/2",
        "/_history/3",
        "/$everything",
        "/$summary",
    )
    for door in doors:
        answer = doctor.get(f"{address}{door}")
        assert answer.status_code == 200, door
        assert matricule(id_) not in answer.text, door
    asked = [entry(None, "GET", f"Patient/{id_}"), entry(None, "GET", f"Patient/{id_}/_history/2")]
    batch = doctor.post("", json={"resourceType": "Bundle", "type": "batch", "entry": asked})
    history = doctor.get("Patient/_history", params={"patient": id_})
    found = doctor.get("Patient", params={"birthdate": "1999-12-31", "family": body["name"][0]["family"]})
    assert found.json()["total"] == 1
    assert matricule(id_) not in batch.text + history.text + found.text


@pytest.mark.capability("0-02", "lets")
def test_the_person_is_still_found_by_the_number_that_was_set_aside(doctor: httpx.Client) -> None:
    id_ = made(doctor)
    accepted(doctor, id_)
    found = doctor.get("Patient", params={"identifier": f"urn:oid:{ins.NIR_TEST}|{matricule(id_)}"})
    assert id_ in {one["resource"]["id"] for one in found.json()["entry"]}
    assert status(doctor.get(f"Patient/{id_}").json()) == "RECUP"
    assert matricule(id_) not in json.dumps(
        [one["resource"] for one in found.json()["entry"] if one["resource"]["id"] == id_]
    )


def test_insi_is_not_asked_about_a_doubtful_identity(server: Served, doctor: httpx.Client) -> None:
    comment = {"url": "comment", "valueCodeableConcept": {"coding": [{"code": "DOUT"}]}}
    doubtful = said("PROV")
    doubtful["extension"].append(comment)
    id_ = made(doctor, extension=[doubtful])
    for door in ("$insi-search", "$identity-proof"):
        answer = doctor.post(f"Patient/{id_}/{door}", json=parameters(proof="PA"))
        assert sentence(answer) == "identity.insi-forbidden"


def test_the_person_reads_that_insi_was_asked_and_a_proof_checked(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    told = page.get("/me/who").text
    assert "INSi" in told


@pytest.mark.capability("0-02", "refuses")
def test_a_received_identity_says_nothing_but_provisional(server: Served, tmp_path: Path) -> None:
    import_ = _service(server)
    claimed = {
        **person("Recu", "1950-01-02"),
        "id": "r1",
        "extension": [said("QUAL")],
        "identifier": number(OTHER),
    }
    wrong = {**person("Recu", "1950-01-03"), "id": "r2", "identifier": number(OTHER[:-1] + "0")}
    (tmp_path / "people.ndjson").write_text("\n".join(json.dumps(one) for one in (claimed, wrong)))
    report = run(server.house, tmp_path, import_)
    assert (report.received, report.stored, report.quarantined) == (2, 2, 0)
    finder = server.staff("secretary")
    found = finder.get("Patient", params={"identifier": f"urn:oid:{ins.NIR_TEST}|{OTHER}"}).json()
    assert (found["total"], status(found["entry"][0]["resource"])) == (1, "PROV")
    assert OTHER not in json.dumps(found["entry"])


@pytest.mark.capability("0-02", "refuses")
def test_a_received_document_of_an_unqualified_identity_waits_for_a_person(
    server: Served, tmp_path: Path
) -> None:
    subject = {**person("Document", "1951-01-02"), "id": "d1", "identifier": number(OTHER)}
    sheet = {
        "resourceType": "DocumentReference",
        "id": "d2",
        "status": "current",
        "subject": {"reference": "Patient/d1", "identifier": number(OTHER)[0]},
        "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
    }
    plain = {**sheet, "id": "d3", "subject": {"reference": "Patient/d1"}}
    text = "\n".join(json.dumps(one) for one in (subject, sheet, plain))
    (tmp_path / "documents.ndjson").write_text(text)
    report = run(server.house, tmp_path, _service(server))
    assert (report.stored, report.quarantined) == (2, 1)
    assert dict(report.reasons) == {"identity.filing-906": 1}


def _service(server: Served) -> Any:
    from serment.intake.import_.run import service

    return service(server.house, server.installation.staff("team-doctor").structure)
