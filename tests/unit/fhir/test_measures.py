"""What an Observation measures: numbers as they came, ranges as they are told, units as people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from serment.fhir.measures import Measure, Standing, Usual, decoded, measures, written_unit


def of(**members: Any) -> list[Measure]:
    return measures(decoded(msgspec.json.encode({"resourceType": "Observation", **members})))


def quantity(value: float, **members: Any) -> dict[str, Any]:
    return {"value": value, "unit": "g/L", **members}


def test_a_number_keeps_the_digits_that_came() -> None:
    body = b'{"resourceType":"Observation","valueQuantity":{"value":7.80,"unit":"g/L"}}'
    assert str(measures(decoded(body))[0].value) == "7.80"


@pytest.mark.parametrize(
    ("value", "standing"),
    [
        (quantity(3), Standing.LOW),
        (quantity(4), Standing.INSIDE),
        (quantity(6), Standing.INSIDE),
        (quantity(6.1), Standing.HIGH),
        (quantity(4, comparator="<"), Standing.LOW),
        (quantity(5, comparator="<"), Standing.UNKNOWN),
        (quantity(6, comparator=">"), Standing.HIGH),
        (quantity(5, comparator=">"), Standing.UNKNOWN),
    ],
)
def test_a_value_is_held_against_its_own_range(value: dict[str, Any], standing: Standing) -> None:
    found = of(valueQuantity=value, referenceRange=[{"low": quantity(4), "high": quantity(6)}])
    assert found[0].standing is standing


def test_what_the_laboratory_says_goes_before_the_range() -> None:
    high = {"coding": [{"code": "H"}]}
    found = of(valueQuantity=quantity(5), referenceRange=[{"high": quantity(6)}], interpretation=[high])
    assert found[0].standing is Standing.HIGH


def test_a_range_in_another_unit_is_no_range() -> None:
    found = of(valueQuantity=quantity(5), referenceRange=[{"high": {"value": 6, "unit": "mmol/L"}}])
    assert found[0].usual is None


def test_a_range_for_others_is_no_range() -> None:
    other = [{"high": quantity(4), "appliesTo": [{"text": "enceinte"}]}, {"low": quantity(4)}]
    assert of(valueQuantity=quantity(5), referenceRange=other)[0].usual == Usual(Decimal(4), None)


def test_components_stand_for_a_panel_without_a_value_of_its_own() -> None:
    parts = [{"code": {"text": "Systolique"}, "valueQuantity": quantity(130)}]
    assert [one.name for one in of(component=parts)] == ["Systolique"]


def test_a_value_that_is_missing_says_why() -> None:
    found = of(dataAbsentReason={"coding": [{"code": "not-performed"}]})
    assert (found[0].value, found[0].absent) == (None, "not-performed")


def test_a_value_in_words_is_words() -> None:
    assert of(valueCodeableConcept={"text": "Positif"})[0].text == "Positif"


@pytest.mark.parametrize("value", [True, "5", None, 1e300])
def test_what_is_no_number_is_none(value: Any) -> None:
    assert of(valueQuantity={"value": value})[0].value is None


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("10*9/L", "10⁹/L"),
        ("umol/L", "µmol/L"),
        ("mm[Hg]", "mmHg"),
        ("kg/m2", "kg/m²"),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
        ("Cel", "°C"),
        ("m[iU]/L", "mUI/L"),
        ("/min", "/min"),
    ],
)
def test_units_are_written_as_people_do(code: str, written: str) -> None:
    assert written_unit(code) == written
