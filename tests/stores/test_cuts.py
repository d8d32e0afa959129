"""A line to PostgreSQL that is cut, or falls silent, at any byte: nothing doubled, lost or half done."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from serment.errors import DependencyError
from serment.store.contract import Store
from serment.store.pg_failure import UNKNOWN
from serment.store.postgres import PostgresStore
from tests.fakes.cutting import CuttingLine, Fault
from tests.stores.acts import acknowledged_and_whole, act
from tests.stores.engines import append
from tests.stores.server import Server, new_server, server

SOCKET = ".s.PGSQL.5432"
PATIENCE = 0.1


class Line:
    """A store behind a line, and one beside it that looks at what stands."""

    def __init__(self, proxy: CuttingLine, behind: PostgresStore, beside: PostgresStore) -> None:
        self.proxy, self.behind, self.beside = proxy, behind, beside


@pytest.fixture
def line() -> Iterator[Line]:
    running = server()
    url = running.database()
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))
        proxy = ending.enter_context(CuttingLine(folder, running.folder / SOCKET))
        beside = PostgresStore.create(url)
        ending.callback(beside.close)
        behind = PostgresStore(url.replace(str(running.folder), str(folder)), patience=PATIENCE)
        ending.callback(behind.close)
        yield Line(proxy, behind, beside)


def stands(store: Store, name: bytes) -> int:
    with store.snapshot() as view:
        return sum(row.commitment == name for row in view.ledger_entries(1, 1 << 40))


def cut_every(line: Line, step: int, fault: Fault, *, from_server: bool) -> list[bytes]:
    """Write one act for each place of the fault, until an act is over before it strikes.

    Wherever that is, the act stands once: what was not committed ran again, and what was is found out.
    """
    names: list[bytes] = []
    line.behind.submit(partial(act, b"first")).result()
    for place in range(1, 1_000_000, step):
        name = b"%d" % place
        line.proxy.arm(fault, from_server=from_server, after=place)
        line.behind.submit(partial(act, name)).result()
        names.append(name)
        if line.proxy.disarm():
            assert place > 100
            return names
    raise AssertionError("no act was ever over")


@pytest.mark.parametrize("from_server", [False, True])
def test_an_act_whose_line_is_cut_anywhere_stands_once(line: Line, from_server: bool) -> None:
    names = cut_every(line, 29, Fault.CUT, from_server=from_server)
    assert acknowledged_and_whole(line.beside, names) == len(names) + 1
    assert line.proxy.struck == len(names) - 1


@pytest.mark.campaign
@pytest.mark.parametrize("from_server", [False, True])
def test_an_act_whose_line_is_cut_at_each_byte_stands_once(line: Line, from_server: bool) -> None:
    names = cut_every(line, 1, Fault.CUT, from_server=from_server)
    assert acknowledged_and_whole(line.beside, names) == len(names) + 1


@pytest.mark.parametrize("from_server", [False, True])
def test_an_act_on_a_line_that_falls_silent_stands_once(line: Line, from_server: bool) -> None:
    names = cut_every(line, 397, Fault.SILENCE, from_server=from_server)
    assert acknowledged_and_whole(line.beside, names) == len(names) + 1


@pytest.mark.parametrize("fault", Fault)
def test_a_read_whose_line_fails_anywhere_is_an_error_or_the_whole_truth(line: Line, fault: Fault) -> None:
    refused = 0
    line.behind.submit(append).result()
    for place in range(1, 1_000, 41 if fault is Fault.CUT else 211):
        line.proxy.arm(fault, from_server=True, after=place)
        try:
            with line.behind.snapshot() as view:
                assert (view.ledger_size(), view.last_of(b"year token")) == (1, (1, bytes(32)))
        except DependencyError:
            refused += 1
        line.proxy.disarm()
    assert refused
    with line.behind.snapshot() as view:
        assert view.ledger_size() == 1


def test_a_commit_that_nobody_can_ask_about_is_said_to_be_unknown(line: Line) -> None:
    """The answer to the commit is cut and the server is out of reach: neither yes nor no."""
    hand = line.behind._hand
    name = b"whether it stands"

    def out_of_reach() -> None:
        raise DependencyError("store.pg-away")

    hand.begin()
    hand.run(partial(act, name))
    line.proxy.arm(Fault.CUT, from_server=True, after=1)
    hand._connect = out_of_reach  # type: ignore[assignment]  # the server is gone for this hand
    with pytest.raises(DependencyError) as told:
        hand.commit()
    assert told.value.sentence == UNKNOWN
    assert stands(line.beside, name) == 1


@pytest.fixture
def own_server() -> Iterator[Server]:
    made = new_server()
    made.start()
    yield made
    made.end()


def test_kill_9_of_the_server_loses_nothing_acknowledged_and_the_store_goes_on(own_server: Server) -> None:
    store = PostgresStore.create(own_server.database())
    acknowledged: list[bytes] = []
    for turn in range(4):
        futures = {
            name: store.submit(partial(act, name)) for name in (b"%d.%d" % (turn, n) for n in range(400))
        }
        next(iter(futures.values())).result()
        own_server.kill()
        for name, future in futures.items():
            error = future.exception()
            assert error is None or isinstance(error, DependencyError)
            acknowledged += [name] if error is None else []
        with pytest.raises(DependencyError):
            store.submit(append).result()
        own_server.start()
        store.submit(partial(act, b"after %d" % turn)).result()
        acknowledged.append(b"after %d" % turn)
    assert len(acknowledged) > 8
    acknowledged_and_whole(store, acknowledged)
    store.close()


def test_a_restart_of_the_server_costs_no_request_once_it_answers(own_server: Server) -> None:
    store = PostgresStore.create(own_server.database())
    with store.snapshot() as one, store.snapshot() as two:
        assert one.ledger_size() == two.ledger_size() == 0
    own_server.stop()
    own_server.start()
    for _ in range(3):
        with store.snapshot() as view:
            assert view.ledger_size() == 0
    assert store.submit(append).result() == 1
    store.close()
