"""Some things stand in one place: SQL, databases, errors, calls to other machines, addresses in pages."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib

from serment import errors
from tests.architecture.pages import make_targets
from tests.architecture.source import (
    ROOT,
    dotted,
    imports_in,
    name_of,
    place,
    project_files,
    python_files,
    tree_of,
)

DATABASES = ("serment/store/", "serment/keys/custody/", "serment/demo/")
STATEMENT = re.compile(
    r"\s*(SELECT .* FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA|CREATE TABLE)\b"
)
CLIENTS = ("urllib.request", "http.client", "httpx", "requests", "aiohttp", "smtplib", "ftplib", "telnetlib")
CALLERS = ("serment/cli/", "serment/demo/")
ADDRESS = re.compile(
    r"""(?:src|href|action|@import|url\()\s*=?\s*["'(]?\s*(?:https?:)?//[^"')\s]+""", re.IGNORECASE
)


def test_databases_are_opened_where_rows_are_kept() -> None:
    """The store, custody's own key file, and the thieves of the demo."""
    opened = [
        place(path, node)
        for path in python_files("serment")
        if not name_of(path).startswith(DATABASES)
        for name, node in imports_in(tree_of(path))
        if name.split(".")[0] in {"apsw", "sqlite3", "psycopg"}
    ]
    assert opened == []


def test_no_statement_is_written_outside_the_store() -> None:
    written = [
        place(path, node)
        for path in python_files("serment")
        if not name_of(path).startswith(DATABASES)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value)
    ]
    assert written == []


def test_no_call_to_anyone() -> None:
    """HOUSE promise 11: only the command line speaks HTTP, to the server that it is told."""
    called = [
        place(path, node)
        for path in python_files("serment")
        if not name_of(path).startswith(CALLERS)
        for name, node in imports_in(tree_of(path))
        if name.startswith(CLIENTS)
    ]
    assert called == []


def test_no_page_fetches_anything_from_outside() -> None:
    outside = [
        f"{name_of(path)}: {found}"
        for path in project_files()
        if name_of(path).startswith("serment/") and path.suffix in {".html", ".css", ".js", ".svg"}
        for found in ADDRESS.findall(path.read_text("utf-8"))
    ]
    assert outside == []


def test_errors_for_callers_stand_in_the_tree() -> None:
    """An error that another room may see is of `serment.errors`; a private one begins with `_`."""
    family = {name for name, value in vars(errors).items() if isinstance(value, type)}
    strays = [
        f"{place(path, node)} {node.name}"
        for path in python_files("serment")
        if name_of(path) != "serment/errors.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and family & {dotted(base).split(".")[-1] for base in node.bases}
    ]
    assert strays == []


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn = {
        name: (int(code), int(status), issue)
        for name, code, status, issue in re.findall(
            r"[├└]── (\w+) +(\d) +(\d{3}) +([a-z-]+)", inspect.getdoc(errors) or ""
        )
    }
    real = {
        name: (value.exit_code, value.status, value.issue)
        for name, value in vars(errors).items()
        if isinstance(value, type)
        and issubclass(value, errors.SermentError)
        and value is not errors.SermentError
    }
    assert drawn == real


def test_every_target_that_was_promised_is_there() -> None:
    assert {"demo", "test", "check", "bench", "campaign", "capabilities", "docs"} <= make_targets()


def test_the_build_machine_runs_what_a_person_runs() -> None:
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert script.rstrip().endswith("\nexport SERMENT_NO_SKIP=1\nmake check test")


def test_the_drawn_rooms_are_the_contract() -> None:
    """The line of ARCHITECTURE.md and the layers that import-linter holds are one list."""
    drawn = re.search(r"^cli → .*$", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE)
    assert drawn is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = next(c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "layers")["layers"]
    held = [set(re.findall(r"\w+", layer)) for layer in layers]
    assert [set(re.findall(r"\w+", room)) for room in drawn[0].split("→")] == [
        layer for layer in held if layer != {"__main__"}
    ]
