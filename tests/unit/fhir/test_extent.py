"""What entries span: a pack that is passed over never holds a match."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError
from serment.fhir import search
from serment.fhir.dates import COMPARISONS
from serment.fhir.extent import MOST_CODES, REACHES, extent, may_meet, place_in_series
from serment.fhir.match import matches
from serment.fhir.query import parse
from tests import devices

DAYS = ("2025-09-01", "2025-09-02", "2025-09-02T12:00:00Z", "2025-09", "2025", "2031-01-01")
MOMENTS = st.sampled_from(
    ["2025-08-31", "2025-09-01T00:30:00Z", "2025-09-02", "2025-09-03T23:59:59Z", "2025-10"]
)
CODES = st.sampled_from(["8867-4", "9279-1", "mg", "MG"])
UCUM = "http://unitsofmeasure.org"


def observation(code: str, moment: str, system: str = "http://loinc.org") -> bytes:
    coding = {"system": system, "code": code}
    value = {"value": 5, "system": UCUM, "code": "1"}
    resource = {"resourceType": "Observation", "code": {"coding": [coding]}, "valueQuantity": value}
    return search.index(resource | ({"effectiveDateTime": moment} if moment else {}))


@st.composite
def entries(draw: st.DrawFn) -> bytes:
    system = draw(st.sampled_from(["http://loinc.org", UCUM]))
    return observation(draw(CODES), draw(MOMENTS | st.just("")), system)


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, str]:
    prefix = draw(st.sampled_from(["", *COMPARISONS]))
    moment = prefix + draw(st.sampled_from(DAYS))
    code = draw(st.sampled_from(["", "http://loinc.org|", f"{UCUM}|", "|"])) + draw(CODES)
    return draw(
        st.sampled_from(
            [
                ("date", moment),
                ("_lastUpdated", moment),
                ("date:missing", "true"),
                ("code", code),
                ("code", f"{code},none"),
                ("code:not", code),
                ("combo-code", code),
                ("code-value-quantity", f"{code}$5"),
                ("combo-code-value-quantity", f"{code}$gt4"),
            ]
        )
    )


@given(st.lists(entries(), min_size=1, max_size=4), st.lists(asked(), min_size=1, max_size=2))
def test_a_pack_that_is_passed_over_holds_no_match(found: list[bytes], pairs: list[tuple[str, str]]) -> None:
    query = parse("Observation", pairs)
    updated = 1_756_700_000_000
    spans = extent(("Observation", updated + place, values) for place, values in enumerate(found))
    matched = [matches(query, "x", updated + place, values) for place, values in enumerate(found)]
    assert may_meet(spans, query.clauses) or not any(matched)


@pytest.mark.parametrize(
    "asked",
    [
        ("code", "9279-1"),
        ("code", "http://loinc.org|9279-1"),
        ("combo-code-value-quantity", "9279-1$5"),
        ("date", "2025-09-03"),
        ("date", "lt2025-09-01"),
        ("date", "ge2025-09-03"),
        ("value-date", "2025-09-01"),
        ("_lastUpdated", "gt2026"),
    ],
)
def test_a_pack_that_cannot_match_is_passed_over(asked: tuple[str, str]) -> None:
    row = ("Observation", 1_756_700_000_000, observation("8867-4", "2025-09-01T10:00:00Z"))
    assert not may_meet(extent([row]), parse("Observation", [asked]).clauses)


def test_every_prefix_that_compares_is_known() -> None:
    assert REACHES.keys() == COMPARISONS.keys()


def test_of_many_codes_none_is_listed() -> None:
    rows = [("Observation", 1, observation(f"c{number}", "")) for number in range(MOST_CODES + 1)]
    assert "code" not in extent(rows).codes
    assert may_meet(extent(rows), parse("Observation", [("code", "zzz")]).clauses)


def test_an_entry_that_is_deleted_spans_nothing() -> None:
    assert extent([("Observation", 7, b"")]).changed == (7, 8)
    assert extent([("Observation", 7, b"")]).spans == {}


def test_values_of_another_format_are_refused() -> None:
    with pytest.raises(IntegrityError):
        extent([("Observation", 1, msgspec.msgpack.encode({"": 2}))])


def test_the_place_in_a_series_is_code_day_and_moment() -> None:
    values = search.index(json.loads(devices.measured("p", 251)))
    assert place_in_series("Observation", 0, values) == (
        "9279-1",
        20_333,
        1_756_774_800_000,
    )
    assert place_in_series("List", 86_400_005, search.index({"resourceType": "List"})) == ("", 1, 86_400_005)
    assert place_in_series("Observation", 5, b"") == ("", 0, 5)
