"""What a person waits for: pages of a record of 2 000 resources, a search as one types, a list of accesses.

The whole application answers in this process (ASGI, no socket): decision, durable trace, opened bodies, page.
The list of accesses is that of one person among a million lines of the ledger, most of them about others.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle, islice
from statistics import quantiles
from time import perf_counter

import httpx

from benchmarks import Row, median_row, quickly
from benchmarks.bench_ledger import append
from benchmarks.installation import Installation, grow, installation
from serment.demo.population import DemoPatient
from serment.demo.store import CARE_PURPOSES
from serment.exits.identity_provider import IdentityProviders
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Actor
from serment.record import trace
from serment.record.gate import View
from serment.server import application

PATIENTS = 12
RESOURCES = quickly(2_000, 300)
LINES = quickly(1_000_000, 5_000)
OWN = quickly(2_000, 100)
"""Lines of the ledger that are about the person who asks."""
IN_ONE = 2_000
"""Entries of one transaction while the ledger is filled."""
RUNS = quickly(120, 10)
SHOWN = ["Observation/1"]


def bench() -> list[Row]:
    """Grow a record, measure its pages; fill the ledger, measure the list of accesses."""
    with installation(PATIENTS) as made:
        size = grow(made, 0, RESOURCES)
        rows = asyncio.run(_of_doctor(made, f"{size:,} resources"))
        _fill(made)
        return [*rows, *asyncio.run(_of_patient(made, f"{OWN:,} lines of {LINES:,}"))]


async def _of_doctor(made: Installation, note: str) -> list[Row]:
    record = f"/record/{made.patient(0)}"
    async with _browser(made, made.doctor) as page:
        key = _key((await page.get("/today")).text)
        typed = made.people.patients[0].traits.used_name[:3]
        form = {"csrf": key, "typed": typed}
        part = {"hx-request": "true", "hx-request-type": "partial"}
        return [
            *await _measured("page of a record", lambda: page.get(record), note),
            *await _measured("timeline of a record", lambda: page.get(f"{record}/timeline"), note),
            *await _measured("laboratory results of a record", lambda: page.get(f"{record}/labs"), note),
            *await _measured(
                "search as somebody types, page",
                lambda: page.post("/today/find", data=form, headers=part),
                f"{PATIENTS} people",
                runs=20,
            ),
        ]


async def _of_patient(made: Installation, note: str) -> list[Row]:
    patient = made.people.patients[0]
    async with _browser(made, made.store.patient_actor(patient)) as page:
        return [
            *await _measured("first page of a patient", lambda: page.get("/me"), note),
            *await _measured("list of accesses", lambda: page.get("/me/who"), note),
        ]


def _browser(made: Installation, actor: Actor) -> httpx.AsyncClient:
    """Come in as somebody, in this process."""
    app = application(lambda: made.house, lambda: None, line=IdentityProviders())
    secret = made.house.sessions.issue(actor, CARE_PURPOSES[actor.kind], made.house.passage.clock())
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://localhost",
        headers={"cookie": f"serment={secret}", "sec-fetch-site": "same-origin"},
        timeout=120,
    )


def _key(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    if found is None:
        raise ValueError("the page carries no form")
    return found[1]


async def _measured(
    name: str, ask: Callable[[], Awaitable[httpx.Response]], note: str, runs: int = RUNS
) -> list[Row]:
    """Ask for a page many times; give the median and what one in twenty takes."""
    times = []
    for _ in range(runs + 3):
        start = perf_counter()
        answer = await ask()
        times.append((perf_counter() - start) * 1e3)
        if answer.status_code != 200:
            raise ValueError(f"{name}: answered {answer.status_code}")
    times = times[3:]
    return [
        median_row(name, times, "ms", note),
        Row(f"{name}: p95", quantiles(times, n=20)[18], "ms", len(times), note),
    ]


def _fill(made: Installation) -> None:
    """Fill the ledger: one line in so many is about the first patient."""
    views = [_view(made, one) for one in made.people.patients]
    new = _lines(made, views)
    for _ in range(LINES // IN_ONE):
        append(made, list(islice(new, IN_ONE)))


def _lines(made: Installation, views: list[View]) -> Iterator[Pending]:
    """Give openings of records by the doctor, those of the others between those of the first patient."""
    passage, others = made.house.passage, cycle(views[1:])
    every = LINES // OWN
    for place in range(LINES):
        view = views[0] if place % every == 0 else next(others)
        what = trace.event(
            passage, view.asking, Interaction.LIST, rule="G6.team", references=["Observation/1"]
        )
        yield trace.pending(view.keys, view.record, Chain.ORDINARY, what)


def _view(made: Installation, patient: DemoPatient) -> View:
    passage, asking = made.house.passage, made.asking()
    with passage.store.snapshot() as snapshot:
        lead = passage.lead(snapshot, f"Patient/{made.store.ids[patient.key]}")
        return passage.view_of(snapshot, asking, lead.located.record, lead.row)
