"""What `bench_scale` measures, up to a million patients: some minutes, 12 GB of disk."""

from __future__ import annotations

from benchmarks import Row, bench_scale, quickly


def bench() -> list[Row]:
    """Go from a thousand patients to a million."""
    return bench_scale.bench(quickly((1_000, 100_000, 1_000_000), (500, 1_000)))
