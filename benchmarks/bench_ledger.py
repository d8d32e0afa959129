"""Durable ledger events in a second, on both stores: sealed, appended, flushed to the disk.

One act after the other; as reads do it, each request of an event loop waiting for its own trace, which go
together (`record.tracing`); many entries in one transaction, as a bundle writes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import repeat
from time import perf_counter

import uvloop

from benchmarks import Row, median_row, quickly
from benchmarks.bench_parts import seen
from benchmarks.installation import STORES, Installation, installation
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.record import trace

RUNS = quickly(5, 1)
EVENTS = quickly(4_000, 400)
WAITING = 64


def bench() -> list[Row]:
    """Append to a ledger that holds a small population's."""
    rows: list[Row] = []
    for store in STORES:
        with installation(10, store) as made:
            new = pending(made)
            rates = {
                "one waiting": [alone(made, new, EVENTS // 8) for _ in range(RUNS)],
                f"{WAITING} waiting": [waiting(made, new, EVENTS) for _ in range(RUNS)],
                f"{WAITING} in one transaction": [together(made, new, EVENTS) for _ in range(RUNS)],
            }
        rows += [
            median_row(f"ledger: durable events, {store}, {how}", found, "/s", "sealed, flushed")
            for how, found in rates.items()
        ]
    return rows


def pending(made: Installation) -> Iterator[Pending]:
    """Make entries of the trace of one record, each with its own salt."""
    view = seen(made)
    passage = made.house.passage
    what = trace.event(passage, view.asking, Interaction.READ, rule="G6.team", references=["Observation/1"])
    for _ in repeat(None):
        yield trace.pending(view.keys, view.record, Chain.ORDINARY, what)


def alone(made: Installation, new: Iterator[Pending], events: int) -> float:
    """Append one entry after the other, each in its transaction; events a second."""
    start = perf_counter()
    for _ in range(events):
        append(made, [next(new)])
    return events / (perf_counter() - start)


def append(made: Installation, entries: list[Pending]) -> None:
    """Append entries in a transaction of their own, and wait until they are durable."""
    passage = made.house.passage
    passage.store.submit(lambda txn: trace.append(passage, txn, entries)).result()


def waiting(made: Installation, new: Iterator[Pending], events: int) -> float:
    """Let `WAITING` requests of one event loop each wait for its own trace; events a second."""
    left = iter(range(events))

    async def request() -> None:
        for _ in left:
            await trace.together(made.house.passage, [next(new)])

    async def requests() -> None:
        await asyncio.gather(*(request() for _ in range(WAITING)))

    start = perf_counter()
    uvloop.run(requests())
    return events / (perf_counter() - start)


def together(made: Installation, new: Iterator[Pending], events: int) -> float:
    """Append `WAITING` entries in each transaction; events a second."""
    lots = events // WAITING
    start = perf_counter()
    for _ in range(lots):
        append(made, [next(new) for _ in range(WAITING)])
    return lots * WAITING / (perf_counter() - start)
