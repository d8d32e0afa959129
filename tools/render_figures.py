"""Write docs/reference/figures.md: the newest figures of `make bench`, with the machine that gave them.

`python -m tools.render_figures` writes the page; with `--check` it says whether the page lists the figures
that the newest kept results list, exit code 1 when it does not. Numbers are not compared: they are of one
day and one machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "reference" / "figures.md"

OPENING = """# Figures

This page is made by `make docs` from the newest file of `bench/results`, which `make bench` writes. Each
figure is the median of its runs, on one machine and one day: run `make bench` on yours.
"""


def newest(folder: Path = RESULTS) -> dict[str, Any] | None:
    """Read the newest kept results, None when there are none."""
    kept = sorted(folder.glob("*.json"))
    found: dict[str, Any] | None = json.loads(kept[-1].read_text("utf-8")) if kept else None
    return found


def page(results: dict[str, Any]) -> str:
    """Write the page."""
    return "\n".join([OPENING, *_machine(results), *_rows(results["rows"]), ""])


def _machine(results: dict[str, Any]) -> Iterator[str]:
    on = results["machine"]
    yield (
        f"Measured {results['date'][:10]} on {on['cpu']}, {on['cores']} cores, {on['memory_mb']} MB, "
        f"{on['system']}, Python {on['python']}; load average before: {on.get('load', 'not noted')}.\n"
    )
    if float(on.get("load", 0)) > int(on["cores"]) / 2:
        yield "**The machine was busy with other work: alone it is faster.**\n"


def _rows(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| figure | median | unit | runs | on what |"
    yield "|---|---|---|---|---|"
    for row in rows:
        yield f"| {row['name']} | {_shown(row['value'])} | {row['unit']} | {row['runs']} | {row['note']} |"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def names(text: str) -> list[str]:
    """List the figures that a page names."""
    lines = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    return [name for name in lines if name != "figure"]


def main(arguments: list[str]) -> int:
    """Write or check the page; give the exit code."""
    results = newest()
    if results is None:
        print("no results are kept yet: run make bench")
        return 0
    made = page(results)
    if "--check" not in arguments:
        PAGE.write_text(made, "utf-8")
        return 0
    old = not PAGE.exists() or names(PAGE.read_text("utf-8")) != names(made)
    if old:
        print(f"{PAGE.relative_to(ROOT)} does not list the newest figures: run make docs")
    return 1 if old else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
