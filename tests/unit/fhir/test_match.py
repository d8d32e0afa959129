"""One entry against one query: exactly what R4 says, on values as they are indexed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError
from serment.fhir import search
from serment.fhir.dates import EARLIEST, LATEST
from serment.fhir.dates import parse as span
from serment.fhir.match import matcher, matches
from serment.fhir.query import parse

LOINC = "http://loinc.org"


def agrees(resource: dict[str, Any], *pairs: tuple[str, str], updated: int = 0) -> bool:
    query = parse(resource["resourceType"], pairs)
    return matches(query, resource.get("id", "x"), updated, search.index(resource))


def observation(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o1", **members}


def concept(*codings: tuple[str | None, str]) -> dict[str, Any]:
    return {"coding": [{"system": s, "code": c} if s else {"code": c} for s, c in codings]}


HEIGHT = observation(
    status="final",
    code=concept((LOINC, "8302-2"), (None, "Taille")),
    subject={"reference": "Patient/p1"},
    performer=[{"reference": "Practitioner/d1"}, {"reference": "https://b.example/fhir/Practitioner/d2"}],
    effectiveDateTime="2024-03-02T10:00:00+01:00",
    valueString="Élevée",
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("code", "8302-2", True),
        ("code", f"{LOINC}|8302-2", True),
        ("code", f"{LOINC}|", True),
        ("code", "|taille", True),
        ("code", "TAILLE", True),
        ("code", "|8302-2", False),  # it has a system
        ("code", f"{LOINC}|taille", False),  # code and system of two codings
        ("code", "http://snomed.info/sct|", False),
        ("code", "8302", False),
        ("code", "zzz,8302-2", True),
        ("code", "taille,8302-2", True),
        ("code", "zzz,yyy", False),
        ("status", "final", True),
        ("status", "http://hl7.org/fhir/observation-status|final", True),
        ("status", "http://hl7.org/fhir/observation-status|", True),
        ("status", "http://hl7.org/fhir/event-status|final", False),
        ("status", "http://hl7.org/fhir/event-status|", False),
        ("status", "|final", False),  # the binding implies a system
        ("subject", "Patient/p1", True),
        ("subject", "p1", True),
        ("subject:Patient", "p1", True),
        ("subject:Group", "p1", False),
        ("subject", "Group/p1", False),
        ("subject", "p", False),
        ("performer", "d1", True),
        ("performer", "d2", False),  # an absolute address is no local id
        ("performer", "https://b.example/fhir/Practitioner/d2", True),
        ("performer", "https://c.example/fhir/Practitioner/d2", False),
        ("value-string", "éle", True),
        ("value-string", "ELEVEE", True),
        ("value-string", "levee", False),
        ("date", "2024-03-02", True),
        ("date", "2024-03-02T09:00Z", True),
        ("date", "2024-03-02T10:00", False),  # without a zone: UTC
        ("date", "ne2024-03-02", False),
        ("date", "ne2024-03-03", True),
        ("date", "gt2024-03-01", True),
        ("date", "gt2024-03-02", False),
        ("date", "lt2024-03-02", False),
        ("date", "ge2024-03-02", True),
        ("date", "le2024-03-02", True),
        ("date", "sa2024-03-01", True),
        ("date", "sa2024-03-02", False),
        ("date", "eb2024-03-03", True),
        ("date", "ap2024-03-03", True),
        ("date", "ap2024-03-04", False),
        ("_id", "o1", True),
        ("_id", "o2,o1", True),
        ("_id", "O1", False),
    ],
)
def test_an_observation_agrees_or_not(name: str, text: str, expected: bool) -> None:
    assert agrees(HEIGHT, (name, text)) is expected


def test_every_clause_must_agree() -> None:
    assert agrees(HEIGHT, ("status", "final"), ("code", "taille"), ("subject", "p1"))
    assert not agrees(HEIGHT, ("status", "final"), ("code", "taille"), ("subject", "p2"))
    assert agrees(HEIGHT, ("code", "taille"), ("code", "8302-2"))
    assert not agrees(HEIGHT, ("_id", "o1"), ("_id", "o2"))


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
def test_an_entry_without_the_value_never_agrees(prefix: str) -> None:
    assert not agrees(observation(status="final"), ("date", f"{prefix}2024"))


def test_a_stay_that_is_not_over_lasts_for_ever() -> None:
    stay = {"resourceType": "Encounter", "period": {"start": "2024-03-01"}}
    assert agrees(stay, ("date", "gt2090"))
    assert not agrees(stay, ("date", "eb2090"))
    assert not agrees(stay, ("date", "2024"))
    assert agrees(stay, ("date", "sa2023"))


def test_last_updated_comes_from_the_entry() -> None:
    noon = span("2024-03-02T12:00:00Z")[0]
    assert agrees(HEIGHT, ("_lastUpdated", "2024-03-02"), updated=noon)
    assert agrees(HEIGHT, ("_lastUpdated", "ge2024-03-02T12:00:00Z"), updated=noon)
    assert not agrees(HEIGHT, ("_lastUpdated", "gt2024-03-02T12:00:00Z"), updated=noon)
    assert not agrees(HEIGHT, ("_lastUpdated", "lt2024-03-02"), updated=noon)
    assert agrees(HEIGHT, ("_lastUpdated", "2024-03-02T12:00:00.000Z"), updated=noon)
    assert not agrees(HEIGHT, ("_lastUpdated", "2024-03-02T12:00:00.001Z"), updated=noon)


def test_a_canonical_agrees_whatever_its_version() -> None:
    answers = {"resourceType": "QuestionnaireResponse", "questionnaire": "https://a.example/q/phq9|2.1"}
    assert agrees(answers, ("questionnaire", "https://a.example/q/phq9"))
    assert agrees(answers, ("questionnaire", r"https://a.example/q/phq9\|2.1"))
    assert not agrees(answers, ("questionnaire", "https://a.example/q/phq"))


def test_case_speaks_in_units_only() -> None:
    unit = observation(code=concept(("http://unitsofmeasure.org", "mG")))
    assert agrees(unit, ("code", "mG"))
    assert agrees(unit, ("code", "http://unitsofmeasure.org|mG"))
    assert not agrees(unit, ("code", "mg"))
    assert not agrees(observation(code=concept(("http://unitsofmeasure.org", "mg"))), ("code", "MG"))
    assert not agrees(unit, ("code", "http://unitsofmeasure.org|MG"))


def test_an_accent_written_apart_is_the_same_name() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "Lemaître", "given": ["Cœur-de-Lion"]}]}
    assert agrees(patient, ("family", "Lemai\u0302tre"))
    assert agrees(patient, ("given", "coeur de"))
    assert agrees(patient, ("name", "LEMAITRE"))


@pytest.mark.parametrize(
    "values",
    [
        msgspec.msgpack.encode({"": 99, "status": [[0, "final"]]}),
        msgspec.msgpack.encode({"status": [[0, "final"]]}),
        msgspec.msgpack.encode({"": "final"}),
        b"\xc1final",
    ],
)
def test_values_of_another_format_are_not_guessed_at(values: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        matches(parse("Observation", [("status", "final")]), "o1", 0, values)
    assert caught.value.__context__ is None


def test_a_query_of_nothing_agrees_with_all() -> None:
    assert agrees(observation())


CODES = ["a", "ab", "b", "é"]
SYSTEMS = [None, "s", "t"]
CODINGS = st.lists(st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(CODES)), max_size=3)


@given(
    CODINGS,
    st.lists(
        st.tuples(st.sampled_from([None, "", "s", "t"]), st.sampled_from([*CODES, None])),
        min_size=1,
        max_size=2,
    ),
)
def test_tokens_agree_as_the_definition_reads(
    stored: list[tuple[str | None, str]], asked: list[tuple[str | None, str | None]]
) -> None:
    """Two ways, one answer: the matcher with its shortcuts, and the sentence of R4 written out."""
    asked = [(system, code) for system, code in asked if system or code]
    if not asked:
        return
    texts = [code if system is None else f"{system}|{code or ''}" for system, code in asked]
    expected = any(
        (system is None or (system == "" and s is None) or system == s) and (code is None or code == c)
        for s, c in stored
        for system, code in asked
    )
    found = agrees(observation(code=concept(*stored)), ("code", ",".join(map(str, texts))))
    assert found is expected


ENDS = st.sampled_from(["2022", "2023", "2023-06", "2023-06-15", "2023-06-15T12:00Z", "2024"])


@given(ENDS, ENDS, st.booleans(), st.booleans(), ENDS)
def test_periods_agree_as_the_prefixes_read(
    start: str, end: str, opened: bool, unended: bool, asked: str
) -> None:
    period = ({} if opened else {"start": start}) | ({} if unended else {"end": end})
    low = EARLIEST if opened else span(start)[0]
    high = LATEST if unended else span(end)[1]
    if not period or low >= high:
        return
    stay = {"resourceType": "Encounter", "period": period}
    low_asked, high_asked = span(asked)
    assert agrees(stay, ("date", asked)) is (low_asked <= low and high <= high_asked)
    assert agrees(stay, ("date", f"sa{asked}")) is (low >= high_asked)
    assert agrees(stay, ("date", f"eb{asked}")) is (high <= low_asked)
    assert agrees(stay, ("date", f"gt{asked}")) is (high > high_asked)
    assert agrees(stay, ("date", f"lt{asked}")) is (low < low_asked)


def test_a_matcher_is_made_once_for_many_entries() -> None:
    match = matcher(parse("Observation", [("code", "a")]))
    rows = [search.index(observation(code=concept((None, code)))) for code in ("a", "b", "a")]
    assert [match("x", 0, row) for row in rows] == [True, False, True]
