"""`serment import` on bundles of people: what one process and its workers take in, every lot durable.

Each run has a store of its own, which holds nobody. The people are those of the demo population, 120
resources each: a chart. The first figure reads in this process, the other by workers beside it.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks import Row, median_row
from benchmarks.installation import today
from serment import app, settings
from serment.demo.people import directory
from serment.demo.population import bundles_for
from serment.intake import import_
from serment.intake.import_.workers import cores
from serment.record.house import House

PATIENTS = 120
RESOURCES = 120
RUNS = 3
STRUCTURE = "cabinet-des-tilleuls"


def bench() -> list[Row]:
    """Import the same source with one process, and with as many workers as there are processors."""
    with tempfile.TemporaryDirectory(prefix="serment-bench-") as folder:
        source = Path(folder) / "source"
        written(source)
        rows = []
        for workers in sorted({1, min(cores(), 4)}):
            name = "serment import, one process" if workers == 1 else f"serment import, {workers} workers"
            rates = [rate(Path(folder) / f"{workers}-{run}", source, workers) for run in range(RUNS)]
            rows.append(median_row(name, rates, "resources/s", note(source)))
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


def rate(folder: Path, source: Path, workers: int) -> float:
    """Import into a new store and give resources in a second, from the first byte to the last commit."""
    with store(folder) as house:
        start = perf_counter()
        asking = import_.service(house, STRUCTURE)
        report = import_.run(house, source, asking, name="source", workers=workers)
        assert report.quarantined == 0
        return report.received / (perf_counter() - start)


@contextmanager
def store(folder: Path) -> Iterator[House]:
    """Make a store that holds nobody, with its custody."""
    chosen = settings.read({}, folder, 0)
    custody = app.start_custody(chosen)
    try:
        house = app.create(chosen, secrets.token_urlsafe(24), demo=True)
        try:
            yield house
        finally:
            house.close()
    finally:
        custody.stop()
