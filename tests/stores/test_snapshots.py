"""Several statements see one state, whatever is written meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from serment.store.contract import RecordRow, Snapshot, Store, Transaction
from tests.stores.engines import a_record, append, token


def test_a_view_does_not_move_while_others_write(store: Store) -> None:
    record = token()
    store.submit(lambda t: t.add_record(a_record(record))).result()
    with store.snapshot() as outer:
        assert outer.epoch(record) == 1
        store.submit(lambda t: t.put_record(RecordRow(record, 2, b"", b""))).result()
        with store.snapshot() as inner:
            assert (outer.epoch(record), inner.epoch(record)) == (1, 2)
        assert outer.epoch(record) == 1


def test_no_reader_ever_sees_half_a_transaction(store: Store) -> None:
    record = token()
    store.submit(lambda t: t.add_record(a_record(record, 0))).result()

    def act(t: Transaction) -> None:
        row = t.record(record)
        assert row is not None
        t.put_record(RecordRow(record, row.epoch + 1, b"", b""))
        t.put_meta("count", b"%d" % (row.epoch + 1))
        append(t)

    def look(_turn: int) -> bool:
        with store.snapshot() as view:
            return view.epoch(record) == view.ledger_size() == int(view.meta("count") or b"0")

    with ThreadPoolExecutor(4) as readers:
        futures = [store.submit(act) for _ in range(400)]
        seen = list(readers.map(look, range(800)))
    assert all(seen)
    assert all(future.exception() is None for future in futures)


def test_many_views_at_once_in_many_threads(store: Store) -> None:
    store.submit(append).result()

    def nest(depth: int) -> int:
        with store.snapshot() as view:
            return view.ledger_size() + (nest(depth - 1) if depth else 0)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(nest, [20] * 40)) == [21] * 40


def test_a_view_that_has_ended_refuses_to_read(store: Store) -> None:
    with store.snapshot() as view:
        pass
    with pytest.raises(RuntimeError):
        view.ledger_size()


def test_rows_half_read_when_the_view_ends_are_not_read_on(store: Store) -> None:
    for _ in range(5):
        store.submit(append).result()
    with store.snapshot() as view:
        rows = view.ledger_entries(1, 6)
        next(rows)
    with pytest.raises(RuntimeError):
        list(rows)
    with store.snapshot() as view:
        assert view.ledger_size() == 5


def test_a_view_ended_by_an_error_gives_its_place_back(store: Store) -> None:
    with pytest.raises(KeyError), store.snapshot():
        raise KeyError
    store.submit(append).result()
    with store.snapshot() as view:
        assert view.ledger_size() == 1


def test_a_long_scan_runs_beside_writes_on_one_state(store: Store) -> None:
    for _ in range(50):
        store.submit(append).result()

    def scan(view: Snapshot) -> list[int]:
        rows = view.ledger_entries(1, 10_000)
        first = next(rows).sequence
        store.submit(append).result()
        return [first, *(row.sequence for row in rows)]

    assert store.scan(scan).result() == list(range(1, 51))


def test_a_scan_carries_its_error(store: Store) -> None:
    def fail(_view: Snapshot) -> None:
        raise KeyError

    assert isinstance(store.scan(fail).exception(), KeyError)
