"""Print the table of capabilities: for each row, how many tests show what it lets and what it refuses.

The rows are `tools/capabilities.tsv`. The tests say themselves what they show, with
`@pytest.mark.capability("0-05", "lets")` or `"refuses"`; they are collected by pytest, never run here, the
campaign's included. A row is done when both sides have a test. A mark that names no row, or no side, is an
error. `--open` prints the rows still open only.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIDES = ("lets", "refuses")


class Collected:
    """A pytest plugin that keeps the marks of the tests collected: (id, side) → names of tests."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, str], set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Read the marks; the cases of one parametrised test count as one."""
        for item in items:
            for mark in item.iter_markers("capability"):
                row, side = (*mark.args, "", "")[:2]
                self.tests[row, side].add(item.nodeid.partition("[")[0])


def rows() -> dict[str, str]:
    """Read the list of capabilities: id → title."""
    with (ROOT / "tools/capabilities.tsv").open(encoding="utf-8") as file:
        return {row["id"]: row["title"] for row in csv.DictReader(file, delimiter="\t", strict=True)}


def collect(tests: Path = ROOT / "tests") -> dict[tuple[str, str], set[str]]:
    """Let pytest collect every test and give the marks. Raises `SystemExit` when collection fails."""
    collected, said = Collected(), io.StringIO()
    asked = ["--collect-only", "--quiet", "-p", "no:cacheprovider", "-m", "", str(tests)]
    with redirect_stdout(said):
        code = pytest.main(asked, plugins=[collected])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"the tests cannot be collected:\n{said.getvalue()}")
    return dict(collected.tests)


def unknown(tests: dict[tuple[str, str], set[str]], titles: dict[str, str]) -> list[str]:
    """Give the tests whose mark names no row or no side."""
    return sorted(
        f"{name}: capability({row!r}, {side!r})"
        for (row, side), names in tests.items()
        if row not in titles or side not in SIDES
        for name in names
    )


def table(titles: dict[str, str], tests: dict[tuple[str, str], set[str]], *, only_open: bool = False) -> str:
    """Write the table, its rows in order, and the count of the rows that are done."""
    lines = [f"{'id':4} | {'lets':>4} | {'refuses':>7} | {'state':5} | capability"]
    done = 0
    for row, title in titles.items():
        lets, refuses = (len(tests.get((row, side), ())) for side in SIDES)
        state = "done" if lets and refuses else "open"
        done += state == "done"
        if state == "open" or not only_open:
            lines.append(f"{row:4} | {lets or '-':>4} | {refuses or '-':>7} | {state:5} | {title}")
    return "\n".join(
        [*lines, f"{done} of {len(titles)} rows have a test of what they let and one of what they refuse"]
    )


def main() -> None:
    """Print the table; exit 1 when a mark is wrong."""
    titles, tests = rows(), collect()
    sys.stdout.write(table(titles, tests, only_open="--open" in sys.argv[1:]) + "\n")
    if wrong := unknown(tests, titles):
        raise SystemExit("marks that name no row or no side:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
