"""What `bench_identity_search` measures, on a million people: some minutes, half a gigabyte of disk."""

from __future__ import annotations

from benchmarks import Row, quickly
from benchmarks.bench_identity_search import measured


def bench() -> list[Row]:
    """Measure a million people."""
    return measured(quickly(1_000_000, 5_000), "a million people")
