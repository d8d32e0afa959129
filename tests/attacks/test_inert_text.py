"""Stored attack strings show inert on every page of a record: nothing runs, nothing reaches out or spills."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.attacks.inert import LONG, MARK, STRINGS, faults
from tests.doors.served import Served, served
from tests.unit.paper.test_cda import document as cda

TERMS = "http://terminology.hl7.org/CodeSystem"


def resources(text: str) -> Iterator[dict[str, Any]]:
    """Put a text into every text field that a page of a record shows."""
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": text}], "text": text}
    who = {"display": text, "identifier": {"system": "https://rpps.esante.gouv.fr", "value": "10101010101"}}
    lab = [{"coding": [{"system": f"{TERMS}/observation-category", "code": "laboratory"}]}]
    note = [{"text": text, "authorString": text}]
    yield {"resourceType": "Condition", "code": code, "note": note, "recorder": who, "asserter": who}
    yield {
        "resourceType": "AllergyIntolerance",
        "code": code,
        "clinicalStatus": {"coding": [{"system": f"{TERMS}/allergyintolerance-clinical", "code": "active"}]},
        "reaction": [{"manifestation": [{"text": text}], "description": text}],
    }
    yield {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": code,
        "dosageInstruction": [{"text": text, "patientInstruction": text}],
        "requester": who,
    }
    yield {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": code,
        "occurrenceDateTime": "2026-01-01",
        "lotNumber": text,
    }
    for value in (1, 2):
        yield {
            "resourceType": "Observation",
            "status": "final",
            "category": lab,
            "code": code,
            "effectiveDateTime": f"2026-01-0{value}",
            "component": [
                {"code": {"text": name}, "valueQuantity": {"value": value, "unit": text}}
                for name in (text, f"{text} 2")
            ],
            "performer": [who],
        }
    yield {
        "resourceType": "Observation",
        "status": "final",
        "category": lab,
        "code": {"text": f"{text} words"},
        "valueString": text,
        "effectiveDateTime": "2026-01-01",
    }
    files = [(text.encode(), "text/plain"), (cda(html.escape(text), html.escape(text)), "text/xml")]
    yield {
        "resourceType": "DocumentReference",
        "status": "current",
        "description": text,
        "author": [who],
        "content": [
            {"attachment": {"contentType": kind, "title": text, "data": base64.b64encode(raw).decode()}}
            for raw, kind in files
        ],
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("inert")) as running:
        yield running


@pytest.fixture(scope="module")
def written(server: Served) -> dict[str, list[str]]:
    """Write every string into every field; name → the items that hold it."""
    doctor, made = server.staff("attending"), {}
    for name, text in {**STRINGS, "a megabyte": LONG}.items():
        made[name] = [_written(doctor, server, one) for one in resources(text)]
        assert any(made[name]), name
    server.hang_up()
    return made


def _written(doctor: httpx.Client, server: Served, resource: dict[str, Any]) -> str:
    """Write an item as a program does; one that the door does not take is no item ("")."""
    owner = "patient" if resource["resourceType"] in {"AllergyIntolerance", "Immunization"} else "subject"
    body = {**resource, owner: {"reference": f"Patient/{server.record()}"}}
    answer = doctor.post(resource["resourceType"], content=json.dumps(body).encode())
    assert answer.status_code in {201, 400, 413, 422}, answer.text[:300]
    return (
        answer.headers["location"].partition("/fhir/")[2].partition("/_history")[0]
        if answer.is_success
        else ""
    )


@pytest.fixture
def page(server: Served) -> Iterator[httpx.Client]:
    browser = server.browser()
    browser.get(server.code(server.installation.staff("attending"), "/home"))
    yield browser
    server.hang_up()


LISTS = ["", "/timeline", "/problems", "/allergies", "/treatments", "/vaccinations", "/labs", "/documents"]


@pytest.mark.parametrize("tail", [*LISTS, "/timeline?page=2", "/timeline?page=3"])
def test_no_list_of_a_record_is_harmed(
    server: Served, written: dict[str, list[str]], page: httpx.Client, tail: str
) -> None:
    answer = page.get(f"/record/{server.record()}{tail}")
    assert answer.status_code == 200
    assert faults(answer.text) == []
    assert MARK in answer.text or tail == ""


@pytest.mark.parametrize("name", [*STRINGS, "a megabyte"])
def test_no_page_of_an_item_or_a_document_is_harmed(
    server: Served, written: dict[str, list[str]], page: httpx.Client, name: str
) -> None:
    for item in filter(None, written[name]):
        answer = page.get(f"/record/{server.record()}/item/{item}")
        assert (answer.status_code, faults(answer.text)) == (200, []), item
        assert MARK in answer.text
    for item in (one for one in written[name] if one.startswith("DocumentReference")):
        for piece in (1, 2):
            answer = page.get(f"/record/{server.record()}/document/{item}?piece={piece}")
            assert (answer.status_code, faults(answer.text)) == (200, []), piece


def test_no_curve_is_harmed(server: Served, written: dict[str, list[str]], page: httpx.Client) -> None:
    text = page.get(f"/record/{server.record()}/labs").text
    for to in dict.fromkeys(re.findall(r'href="([^"]+/labs/[0-9a-f]{12})"', text)):
        answer = page.get(to)
        assert (answer.status_code, faults(answer.text)) == (200, []), to


@pytest.mark.parametrize("name", STRINGS)
def test_words_that_attack_are_looked_for_and_shown_back_as_words(
    server: Served, page: httpx.Client, name: str
) -> None:
    to = f"/record/{server.record()}/timeline"
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.get(to).text)
    assert found is not None
    answer = page.post(to, data={"csrf": found[1], "words": STRINGS[name]})
    assert (answer.status_code, faults(answer.text)) == (200, [])


@pytest.mark.parametrize("name", STRINGS)
def test_filters_that_attack_are_shown_back_as_words(server: Served, page: httpx.Client, name: str) -> None:
    text = STRINGS[name]
    asked = {"kind": text, "author": text, "since": text[:80], "page": text[:80]}
    answer = page.get(f"/record/{server.record()}/timeline", params=asked)
    assert (answer.status_code, faults(answer.text)) == (400, [])


@pytest.mark.parametrize(
    "harmed",
    [
        "<p onclick=x>",
        "<script>1</script>",
        '<a href="javascript:x">',
        '<img src="//evil.example/x">',
        "<p style='x'>",
        "<p>\u202e</p>",
        "<base href=/>",
    ],
)
def test_a_page_that_is_harmed_is_found(harmed: str) -> None:
    """The check can fail."""
    assert faults(f"<main>{harmed}</main>")
