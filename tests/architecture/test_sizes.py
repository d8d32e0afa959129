"""Functions and modules stay small enough to be read whole (complexity is ruff's C90)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from tests.architecture.source import name_of, python_files, tree_of

EVERYWHERE = ("serment", "tests", "tools", "benchmarks")
LONGEST_FUNCTION = 60
LONGEST_MODULE = 600
MEDIAN_FUNCTION = 10
NINE_IN_TEN_FUNCTIONS = 35
NINE_IN_TEN_MODULES = 400


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give name and lines of every function that has a body (the stubs of a Protocol have none)."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_stub(node):
            assert node.end_lineno is not None
            yield f"{name_of(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    last = node.body[-1]
    return isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [row for path in python_files(*EVERYWHERE) for row in functions(path) if row[1] > LONGEST_FUNCTION]
    assert long == []


def test_no_module_is_longer_than_six_hundred_lines() -> None:
    long = [
        (name_of(path), lines(path)) for path in python_files(*EVERYWHERE) if lines(path) > LONGEST_MODULE
    ]
    assert long == []


def test_functions_of_the_product_are_short() -> None:
    sizes = [size for path in python_files("serment") for _, size in functions(path)]
    assert median(sizes) <= MEDIAN_FUNCTION
    assert quantiles(sizes, n=10)[-1] <= NINE_IN_TEN_FUNCTIONS


def test_modules_of_the_product_are_short() -> None:
    sizes = [lines(path) for path in python_files("serment")]
    assert quantiles(sizes, n=10)[-1] <= NINE_IN_TEN_MODULES
