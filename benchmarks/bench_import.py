"""`serment import` on bundles of people: what one process and its workers take in, every lot durable.

Each run has a store of its own, which holds nobody. The people are those of the demo population, 120
resources each: a chart. The first figure reads in this process, the other by workers beside it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks import Row, median_row, quickly
from benchmarks.installation import STORES, opened, today
from serment.demo.people import directory
from serment.demo.population import bundles_for
from serment.intake import import_

PATIENTS = quickly(60, 4)
RESOURCES = 120
WORKERS = (1, 2)
RUNS = quickly(3, 1)
STRUCTURE = "cabinet-des-tilleuls"


def bench() -> list[Row]:
    """Import the same source with one process and with two workers, on each store."""
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        source = Path(folder) / "source"
        written(source)
        rows = []
        for store in STORES:
            for workers in WORKERS:
                name = "one process" if workers == 1 else f"{workers} workers"
                rates = [rate(source, workers, store) for _ in range(RUNS)]
                rows.append(
                    median_row(f"serment import, {store}, {name}", rates, "resources/s", note(source))
                )
        return rows


def written(source: Path) -> None:
    """Write the directory and one bundle for each person."""
    source.mkdir()
    (source / "people.json").write_text(json.dumps(directory(), ensure_ascii=False))
    for place, patient in enumerate(bundles_for(PATIENTS, RESOURCES, today=today())):
        (source / f"{place:04}.json").write_text(json.dumps(patient.bundle, ensure_ascii=False))


def note(source: Path) -> str:
    size = sum(file.stat().st_size for file in source.iterdir()) / 1e6
    return f"{PATIENTS} people, {size:.0f} MB, start of the workers included"


def rate(source: Path, workers: int, store: str) -> float:
    """Import into a new store and give resources in a second, from the first byte to the last commit."""
    with opened(store) as (_, house, _custody):
        start = perf_counter()
        asking = import_.service(house, STRUCTURE)
        report = import_.run(house, source, asking, name="source", workers=workers)
        assert report.quarantined == 0
        return report.received / (perf_counter() - start)
