"""Reads by id, each with its decision, its durable trace and its opened body.

Over HTTP: the real server in one process, a client in another, 16 and 64 requests in flight. At the passage:
`Reading.read` in this process, no HTTP. The population is the demo's, so records hold some hundred entries;
keys are at hand after the first round, as on a working day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

import uvloop

from benchmarks import Row, median_row
from benchmarks.client import Load, load
from benchmarks.installation import Installation, installation
from benchmarks.serving import cpu_seconds, serving
from serment.model import Purpose

PATIENTS = 40
TYPES = frozenset({"Patient", "Observation", "MedicationRequest", "Condition", "Encounter"})
MOST = 3000
WORKERS = (1, 2)
RUNS = 3
SECONDS = 4.0


def bench() -> list[Row]:
    """Measure at the passage first, then over HTTP on the same store."""
    with installation(PATIENTS) as made:
        references = uvloop.run(readable(made))
        rows = [passage(made, references)]
        return rows + over_http(made, references)


async def readable(made: Installation) -> list[str]:
    """List what the doctor may read, mixed over records. Every read also warms its record's keys."""
    found: list[str] = []
    for place in range(PATIENTS):
        wanted = [one for one in made.record(place) if one.partition("/")[0] in TYPES]
        if await _opens(made, wanted[0]):
            found += [one for one in wanted if await _opens(made, one)]
    return sorted(found, key=hash_of)[:MOST]


def hash_of(id_: str) -> int:
    """Mix ids the same way on every run."""
    return sum(map(ord, id_)) * 2654435761 % 2**32


async def _opens(made: Installation, reference: str) -> bool:
    from serment.errors import NotFoundError

    type_, _, id_ = reference.partition("/")
    try:
        await made.house.reading.read(made.asking(), type_, id_)
    except NotFoundError:
        return False
    return True


def passage(made: Installation, references: list[str], waiting: int = 64) -> Row:
    """Read with so many requests waiting at once, on the loop that the server uses."""
    rates = []
    for _ in range(RUNS):
        start = perf_counter()
        uvloop.run(read_all(made, references, waiting))
        rates.append(len(references) / (perf_counter() - start))
    return median_row(f"reads at the passage, {waiting} waiting", rates, "/s", "trace durable; no HTTP")


async def read_all(made: Installation, references: list[str], waiting: int) -> None:
    """Read every reference, `waiting` at once."""
    left = iter(references)

    async def worker() -> None:
        for reference in left:
            type_, _, id_ = reference.partition("/")
            await made.house.reading.read(made.asking(), type_, id_)

    await asyncio.gather(*(worker() for _ in range(waiting)))


def over_http(
    made: Installation,
    references: list[str],
    processes: Sequence[int] = WORKERS,
    waiting: Sequence[int] = (16, 64),
) -> list[Row]:
    """Read through the server with 16 and 64 requests in flight, served by one process and by two."""
    house = made.house
    secret = house.sessions.issue(made.doctor, Purpose.TREAT, house.passage.clock())
    plan = {
        "host": made.settings.host,
        "port": made.settings.port,
        "headers": {"Authorization": f"Bearer {secret}"},
        "paths": [f"/fhir/{reference}" for reference in references],
        "seconds": SECONDS,
    }
    rows: list[Row] = []
    for workers in processes:
        with serving(made.settings, workers) as server:
            # Several processes start one after the other, and each has to fetch the keys.
            for _ in range(1 + workers):
                load(plan | {"clients": 16})
            for clients in waiting:
                before = cpu_seconds(server.pid)
                seen = [load(plan | {"clients": clients}) for _ in range(RUNS)]
                rows += figures(workers, clients, seen, cpu_seconds(server.pid) - before)
    return rows


def figures(workers: int, clients: int, seen: list[Load], cpu: float) -> list[Row]:
    """Write down what the client saw."""
    failed = sum(one.failed for one in seen)
    served = "one process" if workers == 1 else f"{workers} processes"
    note = f"{served}, trace durable" + (f"; {failed} FAILED" if failed else "")
    answers = sum(one.answers for one in seen)
    name = f"reads over HTTP, {clients} clients" + ("" if workers == 1 else f", {workers} processes")
    return [
        median_row(name, [one.rate for one in seen], "/s", note),
        median_row(f"{name}: p50", [one.p50 for one in seen], "ms"),
        median_row(f"{name}: p99", [one.p99 for one in seen], "ms"),
        Row(
            f"{name}: processor",
            cpu / answers * 1e6,
            "µs a read",
            len(seen),
            "of all threads of the server",
        ),
    ]
