"""References are checked for form and never for existence."""

from __future__ import annotations

from typing import Any

import pytest

from serment.errors import InvalidResourceError
from serment.fhir.references import check_references, well_formed


@pytest.mark.parametrize(
    "link",
    [
        "Patient/1",
        "Patient/1/_history/3",
        "#",
        "#contained-1",
        "http://example.org/fhir/Patient/1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:oid:1.2.250.1.213",
    ],
)
def test_the_forms_of_r4_are_taken(link: str) -> None:
    assert well_formed(link)


@pytest.mark.parametrize(
    "link",
    ["", "Patient", "Patient/", "Patient/a b", "Wizard/1", "/Patient/1", "Patient/1/x", "Patient?name=x",
     "javascript:x", "urn:uuid:x", "urn:oid:9.1", "http:///x", "# a", "Patient/1#x"],
)  # fmt: skip
def test_any_other_form_is_refused(link: str) -> None:
    assert not well_formed(link)


def test_the_place_is_told_and_the_text_is_not() -> None:
    resource = {"resourceType": "Basic", "extension": [{"valueReference": {"reference": "Jean Dupont"}}]}
    with pytest.raises(InvalidResourceError) as refused:
        check_references(resource)
    assert refused.value.expression == "Basic.extension[0].valueReference.reference"
    assert "Dupont" not in str(refused.value)


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "DetectedIssue", "reference": "urn:isbn:0451450523"},
        {"resourceType": "Immunization", "education": [{"reference": "urn:x:leaflet"}]},
        {"resourceType": "PlanDefinition", "x": {"language": "text/cql", "reference": "urn:x:library"}},
    ],
)
def test_an_element_named_reference_that_is_a_uri_is_no_reference(resource: dict[str, Any]) -> None:
    check_references(resource)
