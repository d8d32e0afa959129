"""Subscriptions as they are asked for and shown, on plain values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from serment.errors import InvalidResourceError, RequestError
from serment.fhir import document, validate
from serment.fhir.subscription import LONGEST, Shown, asked, criteria_of, written

BASE = "https://serment.example/fhir"
NOW = 1_767_225_600_000


def sent(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "suivi",
        "criteria": "Observation?patient=1&code=718-7",
        "channel": {"type": "rest-hook", "endpoint": "https://hook.example/told"},
        **more,
    }


def test_what_is_asked_is_one_search_of_one_record_with_an_end() -> None:
    found = asked(sent(), BASE, NOW)
    assert (found.type, found.patient, found.end, found.off) == ("Observation", "1", NOW + LONGEST, False)
    assert asked(sent(end="2026-01-02T00:00:00Z"), BASE, NOW).end == NOW + 86_400_000
    assert asked(sent(status="off"), BASE, NOW).off


def test_criteria_may_be_said_with_the_address_of_this_server() -> None:
    there = f"{BASE}/Observation?patient={BASE}/Patient/1"
    assert criteria_of(there, BASE).patients == criteria_of("Observation?subject=Patient/1", BASE).patients


@pytest.mark.parametrize("name", ["contact", "text", "extension", "contained", "implicitRules"])
def test_an_element_that_would_not_be_honoured_is_refused(name: str) -> None:
    with pytest.raises(InvalidResourceError):
        asked(sent(**{name: []}), BASE, NOW)


@pytest.mark.parametrize(
    "criteria",
    ["", "?", "Observation", "Observation?", "Nothing?patient=1", "Observation?patient=1&_sort=date",
     "Observation?patient=1&_type=x", "Observation?patient=1&%ff=%ff", "observation?patient=1"],
)  # fmt: skip
def test_criteria_that_are_no_search_of_one_record_are_refused(criteria: str) -> None:
    with pytest.raises(RequestError):
        criteria_of(criteria, BASE)


def test_an_end_that_is_past_is_refused() -> None:
    with pytest.raises(InvalidResourceError) as refused:
        asked(sent(end="2020-01-01T00:00:00Z"), BASE, NOW)
    assert refused.value.expression == "Subscription.end"


def test_what_is_shown_is_a_valid_subscription_of_the_same_words() -> None:
    shown = Shown("a", 2, NOW, "error", "suivi", "Observation?patient=1", "https://hook.example", NOW, "no")
    raw = written(shown)
    validate.check(document.read(raw))
    again = msgspec.json.decode(raw)
    assert again["meta"] == {"versionId": "2", "lastUpdated": "2026-01-01T00:00:00.000Z"}
    assert "payload" not in again["channel"]
    assert "suivi" not in repr(shown)
