"""Bundles are put together from stored bytes, and no byte of a resource changes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from serment.errors import NotFoundError
from serment.fhir import bundle, document, outcome, validate
from serment.fhir.bundle import HistoryEntry, ResponseItem, SearchEntry
from serment.words import Language

BASE = "https://here.example/fhir"
RAW = b'{ "resourceType":"Observation",\n "valueQuantity":{"value":12345678901234567.8901 , "x":1.00}}'


def read(raw: bytes) -> Any:
    return json.loads(raw, parse_float=Decimal)


def test_a_search_answer_says_what_fhir_asks() -> None:
    raw = bundle.searchset(
        BASE,
        [SearchEntry("Observation/o1", b'{"resourceType":"Observation"}', "match")],
        7,
        {"self": f"{BASE}/Observation?code=a", "next": f"{BASE}?page=abc"},
    )
    assert read(raw) == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 7,
        "link": [
            {"relation": "self", "url": f"{BASE}/Observation?code=a"},
            {"relation": "next", "url": f"{BASE}?page=abc"},
        ],
        "entry": [
            {
                "fullUrl": f"{BASE}/Observation/o1",
                "resource": {"resourceType": "Observation"},
                "search": {"mode": "match"},
            }
        ],
    }


def test_an_answer_of_nothing_has_no_empty_list() -> None:
    assert read(bundle.searchset(BASE, [], None, {})) == {"resourceType": "Bundle", "type": "searchset"}


def test_an_outcome_comes_last_in_its_own_mode() -> None:
    raw = bundle.searchset(BASE, [SearchEntry("urn:uuid:1", b"{}", "include")], 0, {}, b'{"issue":1}')
    entries = read(raw)["entry"]
    assert entries[0]["fullUrl"] == "urn:uuid:1"
    assert entries[1] == {"resource": {"issue": 1}, "search": {"mode": "outcome"}}


def test_no_byte_of_a_resource_changes() -> None:
    entries = [SearchEntry("Observation/o1", RAW), SearchEntry("Observation/o2", RAW)]
    assert bundle.searchset(BASE, entries, 2, {}).count(RAW) == 2
    assert RAW in bundle.history(BASE, [HistoryEntry("Observation/o1", RAW, "PUT", 2, 0)], 1, {})
    assert RAW in bundle.response("batch", [ResponseItem(200, resource=RAW)])


def test_a_history_says_who_was_asked_what() -> None:
    entries = [
        HistoryEntry("Observation/o1", None, "DELETE", 3, 1_709_287_200_123),
        HistoryEntry("Observation/o1", RAW, "PUT", 2, 0),
        HistoryEntry("Observation/o1", RAW, "POST", 1, 0),
    ]
    answer = read(bundle.history(BASE, entries, 3, {"self": "x"}))
    assert (answer["type"], answer["total"]) == ("history", 3)
    deleted, updated, created = answer["entry"]
    assert deleted == {
        "fullUrl": f"{BASE}/Observation/o1",
        "request": {"method": "DELETE", "url": "Observation/o1"},
        "response": {
            "status": "204 No Content",
            "etag": 'W/"3"',
            "lastModified": "2024-03-01T10:00:00.123Z",
        },
    }
    assert updated["request"] == {"method": "PUT", "url": "Observation/o1"}
    assert created["request"] == {"method": "POST", "url": "Observation"}
    assert created["response"]["status"] == "201 Created"


def test_a_transaction_answers_entry_by_entry() -> None:
    items = [
        ResponseItem(201, f"{BASE}/Patient/p1/_history/1", 1, 0),
        ResponseItem(404, outcome=b'{"resourceType":"OperationOutcome"}'),
    ]
    answer = read(bundle.response("transaction", items))
    assert answer["type"] == "transaction-response"
    assert "total" not in answer
    assert answer["entry"] == [
        {
            "response": {
                "status": "201",
                "location": f"{BASE}/Patient/p1/_history/1",
                "etag": 'W/"1"',
                "lastModified": "1970-01-01T00:00:00.000Z",
            }
        },
        {"response": {"status": "404", "outcome": {"resourceType": "OperationOutcome"}}},
    ]


@given(st.text(), st.text())
def test_an_address_cannot_break_out_of_its_string(url: str, link: str) -> None:
    """Attack: a quote in an address writes members of its own into the answer."""
    answer = read(bundle.searchset(BASE, [SearchEntry(f"urn:{url}", b"{}")], 1, {"self": link}))
    assert answer["entry"][0]["fullUrl"] == f"urn:{url}"
    assert answer["link"] == [{"relation": "self", "url": link}]


def test_every_bundle_is_valid_fhir() -> None:
    resource = b'{"resourceType":"Patient","id":"p1"}'
    said = outcome.outcome(NotFoundError("search.unknown-type"), Language.FR)
    made = [
        bundle.searchset(BASE, [SearchEntry("Patient/p1", resource)], 1, {"self": BASE}, said),
        bundle.searchset(BASE, [], 0, {}),
        bundle.history(BASE, [HistoryEntry("Patient/p1", None, "DELETE", 2, 0)], 1, {"self": BASE}),
        bundle.response("batch", [ResponseItem(200, resource=resource), ResponseItem(404, outcome=said)]),
        bundle.response("transaction", [ResponseItem(201, "Patient/p1/_history/1", 1, 0)]),
    ]
    assert [validate.issues(document.read(raw)) for raw in made] == [[]] * len(made)
