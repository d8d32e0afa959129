"""Chains, `_has` and includes: what reaches another item is read whole or refused, on what is handed in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import MalformedError, NotSupportedError, RequestError, TooLargeError
from serment.fhir import search
from serment.fhir.match_links import Row, linked
from serment.fhir.query import parse


def row(id_: str, **members: Any) -> Row:
    return id_, 0, search.index({"id": id_, **members})


def to(*names: str) -> list[dict[str, str]]:
    return [{"reference": name} for name in names]


def code(text: str) -> dict[str, Any]:
    return {"coding": [{"code": text}]}


STORE: dict[str, list[Row]] = {
    "Observation": [
        row("o1", resourceType="Observation", code=code("a"), focus=to("Observation/o2")),
        row("o2", resourceType="Observation", code=code("b"), focus=to("Observation/o3", "Condition/c1")),
        row("o3", resourceType="Observation", code=code("c"), performer=to("Practitioner/d1")),
        row("o4", resourceType="Observation", code=code("a"), focus=to("Observation/gone")),
    ],
    "Condition": [row("c1", resourceType="Condition", code=code("b"))],
    "Practitioner": [row("d1", resourceType="Practitioner", name=[{"family": "Vasselin"}])],
}


def found(name: str, text: str) -> list[str]:
    query = parse("Observation", [(name, text)])
    test = linked("Observation", query.links, lambda type_: STORE.get(type_, []))
    return [one[0] for one in STORE["Observation"] if test(one)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("focus:Observation.code", "b", ["o1"]),
        ("focus:Observation.code", "b,c", ["o1", "o2"]),
        ("focus:Observation.code:not", "b", ["o2"]),
        ("focus:Condition.code", "b", ["o2"]),
        ("focus:Observation.focus:Observation.code", "c", ["o1"]),
        ("performer.name", "vass", ["o3"]),
        ("performer:Practitioner.name", "other", []),
        ("_has:Observation:focus:code", "a", ["o2"]),
        ("_has:Observation:focus:_has:Observation:focus:code", "a", ["o3"]),
        ("_has:Observation:focus:focus:Condition.code", "b", ["o3"]),
        ("focus:Observation._id", "gone", []),
    ],
)
def test_links_are_followed_among_what_is_handed_in(name: str, text: str, expected: list[str]) -> None:
    assert found(name, text) == expected


@pytest.mark.parametrize(
    "name",
    [
        "code.name",
        "focus.code",
        "focus:Dragon.code",
        "focus:Parameters.code",
        "subject.colour",
        "subject:Observation.code",
        "_has",
        "_has:Observation",
        "_has:Observation:focus",
        "_has:Observation:focus:",
        "_has:Dragon:focus:code",
        "_has:AuditEvent:entity:agent",
        "_has:Observation:code:code",
        "_has:Encounter:patient:status",
        "subject:Patient.general-practitioner:Organization.partof.partof.name",
        ".code",
        "focus:Observation.",
    ],
)
def test_a_link_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises((NotSupportedError, MalformedError)):
        parse("Observation", [(name, "x")])


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("Observation", "_include", "*"),
        ("Observation", "_include", "Observation:*"),
        ("Observation", "_include", "Observation"),
        ("Observation", "_include", "Observation:code"),
        ("Observation", "_include", "Observation:subject:Encounter"),
        ("Observation", "_include", "Observation:focus:Observation:more"),
        ("Observation", "_include", "Encounter:subject"),
        ("Observation", "_include:iterate", "Observation:focus"),
        ("Observation", "_include:recurse", "Observation:focus"),
        ("Observation", "_revinclude", "Encounter:subject"),
        ("Observation", "_revinclude", "AuditEvent:entity"),
        ("Observation", "_revinclude", "Observation:focus:Condition"),
        ("Practitioner", "_revinclude", "Observation:performer"),
        ("Practitioner", "_has:Observation:performer:code", "x"),
        ("Schedule", "_include", "Schedule:actor:Patient"),
        ("PractitionerRole", "practitioner._has:Observation:performer:code", "x"),
    ],
)
def test_an_include_that_is_not_done_is_refused(kind: str, name: str, value: str) -> None:
    with pytest.raises((NotSupportedError, MalformedError)):
        parse(kind, [(name, value)])


def test_links_are_few() -> None:
    with pytest.raises(TooLargeError):
        parse("Observation", [("focus:Observation.code", "x")] * 11)


@pytest.mark.parametrize(
    "pairs",
    [
        [("_summary", "true"), ("_elements", "code")],
        [("_summary", "text"), ("_include", "Observation:focus")],
    ],
)
def test_what_does_not_go_together_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(NotSupportedError):
        parse("Observation", pairs)


@pytest.mark.parametrize(
    "pairs",
    [
        [("patient", "p1"), ("patient.family", "Martin"), ("_elements", "code,value")],
        [("patient", "p1"), ("_has:Observation:focus:code", "a,b"), ("_include", "Observation:focus")],
        [("patient", "p1"), ("_revinclude", "Observation:focus"), ("_summary", "data")],
        [("patient", "p1"), ("code:not", "a"), ("code:missing", "false"), ("value-quantity", "gt5||mg")],
        [
            ("patient", "p1"),
            ("code-value-quantity", "a$ge5"),
            ("_sort", "-value-quantity"),
            ("_summary", "count"),
        ],
    ],
)
def test_a_query_that_reaches_further_is_written_back_the_same(pairs: list[tuple[str, str]]) -> None:
    query = parse("Observation", pairs)
    again = parse("Observation", query.to_pairs())
    assert again == query
    assert again.key() == query.key()


def test_a_reference_to_this_server_in_a_chain_is_kept_local() -> None:
    base = "https://here.example/fhir"
    query = parse("Observation", [("focus:Observation.subject", f"{base}/Patient/p1")], base)
    assert parse("Observation", query.to_pairs()) == query


def test_the_address_of_an_answer_names_nobody_who_was_asked_about() -> None:
    """Attack: the name of a person, asked through a chain, is read back in the log of an address."""
    query = parse("Observation", [("patient", "p1"), ("patient.family", "Zoé"), ("code", "a")])
    assert not any("Zoé" in value for _, value in query.shown_pairs())
    assert "Zoé" not in repr(query)


def test_no_patient_is_named_by_a_link() -> None:
    """A search names its record itself: a chain that could choose one would search them all."""
    query = parse("Observation", [("subject:Patient._id", "p1"), ("_has:Observation:focus:patient", "p2")])
    assert query.patients == ()


def test_a_chain_of_many_types_looks_at_each_type_once_a_step() -> None:
    """Attack: steps that may each lead to a dozen types multiply, and one search stops the server."""
    name = "encounter.part-of.reason-reference:Condition.code"
    looks: list[str] = []
    query = parse("Observation", [(name, "x")] * 5)

    def rows(type_: str) -> list[Row]:
        looks.append(type_)
        return []

    linked("Observation", query.links, rows)
    assert sorted(looks) == ["Condition", "Encounter", "Encounter"]  # five times asked, worked out once


PIECES = [
    "_has",
    ":",
    ".",
    "focus",
    "Observation",
    "Patient",
    "subject",
    "code",
    "value-quantity",
    "_include",
    "_elements",
]
PIECES += ["_revinclude", "_summary", "*", "not", "missing", "$", "|", "5", "ge", "é", "\\", ",", ""]


@given(
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
)
def test_no_link_however_strange_raises_anything_else(name: str, text: str) -> None:
    for kind in ("Observation", "Practitioner"):
        with suppress(RequestError):
            query = parse(kind, [(name, text)])
            assert parse(kind, query.to_pairs()) == query
            test = linked(kind, query.links, lambda type_: STORE.get(type_, []))
            assert all(test(one) in {True, False} for one in STORE[kind])
