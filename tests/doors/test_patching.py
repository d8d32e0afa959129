"""JSON Patch, conditional update, patch and deletion over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.doors.samples import Json, person, weight
from tests.doors.served import Served, sentence
from tests.installation import run

PATCH = "application/json-patch+json"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def patch(*operations: Json) -> dict[str, Any]:
    return {"content": json.dumps(operations), "headers": {"content-type": PATCH}}


def put(path: str, value: Any) -> Json:
    return {"op": "replace", "path": path, "value": value}


def made(server: Served, kilograms: float = 70.5, **more: Any) -> str:
    answer = server.staff("team-doctor").post("Observation", json=weight(server.record(), kilograms, **more))
    return str(answer.json()["id"])


def mark(name: str) -> Json:
    return {"identifier": [{"system": "urn:test", "value": name}]}


def where(server: Served, name: str) -> dict[str, str]:
    return {"patient": server.record(), "identifier": f"urn:test|{name}"}


def test_a_patch_changes_one_place_and_leaves_the_other_bytes(server: Served) -> None:
    doctor = server.staff("team-doctor")
    sent = json.dumps(weight(server.record())).replace("70.5", "70.500")
    id_ = doctor.post("Observation", content=sent).json()["id"]
    before = doctor.get(f"Observation/{id_}").text
    answer = doctor.patch(f"Observation/{id_}", **patch(put("/valueQuantity/unit", "kilo")))
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    after = doctor.get(f"Observation/{id_}").text
    assert answer.text == after
    lasting = before.replace('"kg"', '"kilo"').replace('"versionId":"1"', '"versionId":"2"')
    assert after.partition('"lastUpdated"')[0] == lasting.partition('"lastUpdated"')[0]
    assert after.partition('"status"')[2] == lasting.partition('"status"')[2]
    assert "70.500" in after


def test_a_patch_meets_the_version_that_it_names(server: Served) -> None:
    doctor, id_ = server.staff("team-doctor"), made(server)
    asked = patch(put("/valueQuantity/value", 71))
    for named, status in (('W/"9"', 412), ('W/"1"', 200), ('W/"1"', 412), ("1", 400)):
        asked["headers"]["if-match"] = named
        assert doctor.patch(f"Observation/{id_}", **asked).status_code == status, named


@pytest.mark.parametrize(
    ("operation", "status", "said"),
    [
        ({"op": "test", "path": "/status", "value": "amended"}, 422, "patch.test-failed"),
        ({"op": "remove", "path": "/nothing"}, 422, "patch.no-place"),
        ({"op": "replace", "path": "/id", "value": "other"}, 422, "patch.identity"),
        ({"op": "replace", "path": "", "value": {"resourceType": "Basic"}}, 422, "fhir.missing-element"),
        ({"op": "replace", "path": "/subject/reference", "value": "Patient/x"}, 400, "record.owner-moved"),
        ({"op": "remove", "path": "/status"}, 422, "fhir.missing-element"),
        ({"op": "remove", "path": "/category/0"}, 422, "fhir.empty"),
        ({"op": "nonsense", "path": "/status"}, 400, "patch.malformed"),
    ],
)
def test_a_patch_that_cannot_be_done_writes_nothing(
    server: Served, operation: Json, status: int, said: str
) -> None:
    doctor, id_ = server.staff("team-doctor"), made(server)
    refused = doctor.patch(f"Observation/{id_}", **patch(operation))
    assert (refused.status_code, sentence(refused)) == (status, said)
    assert doctor.get(f"Observation/{id_}").headers["etag"] == 'W/"1"'


def test_a_patch_is_json_patch_and_nothing_else(server: Served) -> None:
    doctor, id_ = server.staff("team-doctor"), made(server)
    for kind in ("application/fhir+json", "application/merge-patch+json", "application/xml-patch+xml"):
        answer = doctor.patch(f"Observation/{id_}", content="[]", headers={"content-type": kind})
        assert (answer.status_code, sentence(answer)) == (415, "patch.media-type")


def test_a_patch_answers_alike_on_hidden_and_unknown(server: Served) -> None:
    stranger, id_ = server.staff("unrelated-doctor"), made(server)
    operation = patch({"op": "test", "path": "/status", "value": "final"})
    hidden, unknown = (stranger.patch(f"Observation/{one}", **operation) for one in (id_, UNKNOWN))
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.content == unknown.content


def test_a_patch_is_traced_as_a_read_and_a_write(server: Served) -> None:
    """What a `test` learns is a reading: the patient sees it."""
    doctor, id_ = server.staff("team-doctor"), made(server)
    refused = doctor.patch(
        f"Observation/{id_}", **patch({"op": "test", "path": "/status", "value": "amended"})
    )
    assert refused.status_code == 422
    proving, me = server.installation.house.proving, server.installation.as_patient()
    first = run(proving.trail(me, server.installation.record()))[1]
    assert (first.event.interaction.value, first.event.resources) == (
        "read",
        (f"Observation/{id_}/_history/1",),
    )


def test_a_patch_that_lowers_a_protection_says_why(server: Served) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    id_ = made(server, meta={"security": [label]})
    doctor = server.staff("team-doctor")
    asked = patch({"op": "remove", "path": "/meta/security"})
    assert sentence(doctor.patch(f"Observation/{id_}", **asked)) == "record.relabel"
    asked["headers"]["serment-relabel-reason"] = "error"
    assert doctor.patch(f"Observation/{id_}", **asked).status_code == 200


def test_a_conditional_update_creates_then_updates_the_same_item(server: Served) -> None:
    doctor, asked = server.staff("team-doctor"), where(server, "upsert")
    first = doctor.put("Observation", params=asked, json=weight(server.record(), 1, **mark("upsert")))
    assert first.status_code == 201
    second = doctor.put("Observation", params=asked, json=weight(server.record(), 2, **mark("upsert")))
    assert (second.status_code, second.headers["etag"]) == (200, 'W/"2"')
    assert second.json()["id"] == first.json()["id"]
    stale = doctor.put(
        "Observation",
        params=asked,
        json=weight(server.record(), 3, **mark("upsert")),
        headers={"if-match": 'W/"1"'},
    )
    assert stale.status_code == 412
    other = weight(server.record(), 4, id="other", **mark("upsert"))
    assert sentence(doctor.put("Observation", params=asked, json=other)) == "record.type-mismatch"


def test_a_conditional_update_that_names_a_version_creates_nothing(server: Served) -> None:
    doctor, asked = server.staff("team-doctor"), where(server, "nothing-here")
    sent = weight(server.record(), **mark("nothing-here"))
    refused = doctor.put("Observation", params=asked, json=sent, headers={"if-match": 'W/"1"'})
    assert (refused.status_code, sentence(refused)) == (412, "record.no-version")
    assert doctor.get("Observation", params=asked).json()["total"] == 0


def test_a_person_is_updated_or_registered_by_who_they_are(server: Served) -> None:
    doctor = server.staff("team-doctor")
    asked = {"birthdate": "1961-02-03", "family": "Upsertdeux"}
    first = doctor.put("Patient", params=asked, json=person("Upsertdeux"))
    second = doctor.put("Patient", params=asked, json=person("Upsertdeux", gender="other"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_several_that_meet_a_condition_are_none(server: Served, method: str) -> None:
    doctor = server.staff("team-doctor")
    name = f"several-{method}"
    ids = [made(server, **mark(name)) for _ in range(2)]
    sent: dict[str, Any] = {
        "PUT": {"json": weight(server.record())},
        "PATCH": patch(put("/status", "final")),
    }.get(method, {})
    answer = doctor.request(method, "Observation", params=where(server, name), **sent)
    assert (answer.status_code, sentence(answer)) == (412, "record.many-match")
    assert all(doctor.get(f"Observation/{id_}").headers["etag"] == 'W/"1"' for id_ in ids)


def test_the_one_that_meets_a_condition_is_patched_and_deleted(server: Served) -> None:
    doctor, asked = server.staff("team-doctor"), where(server, "one")
    id_ = made(server, **mark("one"))
    changed = doctor.patch("Observation", params=asked, **patch(put("/valueQuantity/value", 3)))
    assert (changed.status_code, changed.json()["id"]) == (200, id_)
    gone = doctor.delete("Observation", params=asked)
    assert gone.status_code == 200
    assert doctor.get(f"Observation/{id_}").status_code == 410
    assert doctor.delete("Observation", params=asked).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_condition_meets_nothing_that_is_hidden(server: Served, method: str) -> None:
    made(server, **mark("hidden"))
    stranger = server.staff("unrelated-doctor")
    sent: dict[str, Any] = patch(put("/status", "final")) if method == "PATCH" else {}
    answers = [
        stranger.request(method, "Observation", params={**where(server, name), "patient": patient}, **sent)
        for name, patient in (("hidden", server.record()), ("never", server.record()), ("never", UNKNOWN))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "query", ["", "?", "?_count=1", "?patient=1&_include=Observation:subject", "?patient.name=a"]
)
def test_a_condition_asks_for_the_item_itself(server: Served, query: str) -> None:
    doctor = server.staff("team-doctor")
    for method in ("PUT", "DELETE"):
        sent: dict[str, Any] = {"json": weight(server.record())} if method == "PUT" else {}
        assert doctor.request(method, f"Observation{query}", **sent).status_code == 400


def test_a_clinical_condition_names_its_patient(server: Served) -> None:
    answer = server.staff("team-doctor").delete("Observation", params={"identifier": "urn:test|x"})
    assert (answer.status_code, sentence(answer)) == (400, "record.one-patient")
