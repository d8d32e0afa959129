"""Reads as the population grows, on both stores: a thousand patients to a hundred thousand.

`make bench-long` goes on to a million. Forty patients are real and read by a doctor; the others are rows of
the sizes of sealed ones, nine for each patient, that nobody can open. Two things are measured at each size:
whole reads at the passage of what is real, among all the others; and one look, which is what a request asks
of the store (two locators, their records and packs, one body, in one view) at patients drawn among all.

Order: both stores, filling (SQLite by this process, PostgreSQL by the server itself), looking.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from hashlib import md5
from pathlib import Path
from time import perf_counter

import apsw
import uvloop
from psycopg import connect

from benchmarks import Row, median_row, quickly
from benchmarks.bench_http import PATIENTS, passage, readable
from benchmarks.installation import POSTGRESQL, SQLITE, STORES, Installation, installation
from serment.app import STORE_FILE
from serment.store.contract import Store

SIZES = quickly((1_000, 10_000, 100_000), (500, 1_000))
RUNS = quickly(3, 1)
LOOKS = 2_000
SEED = 2026
LOT = 50_000
"""Patients that are made in one transaction."""

FIRST = 2**40
"""Number of the first row that is made: far above those that the store gives."""

# Tokens of a number that anybody can work out again; 16 bytes, as random as those of the house to a hash.
ON_POSTGRESQL = """
INSERT INTO record SELECT {token}, 1, {some}, {some} FROM generate_series({start}, {stop}) AS patient;
INSERT INTO pack SELECT {first} + 2 * patient + each, {token}, {some} || {some}
    FROM generate_series({start}, {stop}) AS patient, generate_series(0, 1) AS each;
INSERT INTO body SELECT {first} + 3 * patient + each, {token}, {some} || {some}
    FROM generate_series({start}, {stop}) AS patient, generate_series(0, 2) AS each;
INSERT INTO locator SELECT decode(md5('at ' || (3 * patient + each)), 'hex'), {token}, {first} + 2 * patient
    FROM generate_series({start}, {stop}) AS patient, generate_series(0, 2) AS each;
"""
OF_PATIENT = "decode(md5('of ' || patient), 'hex')"
SOME = "decode(repeat(md5(random()::text), 24), 'hex')"

ON_SQLITE = {
    "INSERT INTO record VALUES (?, 1, randomblob(384), randomblob(384))": 0,
    "INSERT INTO pack VALUES (?2, ?1, randomblob(768))": 2,
    "INSERT INTO body VALUES (?2, ?1, randomblob(768))": 3,
}
AT_SQLITE = "INSERT INTO locator VALUES (?, ?, ?)"


def bench(sizes: Sequence[int] = SIZES) -> list[Row]:
    """Fill, read, look, and fill more."""
    rows: list[Row] = []
    for store in STORES:
        with installation(PATIENTS, store) as made:
            references = uvloop.run(readable(made))
            passage(made, references, store)
            rows += [row for one in grown(made, store, sizes, references) for row in one]
    return rows + ratios(rows, sizes)


def grown(
    made: Installation, store: str, sizes: Sequence[int], references: list[str]
) -> Iterator[tuple[Row, ...]]:
    """Give the figures of one store at each size."""
    filled = 0
    for size in sizes:
        began = perf_counter()
        fill(made, store, filled, size)
        made_in, filled = 9 * (size - filled) / (perf_counter() - began), size
        among = f"{size:,} patients"
        read = passage(made, references, store)
        looks = [look_often(made.house.passage.store, size) for _ in range(RUNS)]
        yield (
            Row(
                f"reads, {store}, among {among}", read.value, "/s", read.runs, "at the passage, trace durable"
            ),
            median_row(f"one look, {store}, {among}", looks, "µs", "at the store, patients drawn among all"),
            Row(f"rows made, {store}, up to {among}", made_in, "/s", 1, "that nobody can open"),
        )


def ratios(rows: Sequence[Row], sizes: Sequence[int]) -> list[Row]:
    """Say how many times as much a read costs among the most as among the fewest."""
    value = {row.name: row.value for row in rows}
    few, many = f"among {sizes[0]:,} patients", f"among {sizes[-1]:,} patients"
    against = f"{sizes[-1]:,} patients against {sizes[0]:,}"
    return [
        Row(
            f"cost of a read, {store}, {against}",
            value[f"reads, {store}, {few}"] / value[f"reads, {store}, {many}"],
            "x",
            RUNS,
            "at the passage",
        )
        for store in STORES
    ]


def fill(made: Installation, store: str, start: int, stop: int) -> None:
    """Make the rows of the patients from `start` on."""
    lots = [range(first, min(stop, first + LOT)) for first in range(start, stop, LOT)]
    if store == POSTGRESQL:
        fill_postgresql(made.settings.store, lots)
    else:
        assert store == SQLITE
        fill_sqlite(made.settings.directory / STORE_FILE, lots)


def fill_postgresql(url: str, lots: Sequence[range]) -> None:
    """Let the server make the rows."""
    with connect(url, autocommit=True, options="-csearch_path=serment -csynchronous_commit=off") as maker:
        for lot in lots:
            bounds = {"start": lot.start, "stop": lot.stop - 1, "first": FIRST}
            maker.execute(ON_POSTGRESQL.format(token=OF_PATIENT, some=SOME, **bounds).encode())
        maker.execute("ANALYZE")
        maker.execute("CHECKPOINT")


def fill_sqlite(file: Path, lots: Sequence[range]) -> None:
    """Make the rows through a connection of this process's own library, as the store's."""
    maker = apsw.Connection(str(file))
    try:
        maker.execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000")
        for lot in lots:
            with maker:
                for statement, each in ON_SQLITE.items():
                    maker.executemany(statement, _rows(lot, each))
                # In the order of the tree that they go to: a million would else be a million random writes.
                maker.executemany(AT_SQLITE, sorted(_leads(lot)))
        maker.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        maker.close()


def _rows(lot: range, each: int) -> Iterator[tuple[bytes, ...] | tuple[bytes, int]]:
    for patient in lot:
        token = _token(b"of", patient)
        if not each:
            yield (token,)
        for number in range(each):
            yield token, FIRST + each * patient + number


def _leads(lot: range) -> Iterator[tuple[bytes, bytes, int]]:
    for patient in lot:
        record = _token(b"of", patient)
        for number in range(3):
            yield _token(b"at", 3 * patient + number), record, FIRST + 2 * patient


def _token(kind: bytes, number: int) -> bytes:
    return md5(b"%s %d" % (kind, number), usedforsecurity=False).digest()


def look_often(store: Store, patients: int) -> float:
    """Look at so many patients drawn at random; microseconds each."""
    dice = random.Random(SEED)  # noqa: S311 - which patients are looked at
    numbers = [dice.randrange(3 * patients - 1) for _ in range(LOOKS)]
    began = perf_counter()
    for number in numbers:
        with store.snapshot() as view:
            lead, _ = view.lead_two(_token(b"at", number), _token(b"at", number + 1))
            if lead is None or lead.row is None or not view.bodies(lead.located.record, [FIRST + number]):
                raise RuntimeError("a row that was made is not there")
    return (perf_counter() - began) / LOOKS * 1e6
