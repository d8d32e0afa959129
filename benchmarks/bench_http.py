"""Over HTTP, on both stores: reads by id, a mix of create, read, update and delete, a whole record at once.

The real server in one process or in two, a client in another, on the same machine. Each read has its
decision, its durable trace and its opened body; each write is durable when it answers. The population is the
demo's, so records hold some hundred entries; keys are at hand after the first round, as on a working day.

Order: what is measured, what may be read, the three loads.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import uvloop

from benchmarks import Row, median_row, quickly
from benchmarks.client import load
from benchmarks.installation import SQLITE, STORES, Installation, grow, installation
from benchmarks.meter import Beside, measure, rows
from benchmarks.serving import serving
from serment.errors import NotFoundError
from serment.model import Purpose
from serment.record import incoming

PATIENTS = quickly(40, 10)
TYPES = frozenset({"Patient", "Observation", "MedicationRequest", "Condition", "Encounter"})
MOST = quickly(3000, 200)
WORKERS = (1, 2)
CLIENTS = (16, 64)
RUNS = quickly(3, 1)
SECONDS = quickly(3.0, 1.0)
WARM = quickly(2.0, 1.0)
OWN = 256
"""Items that exist before the mix begins, for its clients to change."""

WHOLE = quickly(1_000, 300)
"""Entries of the record that is asked for at once."""


def bench() -> list[Row]:
    """Measure at the passage first, then over HTTP on the same store; one store after the other."""
    found: list[Row] = []
    for store in STORES:
        with installation(PATIENTS, store) as made:
            references = uvloop.run(readable(made))
            found += [passage(made, references, store), *over_http(made, references, store)]
            found += everything(made, store)
    return found


async def readable(made: Installation) -> list[str]:
    """List what the doctor may read, mixed over records. Every read also warms its record's keys."""
    found: list[str] = []
    for place in range(len(made.people.patients)):
        wanted = [one for one in made.record(place) if one.partition("/")[0] in TYPES]
        if await _opens(made, wanted[0]):
            found += [one for one in wanted if await _opens(made, one)]
    return sorted(found, key=hash_of)[:MOST]


def hash_of(id_: str) -> int:
    """Mix ids the same way on every run."""
    return sum(map(ord, id_)) * 2654435761 % 2**32


async def _opens(made: Installation, reference: str) -> bool:
    type_, _, id_ = reference.partition("/")
    try:
        await made.house.reading.read(made.asking(), type_, id_)
    except NotFoundError:
        return False
    return True


def passage(made: Installation, references: list[str], store: str, waiting: int = 64) -> Row:
    """Read with so many requests waiting at once, on the loop that the server uses."""
    rates = []
    for _ in range(RUNS):
        start = perf_counter()
        uvloop.run(read_all(made, references, waiting))
        rates.append(len(references) / (perf_counter() - start))
    return median_row(
        f"reads at the passage, {store}, {waiting} waiting", rates, "/s", "trace durable; no HTTP"
    )


async def read_all(made: Installation, references: list[str], waiting: int) -> None:
    """Read every reference, `waiting` at once."""
    left = iter(references)

    async def worker() -> None:
        for reference in left:
            type_, _, id_ = reference.partition("/")
            await made.house.reading.read(made.asking(), type_, id_)

    await asyncio.gather(*(worker() for _ in range(waiting)))


def asked(made: Installation, paths: Sequence[str], clients: int = 1) -> dict[str, Any]:
    """Plan what the client does, signed in as the doctor."""
    house = made.house
    secret = house.sessions.issue(made.doctor, Purpose.TREAT, house.passage.clock())
    return {
        "host": made.settings.host,
        "port": made.settings.port,
        "headers": {"Authorization": f"Bearer {secret}"},
        "paths": [f"/fhir/{path}" for path in paths],
        "seconds": SECONDS,
        "clients": clients,
    }


def over_http(
    made: Installation,
    references: list[str],
    store: str = SQLITE,
    processes: Sequence[int] = WORKERS,
    waiting: Sequence[int] = CLIENTS,
    *,
    mixed: bool = True,
) -> list[Row]:
    """Read through the server with 16 and 64 requests in flight, by one process and by two; then mix."""
    plan, found = asked(made, references), list[Row]()
    for workers in processes:
        with serving(made.settings, workers) as server:
            beside = Beside.of(server.pid, made.custody, store)
            # Several processes start one after the other, and each has to fetch the keys.
            for _ in range(1 + workers):
                load(plan | {"clients": 16, "seconds": WARM})
            for clients in waiting:
                seen = measure(beside, [plan | {"clients": clients}] * RUNS)
                found += rows(named("reads", store, workers, clients), seen, "trace durable")
            if mixed:
                load(asyncio.run(mix(made, plan)) | {"seconds": WARM})  # the first write loads the schema
                seen = measure(beside, [asyncio.run(mix(made, plan)) for _ in range(RUNS)])
                found += rows(
                    named("mix", store, workers, 64), seen, "10 create, 60 read, 25 update, 5 delete"
                )
    return found


def named(what: str, store: str, workers: int, clients: int) -> str:
    """Name one load."""
    served = "1 process" if workers == 1 else f"{workers} processes"
    return f"{what} over HTTP, {store}, {served}, {clients} clients"


async def mix(made: Installation, plan: dict[str, Any]) -> dict[str, Any]:
    """Plan one run of the mix: write the items that it changes, spread over the records of the doctor."""
    patients = [path.rpartition("/")[2] for path in plan["paths"] if path.startswith("/fhir/Patient/")]
    own = []
    for place in range(OWN):
        patient = patients[place % len(patients)]
        sent = incoming.read(weight("@value", patient).replace("@value", "70.5").encode())
        written = await made.house.writing.create(made.asking(), sent)
        own.append([f"Observation/{written.id}", written.version, patient])
    return plan | {"clients": 64, "own": own, "template": weight("@value", "@patient")}


def weight(value: str, patient: str) -> str:
    """Give a measurement of a weight as JSON; `value` in kg."""
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Poids"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-11-20T09:10:00+01:00",
        "valueQuantity": {
            "value": 0,
            "unit": "kg",
            "system": "http://unitsofmeasure.org",
            "code": "kg",
        },
    }
    return json.dumps(observation, separators=(",", ":")).replace('"value":0', f'"value":{value}')


def everything(made: Installation, store: str) -> list[Row]:
    """Ask for a whole record, one request after the other."""
    held = grow(made, 0, WHOLE)
    plan = asked(made, [f"Patient/{made.patient(0)}/$everything?_count={WHOLE}"])
    with serving(made.settings) as server:
        load(plan | {"requests": 3})
        seen = measure(Beside.of(server.pid, made.custody, store), [plan] * RUNS)
    name = f"$everything of {held:,} over HTTP, {store}"
    each = seen.each(seen.spent[0]) / 1e3
    return [
        median_row(name, [run.p50 for run in seen.runs], "ms", f"p50, one client; {seen.others}"),
        median_row(f"{name}: p99", [run.p99 for run in seen.runs], "ms"),
        Row(f"{name}: processor", each, "ms each", RUNS, "of the server"),
    ]
