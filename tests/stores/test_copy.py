"""A job that writes many bodies sends them in one stream: what holds for a few holds for many."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from serment.errors import ConflictError
from serment.store.contract import Transaction
from serment.store.pg_transaction import LEAST_COPIED, MOST_WAITING
from serment.store.postgres import PostgresStore
from tests.fakes.cutting import Fault
from tests.stores.engines import a_record, append, token
from tests.stores.server import server
from tests.stores.test_cuts import Line, line

__all__ = ["line"]

RECORD = token()
MANY = LEAST_COPIED * 4
Rows = list[tuple[int, bytes]]


@pytest.fixture
def store() -> Iterator[PostgresStore]:
    made = PostgresStore.create(server().database())
    made.submit(lambda txn: txn.add_record(a_record(RECORD))).result()
    yield made
    made.close()


def lot(txn: Transaction, size: int = 400) -> Rows:
    rows = [(txn.next_body(), os.urandom(size)) for _ in range(MANY)]
    for number, sealed in rows:
        txn.put_body(RECORD, number, sealed)
    return rows


def standing(store: PostgresStore, rows: Rows) -> Rows:
    with store.snapshot() as view:
        return view.bodies(RECORD, [number for number, _ in rows])


@pytest.mark.parametrize("size", [0, 400, MOST_WAITING // 50])
def test_many_bodies_stand_as_they_were_written(store: PostgresStore, size: int) -> None:
    rows = store.submit(lambda txn: lot(txn, size)).result()
    assert standing(store, rows) == rows


def test_a_job_reads_the_many_bodies_that_it_wrote(store: PostgresStore) -> None:
    def job(txn: Transaction) -> bool:
        rows = lot(txn)
        return txn.bodies(RECORD, [number for number, _ in rows]) == rows

    assert store.submit(job).result()


def test_a_number_that_stands_undoes_the_whole_lot_and_no_other_job(store: PostgresStore) -> None:
    def twice(txn: Transaction) -> Rows:
        rows = lot(txn)
        txn._fresh.add(("body", rows[0][0]))  # type: ignore[attr-defined]  # as if it had been given again
        txn.put_body(RECORD, rows[0][0], b"again")
        return rows

    refused, stands = store.submit(twice), store.submit(lot)
    assert isinstance(refused.exception(), ConflictError)
    assert standing(store, stands.result()) == stands.result()
    store.submit(append).result()


def test_a_lot_whose_line_is_cut_anywhere_stands_once(line: Line) -> None:
    line.beside.submit(lambda txn: txn.add_record(a_record(RECORD))).result()
    for place in range(1, 1_000_000, 2_503):
        line.proxy.arm(Fault.CUT, from_server=False, after=place)
        rows = line.behind.submit(lot).result()
        assert standing(line.beside, rows) == rows
        if line.proxy.disarm():
            break
    with line.beside.snapshot() as view:
        assert view.record(RECORD) is not None
