"""The stores that the contract's suite runs on, and rows to put in them.

An engine says how a store is made, opened, and kept from growing. What a folder is to SQLite, an address
written in a file of the folder is to PostgreSQL, so that another process finds the same store.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event
from typing import Protocol

from serment.model import RecordToken
from serment.store.ballast import Ballast
from serment.store.contract import EntryRow, RecordRow, Store, Transaction
from serment.store.postgres import PostgresStore
from serment.store.sqlite import SqliteStore
from tests.stores.server import server


class Engine(Protocol):
    name: str

    def create(self, folder: Path, ballast: int = 0) -> Store: ...
    def open(self, folder: Path, ballast: int = 0) -> Store: ...
    def stop_growing(self, store: Store) -> None: ...
    def grow_again(self, store: Store) -> None: ...


class Sqlite:
    name = "sqlite"

    def create(self, folder: Path, ballast: int = 0) -> SqliteStore:
        return SqliteStore.create(folder / "serment.db", ballast=_ballast(folder, ballast))

    def open(self, folder: Path, ballast: int = 0) -> SqliteStore:
        return SqliteStore(folder / "serment.db", ballast=_ballast(folder, ballast))

    def stop_growing(self, store: Store) -> None:
        assert isinstance(store, SqliteStore)
        store._writer.between(lambda c: c.pragma("max_page_count", c.pragma("page_count"))).result()

    def grow_again(self, store: Store) -> None:
        assert isinstance(store, SqliteStore)
        store._writer.between(lambda c: c.pragma("max_page_count", 2**32 - 2)).result()


class Postgres:
    """A database of its own for each folder. There is no reserve to make."""

    name = "postgresql"

    def create(self, folder: Path, ballast: int = 0) -> PostgresStore:
        assert not ballast
        (folder / ADDRESS).write_text(server().database())
        return PostgresStore.create(self.url(folder))

    def open(self, folder: Path, ballast: int = 0) -> PostgresStore:
        assert not ballast
        return PostgresStore(self.url(folder))

    def url(self, folder: Path) -> str:
        return (folder / ADDRESS).read_text()

    def stop_growing(self, store: Store) -> None:
        """Answer as the server does when its volume has no room for another page of content."""
        _run(store, FULL)

    def grow_again(self, store: Store) -> None:
        _run(store, "DROP TRIGGER full_disk ON serment.body; DROP FUNCTION serment.full_disk")


FULL = """
CREATE FUNCTION serment.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON serment.body
    FOR EACH STATEMENT EXECUTE FUNCTION serment.full_disk();
"""


def _run(store: Store, script: str) -> None:
    assert isinstance(store, PostgresStore)
    wire = store._sessions.owner()
    wire.run_script(script)
    wire.close()


ADDRESS = "postgresql.address"
ENGINES: dict[str, Engine] = {"sqlite": Sqlite(), "postgresql": Postgres()}


def _ballast(folder: Path, size: int) -> Ballast | None:
    return Ballast(folder / "ballast", size, steps=4) if size else None


def token() -> RecordToken:
    return RecordToken(os.urandom(16))


def a_record(record: RecordToken, epoch: int = 1) -> RecordRow:
    return RecordRow(record, epoch, b"sealed head", b"sealed facts")


def an_entry(sequence: int, of: bytes = b"year token", body: bytes = b"sealed body") -> EntryRow:
    return EntryRow(sequence, 2, 490_000, bytes(32), b"key id", of, body)


def append(transaction: Transaction, of: bytes = b"year token") -> int:
    """Append one entry in its place, as the ledger does: the size is read under the write lock."""
    sequence = transaction.ledger_size() + 1
    transaction.add_entries([an_entry(sequence, of)])
    return sequence


class Gate:
    """A job that holds the writer until opened, so that what is queued meanwhile is one group."""

    def __init__(self, store: Store) -> None:
        self._open = Event()
        self._held = Event()
        self._done = store.submit(self._wait)
        self._held.wait(10)

    def _wait(self, _transaction: Transaction) -> None:
        self._held.set()
        self._open.wait(10)

    def open(self) -> None:
        self._open.set()
        self._done.result(10)
