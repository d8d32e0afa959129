"""What no one person changes alone: which items, and when two of them say the same."""

from __future__ import annotations

from typing import Any

import pytest

from serment.fhir import protected

Json = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


def told(code: str, value: str, **more: object) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": value}]},
        **more,
    }


def facets(resource: Json) -> frozenset[str]:
    return protected.facets(resource["resourceType"], protected.indexed(resource))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("882-1", {"abo", "rh"}),
        ("77397-8", {"abo", "rh"}),
        ("883-9", {"abo"}),
        ("10331-7", {"rh"}),
        ("2345-7", set()),
    ],
)
def test_a_blood_group_is_told_by_its_code(code: str, says: set[str]) -> None:
    assert facets(told(code, "278149003")) == says


def test_a_group_in_a_component_is_one_and_one_entered_in_error_is_none() -> None:
    panel = told("34530-6", "1")
    panel["component"] = [{"code": {"coding": [{"system": LOINC, "code": "883-9"}]}, "valueString": "A"}]
    assert facets(panel) == {"abo"}
    assert facets(told("882-1", "278149003", status="entered-in-error")) == frozenset()
    assert (
        facets({**told("882-1", "1"), "code": {"coding": [{"system": "urn:other", "code": "882-1"}]}})
        == set()
    )


def test_a_display_or_a_date_makes_no_other_group_and_a_value_does() -> None:
    one = protected.indexed(told("882-1", "278149003", effectiveDateTime="2026-01-01"))
    again = told("882-1", "278149003", effectiveDateTime="2026-02-02")
    again["valueCodeableConcept"]["coding"][0]["display"] = "A+"
    assert protected.same_group(one, protected.indexed(again))
    assert not protected.same_group(one, protected.indexed(told("882-1", "278148006")))
    assert not protected.same_group(one, protected.indexed(told("883-9", "278149003")))


@pytest.mark.parametrize(
    ("criticality", "verified", "severe"),
    [("high", "confirmed", True), ("high", "entered-in-error", False), ("low", "confirmed", False)],
)
def test_a_severe_allergy_is_one_that_stands(criticality: str, verified: str, severe: bool) -> None:
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    allergy = {
        "resourceType": "AllergyIntolerance",
        "criticality": criticality,
        "verificationStatus": {"coding": [{"system": system, "code": verified}]},
    }
    assert protected.severe("AllergyIntolerance", protected.indexed(allergy)) is severe


def test_labels_narrative_and_ids_are_not_what_an_item_says() -> None:
    one = told("882-1", "278149003")
    dressed = {**one, "id": "x", "meta": {"security": [{"code": "R"}]}, "text": {"status": "empty"}}
    assert protected.digest(one) == protected.digest(dressed)
    assert protected.digest(one) != protected.digest(told("882-1", "278148006"))
