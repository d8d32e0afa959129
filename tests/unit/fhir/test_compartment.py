"""In whose compartment a resource is."""

from __future__ import annotations

from typing import Any

import pytest

from serment.fhir import compartment, search


@pytest.mark.parametrize(
    ("resource", "patients"),
    [
        ({"resourceType": "Observation", "subject": {"reference": "Patient/p1"}}, {"p1"}),
        (
            {
                "resourceType": "Observation",
                "subject": {"reference": "Patient/p1"},
                "performer": [{"reference": "Patient/p2"}, {"reference": "Practitioner/d1"}],
            },
            {"p1", "p2"},
        ),
        ({"resourceType": "Observation", "subject": {"reference": "Group/g1"}}, set()),
        ({"resourceType": "Observation", "subject": {"reference": "https://b.example/Patient/p1"}}, set()),
        ({"resourceType": "Observation", "focus": [{"reference": "Patient/p1"}]}, set()),
        ({"resourceType": "Patient", "id": "p1"}, {"p1"}),
        (
            {"resourceType": "Patient", "id": "p1", "link": [{"other": {"reference": "Patient/p2"}}]},
            {"p1", "p2"},
        ),
        ({"resourceType": "RelatedPerson", "patient": {"reference": "Patient/p1/_history/2"}}, {"p1"}),
        ({"resourceType": "Coverage", "beneficiary": {"reference": "Patient/p1"}}, {"p1"}),
        ({"resourceType": "Organization", "id": "o1"}, set()),
        ({}, set()),
    ],
)
def test_the_patients_of_a_resource(resource: dict[str, Any], patients: set[str]) -> None:
    assert compartment.patients(resource) == patients
    assert all(compartment.is_member(resource, patient) for patient in patients)
    assert not compartment.is_member(resource, "nobody")


def test_the_compartment_is_the_official_one_and_not_the_example() -> None:
    official = compartment.definition()
    assert official["Observation"] == ("subject", "performer")
    assert official["AllergyIntolerance"] == ("patient", "recorder", "asserter")
    assert official["Patient"] == ("link",)
    assert "Device" not in official  # the file `example` holds the compartment of a device


def test_every_code_of_the_compartment_is_searched() -> None:
    assert {
        (kind, code)
        for kind, codes in compartment.definition().items()
        for code in codes
        if code not in search.searched(kind)
    } == set()


def test_owner_and_mention_are_told_apart() -> None:
    assert compartment.owner_codes("Observation") == {"patient", "subject"}
    assert compartment.mention_codes("Observation") == {"performer"}
    assert compartment.owner_codes("Organization") == frozenset()
    assert compartment.mention_codes("Patient") == frozenset()
