"""The ASVS table: every requirement of the four chapters stands there, and what it names shows it."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.architecture.source import ROOT, tree_of
from tools.render_asvs import CHAPTERS, MET, NONE, NOT_DONE, PARTLY, STATES, Requirement, requirements

SECTIONS = {
    "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
    "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 3, "10.3": 5, "10.4": 16, "10.5": 5, "10.6": 2, "10.7": 3,
}  # fmt: skip
"""Requirements of each section: OWASP ASVS at its tag v5.0.0, `5.0/docs_en/…_5.0.0_en.csv`."""

LEVELS = {
    "6": {"1": 13, "2": 22, "3": 12},
    "7": {"1": 6, "2": 12, "3": 1},
    "9": {"1": 4, "2": 3},
    "10": {"1": 5, "2": 24, "3": 7},
}
"""Requirements of each chapter by level, from the same file."""

ROWS = requirements()


def test_every_requirement_of_the_four_chapters_stands_there_once_and_in_order() -> None:
    ids = [f"{section}.{one}" for section, count in SECTIONS.items() for one in range(1, count + 1)]
    assert [row.id for row in ROWS] == ids
    assert len(ids) == 109


def test_every_requirement_has_the_level_of_the_standard() -> None:
    counted = {chapter: Counter(row.level for row in ROWS if row.chapter == chapter) for chapter in CHAPTERS}
    assert counted == LEVELS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_says_how_it_stands_and_what_shows_it(row: Requirement) -> None:
    assert row.state in STATES
    assert row.asks
    assert row.how.endswith((".", ")"))
    assert bool(row.tests) == (row.state in {MET, PARTLY})
    assert bool(row.missing) == (row.state in {PARTLY, NOT_DONE})
    assert row.state != NONE or not row.missing


def test_every_test_that_is_named_is_there() -> None:
    absent = [one for row in ROWS for one in row.tests.split() if one not in _tests(one.partition("::")[0])]
    assert absent == []


def _tests(name: str) -> set[str]:
    """Give the ids of the test functions of a file."""
    path = ROOT / name
    if not path.is_file():
        return set()
    found = (node for node in tree_of(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {f"{name}::{node.name}" for node in found if node.name.startswith("test_")}
