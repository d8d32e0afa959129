"""The order of answers is total: pages neither repeat nor lose an entry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.fhir import search
from serment.fhir.order import Row, arranged
from serment.fhir.query import parse


def row(name: str, updated: int = 0, **members: Any) -> Row:
    return name, updated, search.index({"resourceType": "Observation", **members})


def ids(sort: str, *rows: Row) -> list[str]:
    query = parse("Observation", [("_sort", sort)] if sort else [])
    return [name for name, _, _ in arranged(query, rows, lambda entry: entry)]


def test_without_a_wish_the_last_changed_comes_first() -> None:
    assert ids("", row("a", 1), row("b", 3), row("c", 2), row("d", 3)) == ["b", "d", "c", "a"]


def test_keys_count_in_their_order() -> None:
    rows = [
        row("a", status="final", effectiveDateTime="2024"),
        row("b", status="final", effectiveDateTime="2025"),
        row("c", status="amended", effectiveDateTime="2023"),
    ]
    assert ids("status,-date", *rows) == ["c", "b", "a"]
    assert ids("-status,date", *rows) == ["a", "b", "c"]


@pytest.mark.parametrize("sort", ["date", "-date"])
def test_an_entry_without_the_value_comes_last_either_way(sort: str) -> None:
    assert ids(sort, row("a"), row("b", effectiveDateTime="2024"))[-1] == "a"


def test_of_several_values_the_smallest_counts_going_up_the_largest_going_down() -> None:
    both = row("b", category=[{"coding": [{"code": "a"}, {"code": "z"}]}])
    middle = row("m", category=[{"coding": [{"code": "k"}]}])
    assert ids("category", middle, both) == ["b", "m"]
    assert ids("-category", middle, both) == ["b", "m"]


def test_ids_and_instants_of_the_entry_are_keys_too() -> None:
    rows = [row("b", 1), row("a", 2), row("c", 0)]
    assert ids("_id", *rows) == ["a", "b", "c"]
    assert ids("-_id", *rows) == ["c", "b", "a"]
    assert ids("_lastUpdated", *rows) == ["c", "b", "a"]


def test_what_is_sorted_need_not_be_what_tells_the_order() -> None:
    rows = {"late": row("b", 1), "early": row("a", 2)}
    assert arranged(parse("Observation", [("_sort", "_id")]), ["late", "early"], rows.__getitem__) == [
        "early",
        "late",
    ]
    assert arranged(parse("Observation", [("_sort", "status")]), ["late", "early"], rows.__getitem__) == [
        "early",
        "late",
    ]


def test_texts_are_sorted_folded() -> None:
    rows = [row("1", valueString="Étoile"), row("2", valueString="fleur"), row("3", valueString="Éclair")]
    assert ids("value-string", *rows) == ["3", "1", "2"]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([None, "2023", "2024-01", "2024-06-01"]),
        st.sampled_from([None, "final", "amended"]),
    ),
    max_size=12,
)
SORTS = st.sampled_from(["", "date", "-date", "status,-date", "-status,_lastUpdated", "_id", "-_id"])


@given(ROWS, SORTS, st.randoms(), st.integers(1, 5))
def test_pages_partition_the_answers_however_they_were_stored(
    facts: list[tuple[int, str | None, str | None]], sort: str, random: Any, size: int
) -> None:
    rows = [
        row(f"r{n}", updated, **{k: v for k, v in (("effectiveDateTime", date), ("status", status)) if v})
        for n, (updated, date, status) in enumerate(facts)
    ]
    ordered = ids(sort, *rows)
    random.shuffle(rows)
    assert ids(sort, *rows) == ordered  # a total order: how rows were stored does not show
    pages = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    assert sorted(name for page in pages for name in page) == sorted(name for name, _, _ in rows)
