"""The shipped lists: what the schema requires, what an expansion holds, what is in and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.errors import NotFoundError, RequestError
from serment.fhir import schema, terminology
from serment.fhir.terminology import Coding, Window
from serment.model import Instant

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
CODES = "http://hl7.org/fhir/administrative-gender"
KNOWN = terminology.shipped()


WHOLE = Window()


def expanded(url: str, window: Window = WHOLE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(terminology.expansion(KNOWN, url, window, Instant(0)))
    return found


def codes(value_set: dict[str, Any]) -> list[str]:
    return [one["code"] for one in value_set["expansion"].get("contains", [])]


def test_every_list_that_the_schema_requires_is_shipped_with_the_same_codes() -> None:
    definitions = schema._file()["schema"]["definitions"]
    by_name = {url.rpartition("/")[2]: one for url, one in KNOWN.sets.items()}
    required = {
        name.removeprefix("code-"): rule["enum"]
        for name, rule in definitions.items()
        if name.startswith("code-") and "enum" in rule and not name.endswith("?")
    }
    assert len(required) > 200
    for name, enumerated in required.items():
        assert {code for _, held in by_name[name].codes for code in held} == set(enumerated), name


def test_an_expansion_is_the_whole_set_in_its_order() -> None:
    value_set = expanded(f"{GENDER}|4.0.1")
    assert codes(value_set) == ["male", "female", "other", "unknown"]
    assert value_set["expansion"]["total"] == 4
    assert value_set["expansion"]["contains"][0] == {"system": CODES, "code": "male", "display": "Male"}


@pytest.mark.parametrize(
    ("window", "expected", "total"),
    [
        (Window("MA"), ["male"], 1),
        (Window("unk"), ["unknown"], 1),
        (Window("zz"), [], 0),
        (Window("", 2, 1), ["female", "other"], 4),
        (Window("", 0), [], 4),
        (Window("", 5, 9), [], 4),
    ],
)
def test_a_page_and_words_narrow_it(window: Window, expected: list[str], total: int) -> None:
    value_set = expanded(GENDER, window)
    assert (codes(value_set), value_set["expansion"]["total"]) == (expected, total)


@pytest.mark.parametrize("url", ["", "http://x/none", f"{GENDER}|4.0.0", CODES])
def test_a_list_that_is_not_shipped_is_not_found(url: str) -> None:
    with pytest.raises(NotFoundError):
        expanded(url)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Coding(CODES, "male", ""), Coding(CODES, "male", "Male")),
        (Coding("", "male", ""), Coding(CODES, "male", "Male")),
        (Coding(CODES, "M", ""), None),
        (Coding("http://x", "male", ""), None),
    ],
)
def test_a_code_is_in_a_set_or_not(asked: Coding, expected: Coding | None) -> None:
    assert terminology.in_set(KNOWN, GENDER, [asked]) == expected


def test_a_code_of_two_systems_needs_its_system() -> None:
    url = "http://hl7.org/fhir/ValueSet/all-types"
    by_system = KNOWN.sets[url].by_system
    twice = set.intersection(*map(set, by_system.values()))
    for code in sorted(twice)[:1]:
        with pytest.raises(RequestError):
            terminology.in_set(KNOWN, url, [Coding("", code, "")])


def test_a_system_that_is_not_whole_says_no_to_nothing() -> None:
    ucum = "http://unitsofmeasure.org"
    assert terminology.in_system(KNOWN, ucum, "min") == Coding(ucum, "min", "minute")
    with pytest.raises(NotFoundError):
        terminology.in_system(KNOWN, ucum, "mm[Hg]")
    assert terminology.in_system(KNOWN, CODES, "M") is None


def test_another_display_is_told() -> None:
    male = Coding(CODES, "male", "Male")

    def result(found: Coding | None, display: str) -> bool:
        parameters = json.loads(terminology.verdict(found, display, "no"))["parameter"]
        said: bool = parameters[0]["valueBoolean"]
        return said

    assert result(male, "")
    assert result(male, "MALE")
    assert not result(male, "Homme")
    assert not result(None, "")
