"""A number stands for what its digits say, and is compared without a conversion or a rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.fhir import quantity, search
from serment.fhir.match import matches
from serment.fhir.query import parse

UCUM = "http://unitsofmeasure.org"


def measured(value: str, unit: str = "mg", comparator: str = "") -> dict[str, Any]:
    held: dict[str, Any] = {"value": Decimal(value), "unit": "milligram", "system": UCUM, "code": unit}
    return {
        "resourceType": "Observation",
        "valueQuantity": held | ({"comparator": comparator} if comparator else {}),
    }


def agrees(resource: dict[str, Any], name: str, text: str) -> bool:
    query = parse(resource["resourceType"], [(name, text)])
    return matches(query, "x", 0, search.index(resource))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("1e2", "95", "105"),
        ("5.4", "5.35", "5.45"),
        ("-2", "-2.5", "-1.5"),
        ("5.40e-3", "0.005395", "0.005405"),
    ],
)
def test_digits_say_how_exact_a_number_is(text: str, low: str, high: str) -> None:
    """The examples of R4 search.html#number, and more."""
    number = quantity.asked(text)
    assert (number.low, number.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    "text", ["", "five", "1,5", "0x10", "1e999", "٣", "NaN", "inf", "1" * 41, " 1", "--1"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        quantity.asked(text)


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("5.4", "5.4", True),
        ("5.44", "5.4", True),
        ("5.45", "5.4", False),
        ("5.4", "5.40", True),
        ("5.41", "5.40", False),
        ("5.4", "ne5.4", False),
        ("6", "ne5.4", True),
        ("5.4", "gt5.4", False),  # a prefix compares with the number itself
        ("5.41", "gt5.4", True),
        ("5.4", "ge5.4", True),
        ("5.4", "le5.4", True),
        ("5.4", "lt5.4", False),
        ("5.4", "sa5.3", True),
        ("5.4", "eb5.4", False),
        ("5.4", "ap5", True),
        ("5.6", "ap5", False),
        ("5.4", f"5.4|{UCUM}|mg", True),
        ("5.4", f"5.4|{UCUM}|g", False),
        ("5.4", "5.4|http://other.example|mg", False),
        ("5.4", "5.4||mg", True),
        ("5.4", "5.4||milligram", True),
        ("5.4", "5.4||Mg", False),  # UCUM tells case apart
        ("0.0054", f"0.0054|{UCUM}|g", False),
        ("5400", f"5.4|{UCUM}|g", False),  # equal in UCUM: units are never converted
        ("12345678901234567.8901", "12345678901234567.8901", True),
        ("12345678901234567.8902", "12345678901234567.8901", False),
    ],
)
def test_a_quantity_agrees(value: str, text: str, expected: bool) -> None:
    assert agrees(measured(value), "value-quantity", text) is expected


@pytest.mark.parametrize(
    ("comparator", "text", "expected"),
    [
        ("<", "lt5", True),
        ("<", "lt1", True),  # somewhere below 5: it may be
        ("<", "gt4", True),
        ("<", "ge5", False),
        ("<=", "ge5", True),
        ("<", "gt5", False),
        ("<", "5", False),
        ("<", "eb5", True),
        ("<=", "eb5", False),
        (">", "gt100", True),
        (">", "lt5", False),
        (">", "sa5", True),
    ],
)
def test_a_value_below_or_above_what_could_be_measured_is_a_range(
    comparator: str, text: str, expected: bool
) -> None:
    assert agrees(measured("5", comparator=comparator), "value-quantity", text) is expected


def test_a_number_parameter_needs_no_unit() -> None:
    risk = {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal("0.3")}]}
    assert agrees(risk, "probability", "ge0.2")
    assert not agrees(risk, "probability", "gt0.3")


@given(st.decimals(-1000, 1000, places=3), st.decimals(-1000, 1000, places=3))
def test_prefixes_agree_with_arithmetic(value: Decimal, asked: Decimal) -> None:
    span = quantity.stored(str(value), str(value))
    number = quantity.asked(f"{asked:f}")
    assert span is not None
    said = {prefix: compare(number, span) for prefix, compare in quantity.COMPARISONS.items()}
    assert (said["gt"], said["ge"]) == (value > asked, value >= asked)
    assert (said["lt"], said["le"]) == (value < asked, value <= asked)
    assert said["ne"] is not said["eq"]


COMPONENTS = {
    "resourceType": "Observation",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "component": [
        {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 150, "code": "mm[Hg]"}},
        {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 80, "code": "mm[Hg]"}},
    ],
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("component-code-value-quantity", "8480-6$gt140", True),
        ("component-code-value-quantity", "8462-4$gt140", False),  # the value of another component
        ("component-code-value-quantity", "8462-4$80||mm[Hg]", True),
        ("combo-code-value-quantity", "8462-4$80", True),
        ("combo-code-value-quantity", "85354-9$80", False),
        ("code-value-quantity", "85354-9$80", False),
    ],
)
def test_both_parts_of_a_composite_are_of_one_element(name: str, text: str, expected: bool) -> None:
    assert agrees(COMPONENTS, name, text) is expected


def test_a_composite_of_the_whole_resource_needs_nothing_stored() -> None:
    weight = {**measured("5.4"), "code": {"coding": [{"code": "w"}]}, "status": "final"}
    assert agrees(weight, "code-value-quantity", "w$5.4")
    assert agrees(weight, "combo-code-value-quantity", "w$gt5")
    assert not agrees(weight, "code-value-quantity", "w$gt6")


@pytest.mark.parametrize("text", ["a$b$c", "a", "$5", "a$", "a$heavy"])
def test_a_composite_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"composite|joins|quantity") as caught:
        parse("Observation", [("code-value-quantity", text)])
    assert getattr(caught.value, "status", 0) == 400


def test_an_old_entry_without_pairs_is_read_and_does_not_match() -> None:
    """Entries written before pairs were stored hold no composite: they are read all the same."""
    values = search.index({**COMPONENTS, "component": []})
    query = parse("Observation", [("component-code-value-quantity", "8480-6$gt140")])
    assert not matches(query, "x", 0, values)


def test_a_related_document_of_this_server_is_found_by_its_local_name() -> None:
    base = "https://here.example/fhir"
    document = {
        "resourceType": "DocumentReference",
        "relatesTo": [{"code": "replaces", "target": {"reference": f"{base}/DocumentReference/d1"}}],
    }
    query = parse("DocumentReference", [("relationship", "DocumentReference/d1$replaces")])
    assert matches(query, "x", 0, search.index(document, base=base))
