"""Opening a record of 1 000 and of 10 000 entries, searching in it, and what one more write costs there.

The record is grown through the product's own transactions (see `installation`). Nothing decoded is kept
between two requests, so every opening is cold but for the keys: head, facts and the packs of the permitted
classes are opened each time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from statistics import quantiles
from time import perf_counter
from typing import Any

from benchmarks import Row, median_row, quickly
from benchmarks.installation import Installation, grow, installation
from serment.fhir.query import parse
from serment.record import incoming

SIZES = quickly((100, 1_000, 10_000), (100, 1_000))
RUNS = 9
OFTEN = quickly(200, 20)
"""Runs of what is asked for its p99."""


def bench() -> list[Row]:
    """Grow one record and measure at each size."""
    rows: list[Row] = []
    with installation(12) as made:
        for size in SIZES:
            rows += at_size(made, grow(made, 0, size))
    return rows


def at_size(made: Installation, size: int) -> list[Row]:
    """Measure one record as it stands."""
    house, patient = made.house, made.patient(0)
    token = parse("Observation", [("patient", patient), ("code", "29463-7"), ("_count", "10")])
    period = parse("Observation", [("patient", patient), ("date", "ge2026-01-01"), ("_count", "10")])
    shape = described(made)
    note = f"{size:,} entries"
    searching = house.searching
    return [
        row("first view", size, lambda: house.showing.first_view(made.asking(), patient), shape),
        *with_p99("search by one token", size, lambda: searching.search(made.asking(), token), note),
        *with_p99("search by date", size, lambda: searching.search(made.asking(), period), note),
        row("read by id", size, lambda: house.reading.read(made.asking(), "Patient", patient), note),
        row("write one Observation", size, lambda: write(made), f"{note}; durable, alone", runs=40),
    ]


def row(what: str, size: int, act: Any, note: str, runs: int = RUNS) -> Row:
    """Run one act several times, one after the other."""
    return median_row(f"{what}, {size:,} entries", asyncio.run(_timed(act, runs)), "ms", note)


def with_p99(what: str, size: int, act: Any, note: str) -> list[Row]:
    """Run one act often enough to say what one in a hundred takes."""
    times = asyncio.run(_timed(act, OFTEN))
    name = f"{what}, {size:,} entries"
    return [
        median_row(name, times, "ms", note),
        Row(f"{name}: p99", quantiles(times, n=100)[98], "ms", len(times), note),
    ]


async def _timed(act: Any, runs: int) -> list[float]:
    await act()
    times = []
    for _ in range(runs):
        start = perf_counter()
        await act()
        times.append((perf_counter() - start) * 1e3)
    return times


def write(made: Installation) -> Coroutine[Any, Any, object]:
    """Create one measurement in the grown record."""
    return made.house.writing.create(made.asking(), incoming.read(weight(made)))


def weight(made: Installation) -> bytes:
    """Give one measurement of a weight of the first patient."""
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Poids"}]},
            "subject": {"reference": f"Patient/{made.patient(0)}"},
            "effectiveDateTime": "2026-11-20T09:10:00+01:00",
            "valueQuantity": {
                "value": 71.5,
                "unit": "kg",
                "system": "http://unitsofmeasure.org",
                "code": "kg",
            },
        }
    ).encode()


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def described(made: Installation) -> str:
    """Say what the record is made of: packs, classes, sizes of head and facts."""
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{made.patient(0)}")
        view = passage.view(snapshot, made.asking(), located.record)
        sealed = snapshot.record(located.record)
    assert sealed is not None
    head = view.head
    return (
        f"{len(head.packs)} packs of {len(head.units)} classes, "
        f"head {len(sealed.head):,} B, facts {len(sealed.facts):,} B"
    )
