"""What a list knows of an item from its index alone."""

from __future__ import annotations

from typing import Any

import pytest

from serment.fhir import search
from serment.fhir.leaf import LeafReader, people
from serment.identity import rpps


def series(type_: str, **members: Any) -> str:
    return LeafReader().series(type_, search.index({"resourceType": type_, **members}))


def authors(type_: str, **members: Any) -> frozenset[str]:
    return LeafReader().authors(type_, search.index({"resourceType": type_, **members}))


def says(asked: str, type_: str, **members: Any) -> bool:
    return LeafReader().says(type_, search.index({"resourceType": type_, **members}), asked.split())


def test_what_is_measured_is_named_by_its_first_code() -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Hb"}
    assert series("Observation", code=code) == "http://loinc.org|718-7"


def test_without_a_code_the_text_names_it_however_it_is_written() -> None:
    found = {series("Observation", code={"text": text}) for text in ("Hémoglobine", "HEMOGLOBINE ")}
    assert found == {"|hemoglobine"}


def test_only_what_comes_again_is_in_a_series() -> None:
    assert series("Condition", code={"text": "Asthme"}) == ""


BY = {"reference": "Practitioner/p1", "identifier": {"system": rpps.SYSTEM, "value": "10101010101"}}


def test_an_author_is_known_by_register_and_by_directory() -> None:
    assert authors("MedicationRequest", requester=BY) == {"Practitioner/p1", "rpps:10101010101"}


def test_the_patient_is_no_author() -> None:
    assert not authors("Appointment", participant=[{"actor": {"reference": "Patient/x"}}])


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        ({"requester": {**BY, "display": "Dr Lin"}}, [("Dr Lin", "rpps:10101010101")]),
        ({"performer": [{"actor": {**BY, "display": "Dr Lin"}}]}, [("Dr Lin", "rpps:10101010101")]),
        (
            {"author": [{"reference": "Practitioner/p1", "display": "Dr Lin"}]},
            [("Dr Lin", "Practitioner/p1")],
        ),
        ({"author": [{"reference": "Patient/p1", "display": "Rose"}]}, []),
        ({"author": [{"display": "Dr Lin"}]}, []),
        ({"author": "Dr Lin", "performer": [None], "participant": [{"actor": "x"}]}, []),
    ],
)
def test_whom_a_resource_names(resource: dict[str, Any], names: list[tuple[str, str]]) -> None:
    assert people(resource) == names


@pytest.mark.parametrize(
    ("asked", "found"),
    [("hemo", True), ("glyq hemo", True), ("oglobine", False), ("hemo sucre", False), ("", True)],
)
def test_each_word_that_is_asked_begins_one(asked: str, found: bool) -> None:
    assert says(asked, "Observation", code={"text": "Hémoglobine glyquée"}) is found


def test_a_title_is_looked_at_as_a_code_is() -> None:
    assert says("compte", "DocumentReference", description="Compte rendu")


def test_values_of_a_type_without_such_parameters_say_nothing() -> None:
    assert not says("text", "Binary", contentType="text/plain")
    assert not authors("Binary", contentType="text/plain")
