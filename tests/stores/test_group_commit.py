"""One writer, many jobs: each stands or falls alone, and a future is done only once durable."""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from serment.errors import DependencyError, StorageFullError
from serment.store.contract import Store, Transaction
from tests.stores.engines import Engine, Gate, a_record, append, token


class MishapError(Exception):
    """Something that goes wrong inside a job."""


def test_a_job_that_raises_undoes_only_itself(store: Store) -> None:
    def fail(t: Transaction) -> None:
        append(t)
        t.put_meta("half", b"done")
        raise MishapError

    gate = Gate(store)
    futures = [store.submit(fail if turn % 3 == 1 else append) for turn in range(9)]
    gate.open()
    assert [type(future.exception()) for future in futures] == [type(None), MishapError, type(None)] * 3
    assert [future.result() for future in futures if not future.exception()] == [1, 2, 3, 4, 5, 6]
    with store.snapshot() as snapshot:
        assert snapshot.ledger_size() == 6
        assert snapshot.meta("half") is None


def test_a_later_job_of_the_group_sees_what_an_earlier_one_wrote(store: Store) -> None:
    gate = Gate(store)
    store.submit(lambda t: t.put_meta("from", b"before"))
    seen = store.submit(lambda t: t.meta("from"))
    gate.open()
    assert seen.result() == b"before"


def test_nothing_of_a_group_is_seen_before_its_commit(store: Store) -> None:
    gate = Gate(store)
    with store.snapshot() as before:
        queued = store.submit(append)
        assert before.ledger_size() == 0
        gate.open()
        queued.result()
        assert before.ledger_size() == 0
    with store.snapshot() as after:
        assert after.ledger_size() == 1


def test_more_jobs_than_a_group_holds_are_all_done_in_order(store: Store) -> None:
    gate = Gate(store)
    futures = [store.submit(append) for _ in range(1_000)]
    gate.open()
    assert [future.result() for future in futures] == list(range(1, 1_001))


def test_a_cancelled_job_is_not_run(store: Store) -> None:
    gate = Gate(store)
    cancelled, kept = store.submit(append), store.submit(append)
    assert cancelled.cancel()
    gate.open()
    assert kept.result() == 1
    with pytest.raises(CancelledError):
        cancelled.result()


def test_a_transaction_kept_beyond_its_job_writes_nothing(store: Store) -> None:
    kept = store.submit(lambda t: t).result()
    with pytest.raises(RuntimeError):
        kept.put_meta("late", b"")


def test_what_was_queued_before_close_is_stored_and_what_comes_after_fails(
    engine: Engine, tmp_path: Path
) -> None:
    store = engine.create(tmp_path)
    futures = [store.submit(append) for _ in range(300)]
    store.close()
    late, scan = store.submit(append), store.scan(lambda s: s.ledger_size())
    assert [future.result(0) for future in futures] == list(range(1, 301))
    assert isinstance(late.exception(0), DependencyError)
    assert isinstance(scan.exception(0), DependencyError)
    with pytest.raises(DependencyError), store.snapshot():
        pass
    store.close()
    again = engine.open(tmp_path)
    with again.snapshot() as snapshot:
        assert snapshot.ledger_size() == 300
    again.close()


def test_a_full_store_fails_what_grows_it_and_nothing_is_half_written(engine: Engine, store: Store) -> None:
    record = token()
    store.submit(lambda t: t.add_record(a_record(record))).result()
    engine.stop_growing(store)

    def grow(t: Transaction) -> None:
        t.put_meta("half", b"done")
        t.put_body(record, t.next_body(), bytes(1_000_000))

    gate = Gate(store)
    futures = [store.submit(grow), store.submit(lambda t: t.put_meta("small", b"fits")), store.submit(grow)]
    gate.open()
    assert isinstance(futures[0].exception(), StorageFullError)
    assert futures[1].exception() is None
    assert isinstance(futures[2].exception(), StorageFullError)
    assert "store.full" in store.alarms
    with store.snapshot() as snapshot:
        assert (snapshot.meta("half"), snapshot.meta("small")) == (None, b"fits")
    engine.grow_again(store)
    store.submit(grow).result()


def test_a_job_cannot_hide_that_the_store_is_full(engine: Engine, store: Store) -> None:
    def hide(t: Transaction) -> str:
        try:
            t.put_body(token(), t.next_body(), bytes(1_000_000))
        except StorageFullError:
            return "hidden"
        return "stored"

    engine.stop_growing(store)
    gate = Gate(store)
    small, hidden = store.submit(lambda t: t.put_meta("one", b"1")), store.submit(hide)
    gate.open()
    assert small.exception() is None
    assert isinstance(hidden.exception(), StorageFullError)
    with store.snapshot() as snapshot:
        assert snapshot.meta("one") == b"1"
