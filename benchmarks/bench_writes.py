"""Writing whole records: light ones (13 resources, one transaction each) through the transaction door.

Each transaction makes the keys of a new record in custody, seals, places and traces; it is durable when it
answers. One after the other and eight at once.
"""

from __future__ import annotations

import asyncio
import json
from time import perf_counter

from benchmarks import Row, median_row
from benchmarks.installation import Installation, installation, today
from serment.demo.population import DemoPatient, bundles_for

PATIENTS = 60
RESOURCES = 24
RUNS = 3


def bench() -> list[Row]:
    """Write the same number of new people several times, from different seeds."""
    rows: list[Row] = []
    with installation(10) as made:
        for waiting in (1, 8):
            rates = [rate(made, 100 * waiting + run, waiting) for run in range(RUNS)]
            name = f"import by transactions, {waiting} at once"
            rows.append(median_row(name, rates, "resources/s", f"{RESOURCES} in each, durable"))
    return rows


def rate(made: Installation, seed: int, waiting: int) -> float:
    """Write `PATIENTS` new people and give resources in a second."""
    people = list(bundles_for(PATIENTS, RESOURCES, seed, today=today()))
    raw = [(one, json.dumps(one.bundle, ensure_ascii=False).encode()) for one in people]
    start = perf_counter()
    asyncio.run(write_all(made, raw, waiting))
    return sum(len(one.bundle["entry"]) for one in people) / (perf_counter() - start)


async def write_all(made: Installation, raw: list[tuple[DemoPatient, bytes]], waiting: int) -> None:
    """Send every bundle as its attending doctor, `waiting` at once."""
    left = iter(raw)

    async def worker() -> None:
        for patient, body in left:
            asking = made.asking(patient.attending.actor())
            await made.house.bundling.run(asking, body, made.house.base)

    await asyncio.gather(*(worker() for _ in range(waiting)))
