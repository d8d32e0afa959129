"""What a list knows of an item from its index alone."""

from __future__ import annotations

from typing import Any

import pytest

from serment.fhir import search
from serment.fhir.leaf import Leaf, Needs, leaf, says
from serment.identity import rpps

ALL = Needs(words=True, authors=True, series=True)


def of(type_: str, **members: Any) -> Leaf:
    return leaf(type_, search.index({"resourceType": type_, **members}), ALL)


def test_what_is_measured_is_named_by_its_first_code() -> None:
    found = of(
        "Observation", code={"coding": [{"system": "http://loinc.org", "code": "718-7"}], "text": "Hb"}
    )
    assert found.series == "http://loinc.org|718-7"


def test_without_a_code_the_text_names_it_however_it_is_written() -> None:
    series = {of("Observation", code={"text": text}).series for text in ("Hémoglobine", "HEMOGLOBINE ")}
    assert series == {"|hemoglobine"}


def test_only_observations_are_measured() -> None:
    assert of("Condition", code={"text": "Asthme"}).series == ""


def test_an_author_is_known_by_register_and_by_directory() -> None:
    by = {"reference": "Practitioner/p1", "identifier": {"system": rpps.SYSTEM, "value": "10101010101"}}
    assert of("MedicationRequest", requester=by).authors == {"Practitioner/p1", "rpps:10101010101"}


def test_the_patient_is_no_author() -> None:
    assert not of("Appointment", participant=[{"actor": {"reference": "Patient/x"}}]).authors


@pytest.mark.parametrize(
    ("asked", "found"),
    [("hemo", True), ("glyq hemo", True), ("oglobine", False), ("hemo sucre", False), ("", True)],
)
def test_each_word_that_is_asked_begins_one(asked: str, found: bool) -> None:
    assert says(of("Observation", code={"text": "Hémoglobine glyquée"}).words, asked) is found


def test_values_of_a_type_without_such_parameters_say_nothing() -> None:
    assert of("Binary", contentType="text/plain") == Leaf()
