"""A query is understood whole or refused, and a refusal repeats nothing of what was searched."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import MalformedError, NotSupportedError, RequestError, SermentError, TooLargeError
from serment.fhir import search
from serment.fhir.dates import parse as span
from serment.fhir.query import Query, parse
from serment.fhir.query_values import (
    DateValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    Value,
)
from serment.words import Language


def value(kind: str, name: str, text: str) -> Value:
    [clause] = parse(kind, [(name, text)]).clauses
    [only] = clause.values
    return only


def refusal(kind: str, *pairs: tuple[str, str]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse(kind, pairs)
    return caught.value


@pytest.mark.parametrize(
    ("text", "system", "code"),
    [
        ("final", None, "final"),
        ("http://loinc.org|8302-2", "http://loinc.org", "8302-2"),
        ("|abc", "", "abc"),
        ("http://loinc.org|", "http://loinc.org", None),
        (r"a\|b", None, "a|b"),
        (r"s\,y|c\$\\", "s,y", "c$\\"),
        ("S|ABC", "S", "abc"),
    ],
)
def test_a_token_has_four_forms(text: str, system: str | None, code: str | None) -> None:
    assert value("Observation", "code", text) == TokenValue(system, code, text)


@pytest.mark.parametrize("text", ["|", "a|b|c", "||"])
def test_a_token_of_another_form_is_refused(text: str) -> None:
    assert refusal("Observation", ("code", text)).sentence == "search.malformed-token"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("subject", "Patient/p1", ReferenceValue("Patient", "p1", "", "Patient/p1")),
        ("subject", "p1", ReferenceValue("", "p1", "", "p1")),
        ("subject:Patient", "p1", ReferenceValue("Patient", "p1", "", "p1")),
        ("subject:Patient", "Patient/p1", ReferenceValue("Patient", "p1", "", "Patient/p1")),
        (
            "subject",
            "https://a.example/Patient/1",
            ReferenceValue("", "", "https://a.example/Patient/1", "https://a.example/Patient/1"),
        ),
        ("subject", "urn:uuid:5f1", ReferenceValue("", "", "urn:uuid:5f1", "urn:uuid:5f1")),
    ],
)
def test_a_reference_is_local_typed_or_absolute(name: str, text: str, expected: ReferenceValue) -> None:
    assert value("Observation", name, text) == expected


def test_an_absolute_reference_to_this_server_is_a_local_one() -> None:
    url = "https://here.example/fhir/Patient/p1"
    query = parse("Observation", [("subject", url)], base="https://here.example/fhir")
    assert query.patients == ("p1",)
    assert query == parse("Observation", [("subject", "Patient/p1")])
    assert query == parse("Observation", [("subject", "Patient/p1")], base="https://here.example/fhir/")
    assert parse("Observation", query.to_pairs()) == query  # as a page token reads it again


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("patient", "Practitioner/d1"),  # patient names a Patient
        ("subject:Patient", "Group/g1"),
        ("subject:Patient", "https://a.example/Group/g1"),
        ("subject", "Dragon/d1"),
        ("subject", "a/b/c"),
        ("subject", "Jean Martin"),
        ("subject", "x" * 65),
        ("subject", "ftp://a.example/Patient/1"),
    ],
)
def test_a_reference_that_the_parameter_cannot_hold_is_refused(name: str, text: str) -> None:
    assert refusal("Observation", (name, text)).sentence == "search.malformed-reference"


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
def test_a_date_takes_every_prefix(prefix: str) -> None:
    found = value("Observation", "date", f"{prefix}2024-03")
    assert isinstance(found, DateValue)
    assert (found.prefix, found.span) == (prefix, span("2024-03"))


def test_an_approximate_date_looks_beside_itself() -> None:
    found = value("Observation", "date", "ap2024-03-02")
    assert isinstance(found, DateValue)
    assert found.span == (span("2024-03-01")[0], span("2024-03-03")[1])


@pytest.mark.parametrize(
    "text", ["yesterday", "ge", "xx2024", "2024-02-30", "ge ge2024", "2024-01-01T10:00 02:00"]
)
def test_a_date_that_is_none_is_refused_with_an_example(text: str) -> None:
    error = refusal("Observation", ("date", text))
    assert error.sentence == "search.malformed-date"
    assert "%2B" in str(error)


def test_a_string_is_folded() -> None:
    assert value("Patient", "name", "  MÉR\\,y ") == StringValue("mer y", "MÉR\\,y")


@pytest.mark.parametrize("text", ["", "a,,b", ",a", "a,", " ", "---", "'"])
def test_an_empty_value_is_refused_for_it_would_match_everybody(text: str) -> None:
    assert refusal("Patient", ("name", text)).sentence == "search.empty-value"


@pytest.mark.parametrize("text", ["\\", "a\\b", "\\n", "a\\,\\"])
def test_a_stray_backslash_is_refused(text: str) -> None:
    assert refusal("Patient", ("name", text)).sentence == "search.malformed-escape"


def test_commas_are_or_and_repetition_is_and() -> None:
    query = parse("Observation", [("code", r"a,b\,c"), ("code", "d")])
    assert [[v.text for v in clause.values] for clause in query.clauses] == [["a", r"b\,c"], ["d"]]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("_text", "x", "search.parameter-not-supported"),
        ("_content", "x", "search.parameter-not-supported"),
        ("_filter", "code eq x", "search.parameter-not-supported"),
        ("code:in", "x", "search.modifier-not-supported"),
        ("code:above", "x", "search.modifier-not-supported"),
        ("code:exact", "x", "search.modifier-not-supported"),
        ("value-string:not", "x", "search.modifier-not-supported"),
        ("date:not", "2024", "search.modifier-not-supported"),
        ("value-quantity:not", "5", "search.modifier-not-supported"),
        ("code-value-quantity:missing", "true", "search.modifier-not-supported"),
        ("_id:missing", "true", "search.modifier-not-supported"),
        ("_id:not", "x", "search.modifier-not-supported"),
        ("_lastUpdated:missing", "true", "search.modifier-not-supported"),
        ("_profile:below", "http://x", "search.modifier-not-supported"),
        ("subject:Practitioner", "x", "search.modifier-not-supported"),  # no target of subject
        ("code:", "x", "search.modifier-not-supported"),
        ("colour", "red", "search.unknown-parameter"),
        ("name", "Martin", "search.unknown-parameter"),  # of Patient, not of Observation
    ],
)
def test_what_is_not_done_is_refused_never_dropped(name: str, text: str, sentence: str) -> None:
    """Two other servers drop an unknown filter in silence, and answer with more than was asked."""
    error = refusal("Observation", ("code", "a"), (name, text))
    assert isinstance(error, NotSupportedError)
    assert (error.status, error.sentence) == (400, sentence)


def test_a_type_that_does_not_exist_is_refused() -> None:
    assert refusal("Dragon").sentence == "search.unknown-type"


SECRET = "Zoé-Martin-287018"


@pytest.mark.parametrize(
    "pair",
    [
        (SECRET, "x"),
        (f"colour:{SECRET}", "x"),
        ("x" * 41, "x"),
        ("code", f"{SECRET}|{SECRET}|{SECRET}"),
        ("code", f"{SECRET}\\"),
        ("date", SECRET),
        ("subject", f"{SECRET} !"),
        ("patient", f"Zed/{SECRET}"),
        (f"code:{SECRET}", "x"),
        (f"patient.{SECRET}", "x"),
        ("_count", SECRET),
        ("_sort", SECRET),
        ("_total", SECRET),
        ("_id", SECRET + "/"),
    ],
)
def test_searched_words_in_an_error_text(pair: tuple[str, str]) -> None:
    """Attack: what somebody searched for (a name, a number) is read back in logs of errors."""
    error: SermentError | None = refusal("Observation", pair)
    said = repr(error)
    for language in Language:
        said += error.said(language) if error else ""
    while error is not None:
        said += f"{error!r} {error} {error.args}"
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # walked to its end
    assert "Zoé" not in said
    assert "287018" not in said
    assert "x" * 41 not in said


def test_searched_words_in_the_repr_of_a_query() -> None:
    """Attack: a traceback that prints the query shows whom it was about."""
    query = parse("Patient", [("name", "Zoé"), ("_id", "zoe1"), ("birthdate", "1990-02-03")])
    shown = repr(query) + repr(query.clauses) + repr(query.clauses[0].values)
    assert "zo" not in shown.lower()
    assert "1990" not in shown


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("1", 1), ("50", 50), ("500", 500), ("501", 500), ("100000", 500)],
)
def test_a_page_holds_500_at_most(text: str, count: int) -> None:
    assert parse("Patient", [("_count", text)]).count == count


@pytest.mark.parametrize("text", ["", "-1", "ten", "1.5", "٣", "+1", " 5", "9" * 30])
def test_a_count_that_is_no_number_is_refused(text: str) -> None:
    assert refusal("Patient", ("_count", text)).sentence == "search.malformed-count"


def test_an_estimate_is_answered_exactly() -> None:
    assert parse("Patient", []).total == "accurate"
    assert parse("Patient", [("_total", "estimate")]).total == "accurate"
    assert parse("Patient", [("_total", "none")]).total == "none"
    assert refusal("Patient", ("_total", "maybe")).sentence == "search.malformed-total"


def test_sorting_takes_dates_strings_and_tokens() -> None:
    keys = parse("Observation", [("_sort", "-date,status,_id,-_lastUpdated")]).sort
    assert [(key.code, key.descending) for key in keys] == [
        ("date", True),
        ("status", False),
        ("_id", False),
        ("_lastUpdated", True),
    ]


@pytest.mark.parametrize(
    "text", ["", "date,", "code-value-quantity", "colour", "date,-date", "--date", "phonetic", "subject.name"]
)
def test_sorting_by_anything_else_is_refused(text: str) -> None:
    assert refusal("Observation", ("_sort", text)).sentence == "search.malformed-sort"


@pytest.mark.parametrize("name", ["_count", "_sort", "_total"])
def test_what_rules_the_answer_is_said_once(name: str) -> None:
    good = {"_count": "5", "_sort": "_id", "_total": "none"}[name]
    assert refusal("Patient", (name, good), (name, good)).sentence == "search.repeated"


@pytest.mark.parametrize(
    ("kind", "pairs", "patients"),
    [
        ("Observation", [("patient", "p1")], ("p1",)),
        ("Observation", [("subject", "Patient/p1")], ("p1",)),
        ("Observation", [("subject", "p1"), ("patient", "Patient/p1")], ("p1",)),
        ("Observation", [("patient", "p1,p2")], ("p1", "p2")),
        ("Observation", [("patient", "p1"), ("patient", "p2")], ("p1", "p2")),
        ("Observation", [("subject", "Group/g1")], ()),
        ("Observation", [("performer", "Patient/p1")], ("p1",)),
        ("Observation", [("performer", "d1")], ()),
        ("Observation", [("patient", "p1"), ("performer", "Patient/p2")], ("p1",)),
        ("Observation", [("code", "Patient/p1")], ()),
        ("Observation", [("patient", "https://other.example/Patient/p1")], ()),
        ("Coverage", [("beneficiary", "Patient/p1")], ("p1",)),
        ("Encounter", [("subject", "Patient/p1")], ("p1",)),
        ("Task", [("patient", "p1")], ("p1",)),
        ("Device", [("patient", "p1")], ("p1",)),
        ("Appointment", [("actor", "Patient/p1")], ("p1",)),
        ("Patient", [("_id", "p1")], ("p1",)),
        ("Patient", [("link", "Patient/p2")], ()),
        ("Patient", [("family", "martin")], ()),
        ("Organization", [("_id", "o1")], ()),
    ],
)
def test_the_patients_that_a_query_names(
    kind: str, pairs: list[tuple[str, str]], patients: tuple[str, ...]
) -> None:
    assert parse(kind, pairs).patients == patients


def test_the_same_query_in_another_order_has_the_same_key() -> None:
    one = parse("Observation", [("code", "a,b"), ("date", "ge2024"), ("_count", "5")])
    two = parse("Observation", [("_count", "5"), ("date", "ge2024"), ("code", "b,a")])
    assert one.key() == two.key()


@pytest.mark.parametrize(
    "pairs",
    [
        [("code", "a"), ("code", "b")],
        [("code", r"a\,b")],
        [("code", "a,b"), ("_sort", "date")],
        [("code", "a,b"), ("_count", "5")],
        [("combo-code", "a,b")],
        [],
    ],
)
def test_another_query_has_another_key(pairs: list[tuple[str, str]]) -> None:
    assert parse("Observation", pairs).key() != parse("Observation", [("code", "a,b")]).key()


def test_a_type_is_part_of_the_key() -> None:
    assert parse("Observation", []).key() != parse("Condition", []).key()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def escaped(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, f"\\{special}")
    return text


@given(st.lists(TEXT.filter(lambda t: t.strip() == t and any(map(str.isalnum, t))), min_size=1, max_size=4))
def test_any_text_comes_through_its_escapes(texts: list[str]) -> None:
    query = parse("Observation", [("code", ",".join(escaped(text) for text in texts))])
    assert [v.code for v in query.clauses[0].values if isinstance(v, TokenValue)] == texts


@given(
    st.lists(
        st.sampled_from(
            [
                ("code", "a,b"),
                ("date", "eq2024-02"),
                ("date", "ap2023"),
                ("subject:Patient", "p1"),
                ("value-string", "Éa"),
                ("_lastUpdated", "gt2020"),
                ("_id", "x"),
            ]
        ),
        max_size=5,
    ),
    st.sampled_from([[], [("_sort", "-date,_id")]]),
)
def test_a_query_written_back_reads_the_same(
    pairs: list[tuple[str, str]], rules: list[tuple[str, str]]
) -> None:
    query = parse("Observation", [*pairs, *rules])
    again: Query = parse("Observation", query.to_pairs())
    assert again == query
    assert again.key() == query.key()


@given(TEXT, TEXT)
def test_no_pair_however_strange_raises_anything_else(name: str, text: str) -> None:
    for kind in ("Observation", "Patient"):
        for key in (name, "code", "date", "subject", "name", "_id", "_sort", "_count"):
            with suppress(MalformedError, NotSupportedError):
                parse(kind, [(key, text)])


def test_a_query_at_its_limits_is_read() -> None:
    assert len(parse("Observation", [("code", "a")] * 1000).clauses) == 1000
    assert len(parse("Observation", [("code", ",".join(["a"] * 1000))]).clauses[0].values) == 1000
    assert parse("Observation", [("code", "a" * 4096)]).clauses


def test_a_query_too_long_is_refused() -> None:
    with pytest.raises(TooLargeError):
        parse("Observation", [("code", "a" * 5000)])
    with pytest.raises(TooLargeError):
        parse("Observation", [("code", ",".join(["a"] * 1001))])
    with pytest.raises(TooLargeError):
        parse("Observation", [("code", "a")] * 1001)


@pytest.mark.parametrize("text", ["a/b", "a|b", "é", "x" * 65, "a b"])
def test_an_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse("Observation", [("_id", text)])


def test_every_searched_parameter_of_every_type_is_understood() -> None:
    good = {
        "token": "a",
        "date": "2024",
        "string": "a",
        "reference": "x1",
        "number": "5",
        "quantity": "5||mg",
        "uri": "http://a.example",
    }
    for kind in search.resource_types():
        found = search.searched(kind).items()
        pairs = [(code, good[p.type]) for code, p in found if p.type != "composite"]
        assert len(parse(kind, pairs).clauses) == len(pairs)
