"""The CapabilityStatement lists exactly what works: what it lists is driven, the rest refused."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from serment.api.abilities import FOR_ALL, OPERATIONS, OWN_ONLY, READ_ONLY, searched_types, served_types
from serment.fhir import search
from serment.fhir.compartment import mention_codes
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.patch import MEDIA_TYPE
from serment.server import ROUTES
from tests.doors.samples import Json, person, weight
from tests.doors.served import Served, sentence

SAMPLE = (
    "Observation",
    "Condition",
    "Patient",
    "Encounter",
    "MedicationRequest",
    "DocumentReference",
    "Practitioner",
)
OWNERS = ("patient", "subject", "beneficiary", "individual")
PATCH = '[{"op": "test", "path": "/resourceType", "value": "Observation"}]'
VALUES = {
    "token": "x",
    "reference": "1",
    "date": "2020",
    "string": "x",
    "number": "1",
    "quantity": "1",
    "uri": "urn:x",
}
SECOND_PARTS = {"date": "2020", "quantity": "5", "relationship": "replaces"}


@pytest.fixture(scope="module")
def said(running: Served) -> dict[str, Json]:
    statement = httpx.get(f"{running.address}/fhir/metadata").json()
    return {one["type"]: one for one in statement["rest"][0]["resource"]}


def test_the_statement_needs_no_sign_in_and_says_who_we_are(server: Served) -> None:
    statement = httpx.get(f"{server.address}/fhir/metadata").json()
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    assert statement["implementation"]["url"] == f"{server.address}/fhir"
    assert {one["code"] for one in statement["rest"][0]["interaction"]} == {"transaction", "batch"}


def test_every_type_that_answers_is_listed_and_no_other(server: Served, said: dict[str, Json]) -> None:
    assert set(said) == served_types() | READ_ONLY | OWN_ONLY
    doctor = server.staff("team-doctor")
    for type_ in sorted(search.resource_types() - served_types() - READ_ONLY - OWN_ONLY):
        assert sentence(doctor.get(f"{type_}/1")) == "api.unknown-type"
        assert sentence(doctor.get(type_)) == "api.unknown-type"
        assert sentence(doctor.post(type_, json={"resourceType": type_})) == "api.unknown-type"


@pytest.mark.parametrize("type_", sorted(searched_types()))
def test_every_type_that_lists_a_search_answers_one(
    server: Served, said: dict[str, Json], type_: str
) -> None:
    assert "search-type" in {one["code"] for one in said[type_]["interaction"]}
    answer = server.staff("team-doctor").get(type_, params=naming(said, server, type_))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("type_", sorted(served_types() - searched_types()))
def test_a_type_that_lists_no_search_answers_none(server: Served, said: dict[str, Json], type_: str) -> None:
    assert "search-type" not in {one["code"] for one in said[type_]["interaction"]}
    assert "searchParam" not in said[type_]
    assert server.staff("team-doctor").get(f"{type_}?patient={server.record()}").status_code == 400


@pytest.mark.parametrize("type_", SAMPLE)
def test_every_listed_parameter_is_answered(server: Served, said: dict[str, Json], type_: str) -> None:
    doctor = server.staff("team-doctor")
    assert len(said[type_]["searchParam"]) > 3
    for parameter in said[type_]["searchParam"]:
        asked = {**naming(said, server, type_)}
        if parameter["name"] in OWNERS and type_ not in DIRECTORY_TYPES:
            asked = {parameter["name"]: f"Patient/{server.record()}"}
        asked.setdefault(parameter["name"], value_of(parameter))
        answer = doctor.get(type_, params=asked)
        assert answer.status_code == 200, (parameter["name"], answer.text)
        assert answer.json()["resourceType"] == "Bundle"


@pytest.mark.parametrize("type_", SAMPLE)
def test_every_parameter_that_is_not_listed_is_refused(
    server: Served, said: dict[str, Json], type_: str
) -> None:
    listed = {one["name"] for one in said[type_]["searchParam"]}
    doctor = server.staff("team-doctor")
    others = {
        *search.parameters(type_),
        "_content",
        "_text",
        "_filter",
        "_list",
        "_has:X:y:z",
        "foo",
    } - listed
    assert others
    for name in sorted(others):
        answer = doctor.get(type_, params={**naming(said, server, type_), name: "1"})
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "not-supported"), name


def value_of(parameter: Json) -> str:
    """Give a value that a listed parameter takes."""
    name: str = parameter["name"]
    if parameter["type"] != "composite":
        return VALUES[parameter["type"]]
    return f"x${SECOND_PARTS.get(name.rpartition('-')[2], 'x')}"


@pytest.mark.parametrize("type_", SAMPLE)
def test_every_listed_include_is_answered(server: Served, said: dict[str, Json], type_: str) -> None:
    doctor = server.staff("team-doctor")
    for name, member in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
        for value in said[type_].get(member, [])[::7]:
            answer = doctor.get(type_, params={**naming(said, server, type_), name: value, "_count": "2"})
            assert answer.status_code == 200, (value, answer.text)


def naming(said: dict[str, Json], server: Served, type_: str) -> dict[str, Any]:
    """Give what a search of the type needs: its patient, by a listed parameter."""
    if type_ == "Patient":
        return {"_id": server.record()}
    if type_ in DIRECTORY_TYPES:
        return {}
    listed = {one["name"]: one["type"] for one in said[type_]["searchParam"]}
    owner = next((code for code in OWNERS if listed.get(code) == "reference"), None)
    if owner is not None:
        return {owner: f"Patient/{server.record()}"}
    return {sorted(mention_codes(type_))[0]: f"Patient/{server.record()}"}


def test_every_listed_interaction_of_a_type_works(server: Served, said: dict[str, Json]) -> None:
    listed = {one["code"] for one in said["Observation"]["interaction"]}
    doctor = server.staff("team-doctor")
    made = doctor.post("Observation", json=weight(server.record()))
    at = f"Observation/{made.json()['id']}"
    changed = weight(server.record(), 1, id=made.json()["id"])
    driven = {
        "create": made.status_code == 201,
        "read": doctor.get(at).status_code == 200,
        "vread": doctor.get(f"{at}/_history/1").status_code == 200,
        "history-instance": doctor.get(f"{at}/_history").status_code == 200,
        "history-type": doctor.get(f"Observation/_history?patient={server.record()}").status_code == 200,
        "search-type": doctor.get(f"Observation?patient={server.record()}").status_code == 200,
        "update": doctor.put(at, json=changed, headers={"if-match": 'W/"1"'}).status_code == 200,
        "patch": doctor.patch(at, content=PATCH, headers={"content-type": MEDIA_TYPE}).status_code == 200,
        "delete": doctor.delete(at).status_code == 200,
    }
    assert set(driven) == listed
    assert all(driven.values())
    assert said["Observation"]["conditionalCreate"] is True


def test_what_is_not_listed_is_refused(server: Served, said: dict[str, Json]) -> None:
    assert said["Patient"]["updateCreate"] is False
    assert said["Binary"]["conditionalUpdate"] is False
    assert said["Binary"]["conditionalDelete"] == "not-supported"
    doctor = server.staff("team-doctor")
    unknown = doctor.put("Patient/x1", json=person(id="x1"))
    assert unknown.status_code == 404
    for method in ("PUT", "PATCH", "DELETE"):
        assert doctor.request(method, "Binary?_id=1", json={}).status_code == 405
    assert doctor.patch("Binary/x1", json={}).status_code == 405
    assert "history-type" not in {one["code"] for one in said["Patient"]["interaction"]}
    assert doctor.get("Patient/_history").status_code == 400
    assert doctor.get(f"Patient/{server.record()}/Observation").status_code == 404
    assert doctor.get("").status_code == 405


def test_every_operation_that_has_an_address_is_listed_and_no_other(said: dict[str, Json]) -> None:
    found = [
        re.fullmatch(r"/fhir/([A-Z][A-Za-z]+)/(?:\{id:logical\}/)?\$([a-z-]+)", one.path) for one in ROUTES
    ]
    routed = {(match[1], match[2]) for match in found if match}
    listed = {(type_, one["name"]) for type_, row in said.items() for one in row.get("operation", [])}
    assert routed == {(type_, name) for type_, row in OPERATIONS.items() for name in row}
    assert listed - routed == {(type_, name) for type_ in served_types() for name in FOR_ALL}
    assert {f"/fhir/{{type:type}}/${name}" for name in FOR_ALL} <= {one.path for one in ROUTES}


def test_a_trace_is_listed_as_read_only(said: dict[str, Json]) -> None:
    row = said["AuditEvent"]
    assert [one["code"] for one in row["interaction"]] == ["read", "search-type"]
    assert row["conditionalCreate"] is row["conditionalUpdate"] is row["readHistory"] is False
