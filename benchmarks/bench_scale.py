"""Point reads on PostgreSQL as the population grows: what the store asks of the server for one request.

No record is real and nothing can be opened: the server itself makes rows of the sizes of sealed ones, nine
for each patient. One look is what a request asks: two locators, their records and packs, one body, in one
view. The sizes are 10 000 and 100 000 patients; SERMENT_BENCH_PATIENTS=1000000 adds one.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

from psycopg import connect

from benchmarks import Row, median_row
from serment.store.contract import Transaction
from serment.store.postgres import PostgresStore
from tests.stores.engines import an_entry
from tests.stores.server import server

SIZES = (10_000, 100_000)
RUNS = 3
LOOKS = 2_000
PRODUCERS = 16
SEED = 2026

# Tokens of a number that anybody can work out again; 16 bytes, as random as those of the house to a hash.
FILL = """
INSERT INTO record SELECT {token}, 1, {some}, {some} FROM generate_series({first}, {last}) AS patient;
INSERT INTO pack SELECT 2 * patient + each, {token}, {some} || {some}
    FROM generate_series({first}, {last}) AS patient, generate_series(0, 1) AS each;
INSERT INTO body SELECT 3 * patient + each, {token}, {some} || {some}
    FROM generate_series({first}, {last}) AS patient, generate_series(0, 2) AS each;
INSERT INTO locator SELECT decode(md5('at ' || (3 * patient + each)), 'hex'), {token}, 2 * patient
    FROM generate_series({first}, {last}) AS patient, generate_series(0, 2) AS each;
"""
OF_PATIENT = "decode(md5('of ' || patient), 'hex')"
SOME = "decode(repeat(md5(random()::text), 24), 'hex')"


def bench() -> list[Row]:
    """Fill, look, fill more, look again; then how many acts are made durable in a second."""
    url = server().database()
    store = PostgresStore.create(url)
    rows, filled = [], 0
    more = os.environ.get("SERMENT_BENCH_PATIENTS")
    for size in (*SIZES, *([int(more)] if more else [])):
        began = perf_counter()
        fill(url, filled, size)
        took, filled = perf_counter() - began, size
        rows.append(Row(f"rows made for {size} patients", 9 * size / took, "/s", 1, "by the server itself"))
        looks = [look_often(store, size) for _ in range(RUNS)]
        rows.append(median_row(f"one look, {size} patients", looks, "µs", "two round trips and one"))
    for producers in (1, PRODUCERS):
        many = [durable(store, producers) for _ in range(RUNS)]
        rows.append(median_row(f"durable appends, {producers} at once", many, "/s", "one entry each"))
    store.close()
    return rows


def fill(url: str, first: int, last: int) -> None:
    """Make the rows of the patients from `first` on."""
    with connect(url, autocommit=True, options="-csearch_path=serment -csynchronous_commit=off") as maker:
        for start in range(first, last, 50_000):
            stop = min(last, start + 50_000) - 1
            maker.execute(FILL.format(token=OF_PATIENT, some=SOME, first=start, last=stop).encode())
        maker.execute("ANALYZE")
        maker.execute("CHECKPOINT")


def look_often(store: PostgresStore, patients: int) -> float:
    """Look at so many patients drawn at random; microseconds each."""
    dice = random.Random(SEED)  # noqa: S311 - which patients are looked at
    numbers = [dice.randrange(3 * patients) for _ in range(LOOKS)]
    began = perf_counter()
    for number in numbers:
        with store.snapshot() as view:
            lead, _ = view.lead_two(_locator(number), _locator(number + 1))
            if lead is None or lead.row is None or not view.bodies(lead.located.record, [number]):
                raise RuntimeError("a row that was made is not there")
    return (perf_counter() - began) / LOOKS * 1e6


def _locator(number: int) -> bytes:
    from hashlib import md5

    return md5(b"at %d" % number, usedforsecurity=False).digest()


def durable(store: PostgresStore, producers: int) -> float:
    """Append entries from so many threads, each waiting for its own; entries a second."""

    def append(of: bytes, t: Transaction) -> None:
        t.add_entries([an_entry(t.ledger_size() + 1, of, bytes(600))])

    def produce(which: int) -> None:
        for _ in range(2_000 // producers):
            store.submit(partial(append, b"%d" % which)).result()

    began = perf_counter()
    with ThreadPoolExecutor(producers) as threads:
        list(threads.map(produce, range(producers)))
    return 2_000 / (perf_counter() - began)
