"""What import contracts cannot see: clocks and doors reached by a name, and rules that memory would keep."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.source import calls_in, dotted, imports_in, name_of, place, python_files, tree_of

PURE = ("access", "ledger", "fhir", "identity")
CLOCKS = {
    "now",
    "utcnow",
    "today",
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "localtime",
}
CLOCK_OWNERS = {"datetime", "date", "dt", "time"}
DOORS = ("urllib.request", "http.client", "http.server", "os.environ", "os.getenv", "importlib.import_module")
FILES = ("open", "os.open", "pathlib.Path.open")
ENVIRONMENT = {"os.environ", "os.getenv", "os.environb", "environ", "getenv"}
READS_ENVIRONMENT = {
    "serment/__main__.py",
    "serment/app.py",
    "serment/settings.py",
}


def pure_files() -> list[Path]:
    return [path for path in python_files("serment") if name_of(path).split("/")[1] in PURE]


def test_no_pure_room_reads_a_clock() -> None:
    read = [
        place(path, call)
        for path in pure_files()
        for name, call in calls_in(tree_of(path))
        if name.split(".")[-1] in CLOCKS and set(name.split(".")[:-1]) & CLOCK_OWNERS
    ]
    assert read == []


def test_no_pure_room_opens_a_door_to_the_outside() -> None:
    opened = [
        place(path, node)
        for path in pure_files()
        for name, node in imports_in(tree_of(path))
        if name.startswith(DOORS)
    ]
    assert opened == []


def test_no_pure_room_opens_a_file_but_its_own_tables() -> None:
    opened = [
        place(path, call)
        for path in pure_files()
        for name, call in calls_in(tree_of(path))
        if name in FILES or name.split(".")[-1] in {"write_text", "write_bytes"}
    ]
    assert opened == []


def test_one_place_reads_the_environment() -> None:
    read = [
        place(path, node)
        for path in python_files("serment")
        if name_of(path) not in READS_ENVIRONMENT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.Name) and dotted(node) in ENVIRONMENT
    ]
    assert read == []


def test_no_secret_is_made_by_a_generator_for_games() -> None:
    """What is random comes from the system; only invented people are repeatable."""
    games = [
        place(path, node)
        for path in python_files("serment")
        if not name_of(path).startswith("serment/demo/")
        for name, node in imports_in(tree_of(path))
        if name.partition(".")[0] in {"random", "numpy"}
    ]
    assert games == []


def test_no_module_imports_by_a_name_made_at_run_time() -> None:
    """An import that the contracts cannot read is an import that they cannot forbid."""
    dynamic = [
        place(path, call)
        for path in python_files("serment")
        for name, call in calls_in(tree_of(path))
        if name in {"__import__", "importlib.import_module", "import_module", "exec", "eval"}
    ]
    assert dynamic == []


def test_no_relative_import() -> None:
    relative = [
        place(path, node)
        for path in python_files("serment", "tests", "tools", "benchmarks")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


EMPTY_WORDS = re.compile(r"^_?(utils?|commons?|helpers?|misc|managers?|processors?)$")
EMPTY_CLASS = re.compile(r"(Manager|Helper|Processor|Util|Utils)$")


def test_no_name_that_says_nothing() -> None:
    files = [
        name_of(path)
        for path in python_files("serment", "tests", "tools", "benchmarks")
        if any(EMPTY_WORDS.match(part) for part in path.with_suffix("").parts)
    ]
    classes = [
        f"{place(path, node)} {node.name}"
        for path in python_files("serment", "tests", "tools", "benchmarks")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and EMPTY_CLASS.search(node.name)
    ]
    assert files + classes == []


@pytest.mark.parametrize("module", ["unittest.mock", "mock", "pytest_mock"])
def test_no_test_imports_a_mock(module: str) -> None:
    mocked = [
        place(path, node)
        for path in python_files("tests", "benchmarks")
        for name, node in imports_in(tree_of(path))
        if name == module or name.startswith(f"{module}.")
    ]
    assert mocked == []


def test_no_test_sleeps() -> None:
    asleep = [
        place(path, call)
        for path in python_files("tests")
        for name, call in calls_in(tree_of(path))
        if name in {"sleep", "time.sleep", "asyncio.sleep", "anyio.sleep"}
        and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    ]
    assert asleep == []


def test_fakes_and_tests_stay_out_of_the_product() -> None:
    borrowed = [
        place(path, node)
        for path in python_files("serment")
        for name, node in imports_in(tree_of(path))
        if name.split(".")[0] in {"tests", "benchmarks", "tools", "pytest", "hypothesis"}
    ]
    assert borrowed == []
