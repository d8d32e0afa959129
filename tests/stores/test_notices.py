"""What other processes say that they changed lets keys go early; without it, every answer is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from psycopg.conninfo import conninfo_to_dict

from serment import app
from serment.errors import NotFoundError
from serment.model import RecordToken
from serment.record.house import House
from serment.store.contract import RecordRow, Transaction
from serment.store.postgres import PostgresStore
from tests.installation import Installation, installation, run
from tests.stores.engines import a_record, token
from tests.stores.server import server


def until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 30
    while not condition():
        assert monotonic() < end, "not in half a minute"


def test_a_commit_tells_every_store_and_an_undone_job_nobody() -> None:
    url, record, heard = server().database(), token(), []
    one = PostgresStore.create(url)
    other = PostgresStore(url)
    other.watch(lambda record, epoch: heard.append((record, epoch)))
    until(lambda: _listeners(url) == 1)

    def write(epoch: int, txn: Transaction) -> None:
        txn.put_record(RecordRow(record, epoch, b"head", b"facts"))
        if epoch == 3:
            raise RuntimeError

    one.submit(lambda txn: txn.add_record(a_record(record))).result()
    one.submit(lambda txn: write(2, txn)).result()
    assert one.submit(lambda txn: write(3, txn)).exception() is not None
    one.submit(lambda txn: write(4, txn)).result()
    until(lambda: len(heard) == 2)
    assert heard == [(record, 2), (record, 4)]
    other.close()
    until(lambda: _listeners(url) == 0)
    one.close()


def _listeners(url: str) -> int:
    name = conninfo_to_dict(url)["dbname"]
    ((count,),) = server().run(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'LISTEN%'"  # noqa: S608
    )
    assert isinstance(count, int)
    return count


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("notices"), store="postgresql") as one:
        yield one


@contextmanager
def beside(made: Installation) -> Iterator[House]:
    """Open the same installation a second time, as another process would."""
    house = app.open_house(made.settings)
    try:
        yield house
    finally:
        house.close()


def read(made: Installation, house: House) -> None:
    type_, _, id_ = made.item("maskable").partition("/")
    run(house.reading.read(made.as_staff("team-doctor"), type_, id_))


def record_of(made: Installation) -> RecordToken:
    passage = made.house.passage
    with passage.store.snapshot() as view:
        return passage.resolve(view, f"Patient/{made.record()}")[0].record


def test_keys_of_a_record_that_was_changed_elsewhere_are_dropped_unasked(made: Installation) -> None:
    record = record_of(made)
    with beside(made) as other:
        read(made, other)
        assert record in other.passage.keyring._held
        run(made.house.choosing.mask(made.as_patient(), made.record(), made.item("maskable")))
        until(lambda: record not in other.passage.keyring._held)
        until(lambda: record not in other.passage.keyring.glances._kept)
        run(made.house.choosing.unmask(made.as_patient(), made.record(), made.item("maskable")))


def cut_off(_made: Installation, other: House) -> None:
    store = other.passage.store
    assert isinstance(store, PostgresStore)
    assert store._notices is not None
    store._notices.close()
    store._notices = None


def end_the_listeners(made: Installation, _other: House) -> None:
    name = conninfo_to_dict(made.settings.store)["dbname"]
    server().run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608 - a name of the test's own
        f" WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
    )


@pytest.mark.parametrize("cut", [cut_off, end_the_listeners])
def test_without_a_notice_the_deciding_snapshot_still_rules(
    made: Installation, cut: Callable[[Installation, House], None]
) -> None:
    """The other process holds the keys and hears nothing: a mask rules its next request all the same."""
    choosing, item = made.house.choosing, made.item("maskable")
    with beside(made) as other:
        read(made, other)
        cut(made, other)
        run(choosing.mask(made.as_patient(), made.record(), item))
        with pytest.raises(NotFoundError):
            read(made, other)
        run(choosing.unmask(made.as_patient(), made.record(), item))
        read(made, other)
