"""What an act costs by the size of the record: 10², 10³, 10⁴ and 10⁵ resources, each in a record of its own.

A record is one chart of the demo population and, above that, what devices sent in: ten codes an hour, in
the order of time, taken in by lots as an import does (without HTTP). Packs and bodies are opened by each act;
keys, head and facts stay at hand but where a row says cold. The CPU time of the process is given besides.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks import Row, quickly
from benchmarks.installation import Installation, installation
from serment.fhir.query import parse
from tests import devices

SIZES = quickly((100, 1_000, 10_000, 100_000), (100, 1_000, 3_000))
RUNS = quickly(15, 3)


def bench() -> list[Row]:
    """Fill one record for each size, and act on each."""
    rows: list[Row] = []
    with installation(12) as made:
        for place, size in enumerate(SIZES):
            filled(made, place, size)
            rows += at_size(made, place, size)
    return rows


def at_size(made: Installation, place: int, size: int) -> list[Row]:
    """Measure the acts on one record."""
    house, patient = made.house, made.patient(place)
    doctor = made.people.patients[place].attending.actor()
    week = [("date", "ge2025-09-15"), ("date", "lt2025-09-22")]
    one_code = ("code", f"http://loinc.org|{devices.CODES[2]}")
    series = parse("Observation", [("patient", patient), one_code, *week])
    day = parse("Observation", [("patient", patient), ("date", "2025-09-03"), ("_count", "10")])
    code = parse("Condition", [("patient", patient), ("code", "38341003")])
    type_, id_ = read_one(made, place, size)
    note = f"{size:,} resources; {shape(made, place)}"

    async def cold() -> object:
        passage = house.passage
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, f"Patient/{patient}")
        passage.keyring.let_go(located.record, sys.maxsize)
        return await house.searching.search(made.asking(doctor), series)

    return [
        *rows("read by id", size, lambda: house.reading.read(made.asking(doctor), type_, id_), note),
        *rows("first view", size, lambda: house.showing.first_view(made.asking(doctor), patient), note),
        *rows("search by code and week", size, cold, f"{note}; cold: keys, head and facts fetched anew"),
        *rows("search by day", size, lambda: house.searching.search(made.asking(doctor), day), note),
        *rows(
            "search of another type", size, lambda: house.searching.search(made.asking(doctor), code), note
        ),
    ]


def rows(what: str, size: int, act: Callable[[], Coroutine[Any, Any, object]], note: str) -> list[Row]:
    """Run one act several times; give its wall time and its CPU time."""
    wall, used = asyncio.run(_timed(act))
    name = f"{what}, record of {size:,}"
    return [
        Row(name, median(wall), "ms", RUNS, note),
        Row(f"{name}, CPU", median(used), "ms", RUNS, note),
    ]


async def _timed(act: Callable[[], Coroutine[Any, Any, object]]) -> tuple[list[float], list[float]]:
    await act()
    wall, used = [], []
    for _ in range(RUNS):
        start, began = perf_counter(), process_time()
        await act()
        wall.append((perf_counter() - start) * 1e3)
        used.append((process_time() - began) * 1e3)
    return wall, used


def shape(made: Installation, place: int) -> str:
    """Say what stands in the record's head."""
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{made.patient(place)}")
        view = passage.view(snapshot, made.asking(), located.record)
        row = snapshot.record(located.record)
    assert row is not None
    listed = sum(len(page.packs) for page in view.head.pages)
    head = f"{len(view.head.packs)} packs in a head of {len(row.head):,} B"
    return f"{head}, {listed} on {len(view.head.pages)} pages"


def read_one(made: Installation, place: int, size: int) -> tuple[str, str]:
    """Name what is read: a value of the second day, or the last of the chart where no device was."""
    if size > 500:
        return "Observation", devices.identified(made.patient(place), 400)
    type_, _, id_ = made.record(place)[-1].partition("/")
    return type_, id_


# Filling a record.


def filled(made: Installation, place: int, size: int) -> None:
    """Take in what devices sent until the record at `place` holds `size` resources."""
    structure = made.people.people[0].structure
    devices.send(made.house, structure, made.patient(place), max(0, size - len(made.record(place))))
