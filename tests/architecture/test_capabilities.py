"""The capabilities table counts what tests say of themselves, and takes no mark that it does not know."""

from __future__ import annotations

import ast

from tests.architecture.source import dotted, place, python_files, tree_of
from tools.capabilities import SIDES, rows, table, unknown

LETS = {("0-05", "lets"): {"tests/a.py::test_a"}}


def test_every_mark_names_a_row_and_a_side() -> None:
    wrong = []
    for path in python_files("tests"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and dotted(node.func).endswith("mark.capability"):
                said = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                if len(said) != 2 or said[0] not in rows() or said[1] not in SIDES:
                    wrong.append(f"{place(path, node)} {said}")
    assert wrong == []


def test_a_row_with_one_side_is_open() -> None:
    assert "0-05 |    1 |       - | open  | lost" in table({"0-05": "lost"}, LETS)


def test_a_row_with_both_sides_is_done() -> None:
    both = {**LETS, ("0-05", "refuses"): {"tests/a.py::test_b", "tests/a.py::test_c"}}
    assert "0-05 |    1 |       2 | done  | lost" in table({"0-05": "lost"}, both)
    assert "0-05" not in table({"0-05": "lost"}, both, only_open=True)


def test_a_mark_of_no_row_or_no_side_is_named() -> None:
    strange = {("9-99", "lets"): {"tests/a.py::test_a"}, ("0-05", ""): {"tests/a.py::test_b"}}
    assert unknown({**LETS, **strange}, {"0-05": "lost"}) == [
        "tests/a.py::test_a: capability('9-99', 'lets')",
        "tests/a.py::test_b: capability('0-05', '')",
    ]
