"""Traces that wait together take their places together, and one that cannot be placed stands alone."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from serment.errors import IntegrityError
from serment.ledger.append import Ledger, Pending, Trail
from serment.ledger.chains import Chain
from serment.model import Receipt
from serment.record.tracing import MOST, Traces
from serment.store.contract import EntryRow
from serment.store.sqlite import SqliteStore
from tests.unit.ledger.memory import birth_event, ledger, mark, new_trail, read_event


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.create(tmp_path / "record.sqlite")
    yield store
    store.close()


def born(store: SqliteStore, ledger: Ledger[EntryRow]) -> Trail:
    trail = new_trail()
    store.submit(lambda txn: ledger.birth(txn, trail, birth_event(), mark(0))).result()
    return trail


class Alone:
    """The long way of one act, counted."""

    def __init__(self, store: SqliteStore, ledger: Ledger[EntryRow]) -> None:
        self.store, self.ledger, self.acts = store, ledger, 0

    def __call__(self, entries: object) -> Future[list[Receipt]]:
        assert isinstance(entries, list)
        self.acts += 1
        return self.store.submit(lambda txn: self.ledger.append(txn, entries))


def a_read(trail: Trail, number: int) -> Pending:
    return Pending(trail, Chain.ORDINARY, read_event(number))


def place(traces: Traces, acts: list[list[Pending]], way: Alone) -> list[list[Receipt] | BaseException]:
    async def all_of_them() -> list[list[Receipt] | BaseException]:
        return await asyncio.gather(*(traces.place(act, way) for act in acts), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_each_act_gets_its_own_receipts_in_the_order_of_asking(store: SqliteStore) -> None:
    made = ledger()
    one, other = born(store, made), born(store, made)
    acts = [[a_read(one, 1)], [a_read(other, 2), a_read(one, 2)], [], [a_read(one, 3)]]
    way = Alone(store, made)
    answers = place(Traces(store, made), acts, way)
    receipts = [answer for answer in answers if isinstance(answer, list)]
    assert [[receipt.record for receipt in each] for each in receipts] == [
        [one.record],
        [other.record, one.record],
        [],
        [one.record],
    ]
    assert [receipt.sequence for each in receipts for receipt in each] == [7, 8, 9, 10]
    assert [receipt.request for receipt in receipts[1]] == ["act-2"] * 2
    assert way.acts == 0


def test_more_acts_than_a_group_holds_are_all_placed(store: SqliteStore) -> None:
    made = ledger()
    trail = born(store, made)
    answers = place(Traces(store, made), [[a_read(trail, n)] for n in range(MOST + 9)], Alone(store, made))
    places = [receipt.sequence for each in answers if isinstance(each, list) for receipt in each]
    assert places == list(range(4, MOST + 13))


def test_an_act_on_a_harmed_record_fails_alone(store: SqliteStore) -> None:
    made = ledger()
    whole, harmed = born(store, made), born(store, made)
    store.submit(lambda txn: txn.put_chain(harmed.key.token(), bytes(64))).result()
    way = Alone(store, made)
    acts = [[a_read(whole, 1)], [a_read(harmed, 2)], [a_read(whole, 3)]]
    first, second, third = place(Traces(store, made), acts, way)
    assert isinstance(first, list)
    assert isinstance(second, IntegrityError)
    assert isinstance(third, list)
    assert way.acts == 3
    with store.snapshot() as snapshot:
        assert snapshot.ledger_size() == 8, "nothing of the group that was undone stands beside its acts"


def test_somebody_who_goes_away_is_traced_all_the_same(store: SqliteStore) -> None:
    made = ledger()
    trail = born(store, made)
    traces, way = Traces(store, made), Alone(store, made)

    async def one_leaves() -> list[Receipt]:
        leaving = traces.place([a_read(trail, 1)], way)
        staying = traces.place([a_read(trail, 2)], way)
        leaving.cancel()
        return await staying

    assert [receipt.sequence for receipt in asyncio.run(one_leaves())] == [5]
