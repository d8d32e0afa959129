"""What PostgreSQL alone has: two roles, a ledger that neither of them changes, a careful start."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from psycopg import Connection, connect
from psycopg.errors import (
    InsufficientPrivilege,
    IntegrityConstraintViolation,
)

from serment.errors import IntegrityError, SermentError, SettingsError
from serment.store import pg_statements as sql
from serment.store.contract import Transaction
from serment.store.migration import Step
from serment.store.pg_failure import meaning
from serment.store.pg_start import Sessions, missing, pg_steps, prepare, target
from serment.store.pg_wire import PLANS_LAST
from serment.store.postgres import PostgresStore
from tests.stores.engines import a_record, append, token
from tests.stores.server import new_server, server

RUNS, OWNS = "runs", "owns"


class Two:
    """A database with an owner and a role that Serment runs as."""

    def __init__(self) -> None:
        mark, running = uuid4().hex[:8], server()
        self.names = {RUNS: f"runs_{mark}", OWNS: f"owns_{mark}"}
        for name in self.names.values():
            running.run(f"CREATE ROLE {name} LOGIN")
        self.database = f"two_{mark}"
        running.run(f"CREATE DATABASE {self.database} OWNER {self.names[OWNS]}")

    def url(self, role: str) -> str:
        return server().url(self.database, self.names[role])

    def connected(self, role: str) -> Connection[tuple[object, ...]]:
        return connect(self.url(role), autocommit=True, options="-csearch_path=serment")

    def prepare(self) -> None:
        prepare(Sessions(target(self.url(OWNS))), self.names[RUNS])


@pytest.fixture
def two() -> Two:
    made = Two()
    made.prepare()
    return made


@pytest.fixture
def store(two: Two) -> Iterator[PostgresStore]:
    made = PostgresStore.create(two.url(RUNS))
    yield made
    made.close()


@pytest.fixture
def prepared() -> str:
    url = server().database()
    PostgresStore.create(url).close()
    return url


def test_the_role_that_serment_runs_as_does_all_the_work(store: PostgresStore) -> None:
    def everything(t: Transaction) -> int:
        record = token()
        t.add_record(a_record(record))
        t.put_record(a_record(record, 2))
        pack = t.next_pack()
        t.put_pack(record, pack, b"pack")
        t.drop_packs(record, [pack])
        t.put_body(record, t.next_body(), b"body")
        t.put_locator(b"there", record, 1)
        t.move_locators([(b"there", 2)])
        t.put_chunk(record, b"blob", 0, b"chunk")
        t.drop_blob(b"blob")
        t.put_person(b"name", record)
        t.drop_persons(record)
        t.put_session(b"hash", b"sealed")
        t.drop_session(b"hash")
        t.put_imported(b"source", 1)
        t.drop_quarantined(t.add_quarantined(b"why"))
        t.put_chain(b"chain", b"sealed")
        t.put_checkpoint(1, b"root", b"note")
        t.put_meta("name", b"value")
        return append(t)

    assert store.submit(everything).result() == 1


REWRITES = (
    "UPDATE entry SET commitment = ''",
    "DELETE FROM entry",
    "TRUNCATE entry",
    "DROP TABLE entry",
    "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
    "DELETE FROM record",
    "DELETE FROM checkpoint",
    "UPDATE body SET sealed = ''",
    "UPDATE migration SET number = 2",
)


@pytest.mark.parametrize("statement", REWRITES)
@pytest.mark.capability("0-04", "refuses")
def test_a_stolen_role_rewrites_no_trace(store: PostgresStore, two: Two, statement: str) -> None:
    store.submit(append).result()
    with two.connected(RUNS) as hands, pytest.raises(InsufficientPrivilege):
        hands.execute(statement.encode())
    with store.snapshot() as view:
        assert view.ledger_size() == 1


@pytest.mark.parametrize("statement", REWRITES[:3])
def test_the_owner_does_not_rewrite_the_ledger_by_a_slip(
    store: PostgresStore, two: Two, statement: str
) -> None:
    store.submit(append).result()
    with two.connected(OWNS) as hands, pytest.raises(IntegrityConstraintViolation):
        hands.execute(statement.encode())


def test_behind_the_trigger_stand_the_policies(store: PostgresStore, two: Two) -> None:
    store.submit(append).result()
    with two.connected(OWNS) as hands:
        hands.execute("ALTER TABLE entry DISABLE TRIGGER entry_stays")
        touched = [hands.execute(each.encode()).rowcount for each in REWRITES[:2]]
    assert touched == [0, 0]
    with store.snapshot() as view:
        assert view.ledger_size() == 1


def test_a_role_without_rights_is_told_to_have_the_database_prepared(two: Two) -> None:
    bare = Two()
    with pytest.raises(SettingsError) as refusal:
        PostgresStore.create(bare.url(RUNS))
    assert refusal.value.sentence in {"store.pg-not-owner", "store.pg-role"}


def test_preparing_twice_changes_nothing(store: PostgresStore, two: Two) -> None:
    store.submit(append).result()
    two.prepare()
    with store.snapshot() as view:
        assert view.ledger_size() == 1


def test_a_database_of_a_newer_serment_or_a_changed_step_is_refused(prepared: str) -> None:
    wire = Sessions(target(prepared)).owner()
    with pytest.raises(SettingsError) as newer:
        missing(wire, [])
    first, *rest = pg_steps()
    with pytest.raises(IntegrityError) as changed:
        missing(wire, [Step(first.number, first.name, first.script + " "), *rest])
    wire.close()
    assert (newer.value.sentence, changed.value.sentence) == ("store.newer", "store.migration-changed")


def test_a_database_without_our_tables_is_said_to_be_none() -> None:
    with pytest.raises(SettingsError) as refusal:
        PostgresStore(server().database())
    assert refusal.value.sentence == "store.missing"


def test_a_prepared_database_without_a_store_is_said_to_be_none() -> None:
    url = server().database()
    prepare(Sessions(target(url)))
    with pytest.raises(SettingsError) as refusal:
        PostgresStore(url)
    assert refusal.value.sentence == "store.missing"


def test_a_second_init_makes_nothing_and_another_installation_is_refused(prepared: str) -> None:
    with pytest.raises(SettingsError) as exists:
        PostgresStore.create(prepared)
    with pytest.raises(SettingsError) as other:
        PostgresStore(prepared, store_id=bytes(16))
    assert (exists.value.sentence, other.value.sentence) == ("store.exists", "store.other-installation")


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_would_lose_what_it_confirmed_is_refused(setting: str) -> None:
    careless = new_server()
    careless.start(**{setting: "off"})
    try:
        with pytest.raises(SettingsError) as refusal:
            PostgresStore.create(careless.database())
    finally:
        careless.end()
    assert refusal.value.parameters == {"name": setting}


def test_a_sequence_that_was_put_back_gives_no_number_of_a_row_that_stands(prepared: str) -> None:
    store = PostgresStore(prepared)
    record = token()

    def fill(t: Transaction) -> int:
        for _ in range(100):
            t.put_pack(record, last := t.next_pack(), b"pack")
        return last

    last = store.submit(fill).result()
    store.close()
    with connect(prepared, autocommit=True) as hands:
        hands.execute("SELECT setval('serment.pack_number', 1)")
    store = PostgresStore(prepared)
    assert store.submit(lambda t: t.next_pack()).result() > last
    store.close()


ADDRESSES = {
    "a password in the address": ("postgresql://me:secret@localhost/x", "store.pg-password"),
    "no address at all": ("postgresql://%zz", "store.pg-address"),
    "another machine without its certificate checked": (
        "postgresql://me@db.example/x?sslmode=prefer",
        "store.pg-tls",
    ),
    "one of two machines in clear": (
        "postgresql://me@localhost,db.example/x?sslmode=disable",
        "store.pg-tls",
    ),
}


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_an_address_is_refused(name: str) -> None:
    address, sentence = ADDRESSES[name]
    with pytest.raises(SettingsError) as refusal:
        target(address)
    assert refusal.value.sentence == sentence
    assert "secret" not in str(refusal.value)


def test_another_machine_is_reached_with_its_certificate_checked() -> None:
    assert "sslmode=verify-full" in target("postgresql://me@db.example/x")
    assert "sslmode" not in target("postgresql://me@localhost/x")
    assert "target_session_attrs=read-write" in target("postgresql://me@one.example,two.example/x")


def test_an_error_names_a_code_and_nothing_else() -> None:
    for code in ("23505", "53100", "XX001", "08006", "57P01", "42P01", "99999"):
        error = meaning(code)
        assert isinstance(error, SermentError)
        assert set(error.parameters) == {"code"}


def test_what_a_process_that_sleeps_holds_is_taken_from_it(prepared: str) -> None:
    """A worker that is stopped inside a transaction would keep every other writer waiting for ever."""
    wire = Sessions(target(prepared)).writer()
    asked = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
    answers = [wire.ask(sql.ANSWERS, name)[0][0] for name in asked]
    wire.close()
    assert answers == ["1min", "10s", "27s"]


@pytest.mark.parametrize("begins", [sql.BEGIN_READ, sql.BEGIN_WRITE])
def test_a_connection_that_plans_anew_fails_no_transaction(prepared: str, begins: sql.Statement) -> None:
    """Each connection does it every minute; it did it before the transaction, which was then refused."""
    wire = Sessions(target(prepared)).writer()
    wire._planned -= PLANS_LAST + 1
    wire.begin(begins)
    assert wire.ask(sql.ANSWERS, "lock_timeout") == [("10s",)]
    assert wire.in_order
    wire.close()
