"""Figures, measured: `make bench` runs every `bench_*.py` of this folder (see `benchmarks.run`).

A benchmark file has one function `bench() -> list[Row]`. It works on data that it makes in a temporary
folder, measures several runs, and gives medians; what is null or fake for a measure is said in the note.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Final, TypeVar

T = TypeVar("T")

QUICK: Final = os.environ.get("SERMENT_BENCH_QUICK") == "1"
"""Set to see whether the benchmarks still run: sizes and times are small, and nothing is kept."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: `value` is the median of `runs` runs, in `unit`; `note` says on what it was measured."""

    name: str
    value: float
    unit: str
    runs: int
    note: str = ""


def median_row(name: str, values: Sequence[float], unit: str, note: str = "") -> Row:
    """Make a row of the figures of several runs. Raises `ValueError` when there is none."""
    if not values:
        raise ValueError(f"{name}: no run was measured")
    return Row(name, median(values), unit, len(values), note)


def quickly(usual: T, quick: T) -> T:
    """Choose a size: the usual one, or the one of `SERMENT_BENCH_QUICK=1`."""
    return quick if QUICK else usual


def seconds(act: Callable[[], object], runs: int = 5) -> list[float]:
    """Give the wall time of each of `runs` calls of `act`, in seconds, after one call that warms up."""
    act()
    measured = []
    for _ in range(runs):
        start = perf_counter()
        act()
        measured.append(perf_counter() - start)
    return measured
