"""Writing whole records: light ones (13 resources, one transaction each) through the transaction door.

Each transaction makes the keys of a new record in custody, seals, places and traces; it is durable when it
answers. One after the other and eight at once.
"""

from __future__ import annotations

import asyncio
import json
from time import perf_counter, process_time
from typing import NamedTuple

from benchmarks import Row, median_row, quickly
from benchmarks.installation import Installation, installation, today
from serment.demo.population import DemoPatient, bundles_for

PATIENTS = quickly(60, 10)
RESOURCES = 24
RUNS = quickly(3, 1)


def bench() -> list[Row]:
    """Write the same number of new people several times, from different seeds."""
    rows: list[Row] = []
    with installation(10) as made:
        for waiting in (1, 8):
            runs = [written(made, 100 * waiting + run, waiting) for run in range(RUNS)]
            name = f"import by transactions, {waiting} at once"
            note = f"{RESOURCES} in each, durable"
            rows.append(median_row(name, [run.rate for run in runs], "resources/s", note))
            rows.append(median_row(f"{name}: processor", [run.processor for run in runs], "µs each"))
    return rows


class Written(NamedTuple):
    """Resources in a second, and the processor time of this process for one, in µs."""

    rate: float
    processor: float


def written(made: Installation, seed: int, waiting: int) -> Written:
    """Write `PATIENTS` new people."""
    people = list(bundles_for(PATIENTS, RESOURCES, seed, today=today()))
    raw = [(one, json.dumps(one.bundle, ensure_ascii=False).encode()) for one in people]
    resources = sum(len(one.bundle["entry"]) for one in people)
    start, used = perf_counter(), process_time()
    asyncio.run(write_all(made, raw, waiting))
    return Written(resources / (perf_counter() - start), (process_time() - used) / resources * 1e6)


async def write_all(made: Installation, raw: list[tuple[DemoPatient, bytes]], waiting: int) -> None:
    """Send every bundle as its attending doctor, `waiting` at once."""
    left = iter(raw)

    async def worker() -> None:
        for patient, body in left:
            asking = made.asking(patient.attending.actor())
            await made.house.bundling.run(asking, body, made.house.base)

    await asyncio.gather(*(worker() for _ in range(waiting)))
