"""Run the benchmarks and print one table: `python -m benchmarks.run [--long] [word]`.

Order: find the files, run each in an interpreter of its own (one cannot warm or fill another), print the
table with the machine and the bars, keep the figures in `bench/results/<date>.json`. A file that fails is
named, the others go on, and the exit code is 1. With a word, only files whose name holds it run and nothing
is kept. `--long` runs the files `long_*.py` in place of `bench_*.py` and keeps `<date>-long.json`.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import perf_counter

from benchmarks import QUICK, Row
from benchmarks.bars import Held, held

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
ONE = "--one"
LONG = "--long"


def machine() -> dict[str, str | int | float]:
    """Name the machine: processor, cores, memory, system, Python, and its load when the run began."""
    return {
        "cpu": _first("/proc/cpuinfo", r"model name\s*:\s*(.+)")
        or platform.processor()
        or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": int(_first("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) // 1024,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _first(file: str, pattern: str) -> str:
    path = Path(file)
    found = re.search(pattern, path.read_text("utf-8", "replace")) if path.exists() else None
    return found[1].strip() if found else ""


def files(word: str, kind: str = "bench") -> list[str]:
    """List the benchmark modules of a kind (`bench`, `long`) whose name holds `word`."""
    return sorted(path.stem for path in Path(__file__).parent.glob(f"{kind}_*.py") if word in path.stem)


def figures(module: str) -> list[Row] | None:
    """Run one module in an interpreter of its own; None when it failed (its error is on stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", ONE, module], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        return None
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def table(rows: Sequence[Row]) -> str:
    """Write the rows in columns."""
    cells = [("figure", "median", "unit", "runs", "note")]
    cells += [(row.name, shown(row.value), row.unit, str(row.runs), row.note) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return "\n".join(
        f"{n:{widths[0]}}  {v:>{widths[1]}}  {u:{widths[2]}}  {r:>{widths[3]}}  {note}".rstrip()
        for n, v, u, r, note in cells
    )


def shown(value: float) -> str:
    """Write a figure with three digits, or whole when it is larger."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def against(bars: Sequence[Held]) -> str:
    """Write each bar that was measured beside its figure, one line each."""
    return "\n".join(
        f"{shown(one.value)} {one.bar.unit} of {shown(one.bar.limit)} (x {one.bar.ratio(one.value):.2f})  "
        f"{one.bar.what}: {one.verdict}"
        for one in bars
        if one.value is not None
    )


def keep(
    rows: Sequence[Row],
    now: datetime,
    folder: Path = RESULTS,
    on: dict[str, str | int | float] | None = None,
    kind: str = "bench",
) -> Path:
    """Write the figures and the machine beside those of other days."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{now:%Y-%m-%d}{'-long' if kind == 'long' else ''}.json"
    content = {
        "date": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "machine": on or machine(),
        "rows": [asdict(row) for row in rows],
    }
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return file


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for and give the exit code."""
    if arguments[:1] == [ONE]:
        rows: list[Row] = import_module(f"benchmarks.{arguments[1]}").bench()
        print(json.dumps([asdict(row) for row in rows]))
        return 0
    kind = "long" if LONG in arguments else "bench"
    word = next((one for one in arguments if one != LONG), "")
    on = machine()
    measured, failed = run(files(word, kind))
    print(" · ".join(f"{name} {value}" for name, value in on.items()))
    if float(on["load"]) > int(on["cores"]) / 2:
        print("The machine was busy before this began: times are longer than they would be alone.")
    print(table(measured))
    if not QUICK:
        print("\n" + against(held(measured)))
    if measured and not word and not failed and not QUICK:
        print(f"kept in {keep(measured, datetime.now(UTC), on=on, kind=kind).relative_to(ROOT)}")
    if not word and kind == "bench" and not QUICK:
        print("\n".join(f"not measured here: {one.bar.what}" for one in held(measured) if one.value is None))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(modules: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Run the modules one after the other; give the figures, and the names of those that failed."""
    measured: list[Row] = []
    failed = []
    for module in modules:
        began = perf_counter()
        got = figures(module)
        failed += [module] if got is None else []
        measured += got or []
        print(f"{module}: {perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return measured, failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
