"""What 10 000 patients cost in memory: the server at rest, and once all of them were read under load.

Light records, six resources each, written by their own doctors through the transaction door; the store is
SQLite. At rest: the server has started and nobody asked. Under load: 64 clients have read every record, so
that its keys are at hand, and then read, create, update and delete. Custody's budget is lifted for it: to
open so many records in a minute is what it is there to stop. Writing them takes minutes: `make bench-long`.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks import Row, quickly
from benchmarks.bench_http import WORKERS, asked, mix
from benchmarks.client import load
from benchmarks.installation import Installation, opened, today
from benchmarks.meter import memory
from benchmarks.serving import serving
from serment.demo.people import Person
from serment.demo.population import DemoPatient, bundles_for, population
from serment.demo.store import DemoStore
from serment.demo.store import load as load_population
from serment.model import Actor

PATIENTS = quickly(10_000, 200)
RESOURCES = 6
TOWN = 1_000
AT_ONCE = 8
LONGEST = 300.0
"""Seconds that reading all of them may take."""

UNLIMITED = ("--soft", "1000000", "--hard", "1000000")


def bench() -> list[Row]:
    """Make the records once, and serve them by one process and by two."""
    with crowd() as made:
        written = asyncio.run(write(made))
        return [row for workers in WORKERS for row in served(made, written, workers)]


@contextmanager
def crowd() -> Iterator[Installation]:
    """Make an installation that knows the professionals and no patient yet."""
    with opened("SQLite", *UNLIMITED) as (chosen, house, custody):
        people = replace(population(10, 2026, today=today(), pdf=False), patients=(), choices=())
        store = DemoStore(house, people)
        asyncio.run(load_population(store, lambda _done, _all: None))
        doctor = people.cast["team-doctor"]
        assert isinstance(doctor, Person)
        yield Installation(chosen, house, store, people, doctor.actor(), custody)


async def write(made: Installation) -> dict[Actor, list[str]]:
    """Write every record as its attending doctor; give the references of the persons by doctor."""
    left, written = people_of_towns(), defaultdict[Actor, list[str]](list)

    async def worker() -> None:
        for patient in left:
            doctor = patient.attending.actor()
            written[doctor].append(await person(made, doctor, patient))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return written


def people_of_towns() -> Iterator[DemoPatient]:
    """Give the people of several towns: one has names for some thousand families only."""
    for town in range(0, PATIENTS, TOWN):
        yield from bundles_for(min(TOWN, PATIENTS - town), RESOURCES, 3_000 + town, today=today())


async def person(made: Installation, doctor: Actor, patient: DemoPatient) -> str:
    """Write one record and name the person."""
    raw = json.dumps(patient.bundle, ensure_ascii=False).encode()
    _, answers = await made.house.bundling.run(made.asking(doctor), raw, made.house.base)
    return "/".join(answers[0].location.split("/")[-4:-2])


def served(made: Installation, written: dict[Actor, list[str]], workers: int) -> Iterator[Row]:
    """Look at the memory of a server before and after its load."""
    among = f"{PATIENTS:,} patients, " + ("1 process" if workers == 1 else f"{workers} processes")
    with serving(made.settings, workers) as server:
        yield Row(f"memory at rest, {among}", memory(server.pid), "MB", 1, "of the server's processes (PSS)")
        for doctor, references in written.items():
            plan = asked(replace(made, doctor=doctor), references, 64)
            seen = load(plan | {"requests": len(references), "seconds": LONGEST})
            assert not seen.failed, seen.failed
        made.doctor = doctor
        load(asyncio.run(mix(made, plan)))
        note = f"every record read, then the mix; custody {memory(made.custody):.0f} MB"
        yield Row(f"memory under load, {among}", memory(server.pid), "MB", 1, note)
