"""The price of secrecy: the same server with cipher, trace and policy, and without (`benchmarks.plain`).

Each way makes its own store in an interpreter of its own, in turn, so that what else the machine does meets
both. A ratio above 1 says how many times as much the secret costs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import Any

from benchmarks import Row, quickly

RUNS = quickly(3, 1)


def bench() -> list[Row]:
    """Measure both ways in turn; give the ratios of medians and what they are made of."""
    seen: dict[str, list[dict[str, float]]] = {"secret": [], "plain": []}
    for _ in range(RUNS):
        for kind, runs in seen.items():
            runs.append(measured(kind))
    secret, plain = (middle(seen[kind]) for kind in ("secret", "plain"))
    note = f"{RUNS} pairs; without cipher, trace and policy"
    return [
        Row("price of secrecy: reads, processor", secret["processor"] / plain["processor"], "x", RUNS, note),
        Row("price of secrecy: reads, rate", plain["reads"] / secret["reads"], "x", RUNS, note),
        Row(
            "price of secrecy: writes, processor",
            secret["write processor"] / plain["write processor"],
            "x",
            RUNS,
            note,
        ),
        Row("price of secrecy: writes, rate", plain["writes"] / secret["writes"], "x", RUNS, note),
        Row("reads over HTTP without secrecy, 16 clients", plain["reads"], "/s", RUNS, "one process"),
        Row("import by transactions without secrecy, 8 at once", plain["writes"], "resources/s", RUNS, ""),
    ]


def middle(runs: list[dict[str, float]]) -> dict[str, float]:
    """Give the median of each figure."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def measured(kind: str) -> dict[str, float]:
    """Measure one way in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plain", kind], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
