"""Write the figures of the newest `make bench`: docs/reference/figures.md, and the table in the README.

`python -m tools.render_figures` writes both; with `--check` it compares them with the newest kept results,
exit code 1 when a number, a bar or a machine is not the same.

Order: the results, the page (bars, loads over HTTP, the rest), the table of the README.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import Row
from benchmarks.bars import Held, held
from benchmarks.run import shown
from tools.generated import kept

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "reference" / "figures.md"
README = ROOT / "README.md"
BEGIN = "<!-- figures: make docs writes this table from bench/results -->"
END = "<!-- end of figures -->"
BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
COLUMNS = ("p50", "p99", "processor", "memory")
"""Figures of one load that stand beside its rate."""

OPENING = """# Figures

This page is made by `make docs` from the newest files of `bench/results`, which `make bench` and
`make bench-long` write. Each figure is the median of its runs, on one machine and one day: run `make bench`
on yours. What a read is made of, and where its time goes: [speed](../explanation/speed.md).
"""

BARS = """## Against the bars

The bars were set before anything was measured. *Ratio*: 1 is the bar, more is better.

| | measured | bar | ratio | |
|---|---|---|---|---|"""

OVER_HTTP = """## Over HTTP

The client, the server's processes, custody and, where there is one, the database share the machine.
*Processor* is that of the server's own processes for one answer; what the others took is said in the last
column. *Memory* is that of the server's processes, of a shared page their part.

| load | /s | p50 ms | p99 ms | processor µs | memory MB | besides |
|---|---|---|---|---|---|---|"""

REST = """## {title}

| figure | median | unit | runs | on what |
|---|---|---|---|---|"""


def newest(folder: Path = RESULTS, *, long: bool = False) -> dict[str, Any] | None:
    """Read the newest kept results, those of a long run or the others; None when there are none."""
    kept = sorted(file for file in folder.glob("*.json") if file.stem.endswith("-long") is long)
    found: dict[str, Any] | None = json.loads(kept[-1].read_text("utf-8")) if kept else None
    return found


def rows_of(results: dict[str, Any]) -> list[Row]:
    """Give the figures of kept results."""
    return [Row(**row) for row in results["rows"]]


def page(results: dict[str, Any], long: dict[str, Any] | None = None) -> str:
    """Write the page."""
    rows = rows_of(results)
    lines = [OPENING, *machine(results), BARS, *map(_bar, held(_all(results, long))), ""]
    loads = [row for row in rows if f"{row.name}: memory" in {one.name for one in rows}]
    if loads:
        lines += [OVER_HTTP, *(_load(row, rows) for row in loads), ""]
    lines += [REST.format(title="Everything else"), *map(_row, _others(rows, loads)), ""]
    if long is not None:
        lines += [REST.format(title="The long run").replace("\n\n", f"\n\n{next(machine(long))}\n", 1)]
        lines += [*map(_row, rows_of(long)), ""]
    return "\n".join(lines)


def machine(results: dict[str, Any]) -> Iterator[str]:
    """Name the machine, and say when it was busy."""
    on = results["machine"]
    yield (
        f"Measured {results['date'][:10]} on {on['cpu']}, {on['cores']} cores, {on['memory_mb']} MB, "
        f"{on['system']}, Python {on['python']}; load average before: {on.get('load', 'not noted')}.\n"
    )
    if float(on.get("load", 0)) > int(on["cores"]) / 2:
        yield "**The machine was busy with other work: alone it is faster.**\n"


def _bar(one: Held) -> str:
    limit = f"{'≤' if one.bar.most else '≥'} {shown(one.bar.limit)} {one.bar.unit}"
    if one.value is None:
        return f"| {one.bar.what} | – | {limit} | – | {one.verdict} |"
    value, ratio = f"{shown(one.value)} {one.bar.unit}", f"{one.bar.ratio(one.value):.2f}"
    return f"| {one.bar.what} | {value} | {limit} | {ratio} | {one.verdict} |"


def _load(load: Row, rows: Sequence[Row]) -> str:
    beside = {row.name.removeprefix(f"{load.name}: "): row for row in rows}
    cells = [shown(beside[column].value) for column in COLUMNS]
    others = beside["processor"].note.removeprefix("besides: ")
    kinds = f"; p50 by kind: {beside['p50'].note}" if beside["p50"].note else ""
    return f"| {load.name} | {shown(load.value)} | {' | '.join(cells)} | {others}{kinds} |"


def _others(rows: Sequence[Row], loads: Sequence[Row]) -> list[Row]:
    told = {f"{load.name}: {column}" for load in loads for column in COLUMNS} | {load.name for load in loads}
    return [row for row in rows if row.name not in told]


def _row(row: Row) -> str:
    return f"| {row.name} | {shown(row.value)} | {row.unit} | {row.runs} | {row.note} |"


def _all(results: dict[str, Any], long: dict[str, Any] | None) -> list[Row]:
    """Give the figures of both runs; where both have one, that of `make bench`."""
    return [*(rows_of(long) if long else []), *rows_of(results)]


def block(results: dict[str, Any], long: dict[str, Any] | None = None) -> str:
    """Write the table of the README."""
    head = ["| | measured | bar | |", "|---|---|---|---|"]
    lines = [re.sub(r" \| [^|]+( \| [^|]+ \|)$", r"\1", _bar(one)) for one in held(_all(results, long))]
    return "\n".join([BEGIN, *machine(results), *head, *lines, END])


def readme(text: str, results: dict[str, Any], long: dict[str, Any] | None = None) -> str:
    """Put the table into the text of the README. Raises `ValueError` where it has no place for it."""
    if not BLOCK.search(text):
        raise ValueError(f"the README has no place for its figures: {BEGIN} … {END}")
    return BLOCK.sub(lambda _: block(results, long), text)


def main(arguments: list[str]) -> int:
    """Write or compare; give the exit code."""
    results = newest()
    if results is None:
        print("no results are kept yet: run make bench")
        return 0
    long = newest(long=True)
    made = {PAGE: page(results, long), README: readme(README.read_text("utf-8"), results, long)}
    return kept(made, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
