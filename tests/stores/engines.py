"""The stores that the contract's suite runs on, and rows to put in them.

PostgreSQL joins here later: an engine says how a store is made, opened, and kept from growing.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event
from typing import Protocol

from serment.model import RecordToken
from serment.store.ballast import Ballast
from serment.store.contract import EntryRow, RecordRow, Store, Transaction
from serment.store.sqlite import SqliteStore


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


ENGINES: dict[str, Engine] = {"sqlite": Sqlite()}


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
