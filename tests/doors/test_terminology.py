"""The lists that are shipped, asked over HTTP: expanded, looked up, the same for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from serment.model import EmergencyReason
from tests.doors.served import Served, sentence, served

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
CODES = "http://hl7.org/fhir/administrative-gender"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("terminology")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def parameters(**values: Any) -> dict[str, Any]:
    kinds = {str: "valueString", int: "valueInteger", dict: "valueCoding"}
    given = [{"name": name, kinds[type(value)]: value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": given}


def test_the_reasons_of_an_emergency_are_a_list_in_the_language_of_the_reader(server: Served) -> None:
    asked = {"url": "urn:serment:reason"}
    french = server.staff("team-doctor", accept_language="fr").get("ValueSet/$expand", params=asked).json()
    english = server.staff("team-doctor", accept_language="en").get("ValueSet/$expand", params=asked).json()
    shown = [one["code"] for one in french["expansion"]["contains"]]
    assert shown == [one["code"] for one in english["expansion"]["contains"]] == [*map(str, EmergencyReason)]
    assert french["expansion"]["contains"] != english["expansion"]["contains"]


@pytest.mark.parametrize("url", ["urn:serment:labels", "urn:serment:declared-reason", GENDER])
def test_a_patient_gets_the_list_that_a_doctor_gets(server: Served, url: str) -> None:
    answers = [
        client.get("ValueSet/$expand", params={"url": url}).json()["expansion"]["contains"]
        for client in (server.patient(), server.staff("team-doctor"))
    ]
    assert answers[0] == answers[1] != []


def test_the_document_types_are_found_by_a_french_word(server: Served) -> None:
    asked = {"url": "urn:serment:document-types", "filter": "ordonnance", "count": "3"}
    found = server.staff("team-doctor").get("ValueSet/$expand", params=asked).json()["expansion"]
    assert 1 <= len(found["contains"]) <= 3
    assert all("rdonnance" in one["display"] for one in found["contains"])


def test_a_parameters_resource_asks_the_same(server: Served) -> None:
    doctor = server.staff("team-doctor")
    posted = doctor.post("ValueSet/$expand", json=parameters(url=GENDER, count=2))
    assert [one["code"] for one in posted.json()["expansion"]["contains"]] == ["male", "female"]
    coding = {"system": CODES, "code": "male"}
    said = doctor.post("ValueSet/$validate-code", json=parameters(url=GENDER, coding=coding)).json()
    assert said["parameter"][0] == {"name": "result", "valueBoolean": True}


@pytest.mark.parametrize(
    ("address", "asked", "result"),
    [
        ("ValueSet", {"url": GENDER, "system": CODES, "code": "male"}, True),
        ("ValueSet", {"url": GENDER, "system": CODES, "code": "M"}, False),
        ("ValueSet", {"url": GENDER, "system": CODES, "code": "male", "display": "Homme"}, False),
        ("CodeSystem", {"url": CODES, "code": "male"}, True),
        ("CodeSystem", {"url": "urn:serment:label", "code": "SERMENT_TIERS"}, True),
    ],
)
def test_a_code_is_looked_up(server: Served, address: str, asked: dict[str, str], result: bool) -> None:
    said = server.staff("team-doctor").get(f"{address}/$validate-code", params=asked)
    assert said.json()["parameter"][0]["valueBoolean"] is result


@pytest.mark.parametrize(
    ("address", "asked", "status", "said"),
    [
        ("ValueSet/$expand", {}, 400, "terminology.url-missing"),
        ("ValueSet/$expand", {"url": "http://x"}, 404, "terminology.no-value-set"),
        ("ValueSet/$expand", {"url": GENDER, "count": "-1"}, 400, "terminology.parameters"),
        ("ValueSet/$expand", {"url": GENDER, "count": "9" * 5000}, 400, "terminology.parameters"),
        ("ValueSet/$expand", {"url": GENDER, "context": "x"}, 400, "terminology.parameter"),
        ("ValueSet/$validate-code", {"url": GENDER}, 400, "terminology.code-missing"),
        (
            "CodeSystem/$validate-code",
            {"url": "http://loinc.org", "code": "x"},
            404,
            "terminology.no-code-system",
        ),
        ("CodeSystem/$validate-code", {"url": CODES, "codeableConcept": "x"}, 400, "terminology.parameter"),
    ],
)
def test_what_is_not_understood_is_refused(
    server: Served, address: str, asked: dict[str, str], status: int, said: str
) -> None:
    answer = server.staff("team-doctor").get(address, params=asked)
    assert (answer.status_code, sentence(answer)) == (status, said)


def test_a_parameter_given_twice_is_refused(server: Served) -> None:
    answer = server.staff("team-doctor").get(f"ValueSet/$expand?url={GENDER}&url={GENDER}")
    assert sentence(answer) == "terminology.twice"
