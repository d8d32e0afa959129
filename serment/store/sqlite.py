"""The store on SQLite: one file, any number of processes.

`SqliteStore.create` makes the file at `init`, `SqliteStore(path)` opens it. Writes go to the writer
thread (`writer.py`); point reads run on the caller's thread, on a connection of their own from a
pool, inside one read transaction; long scans run in worker threads. Every process has its own writer:
SQLite's write lock orders them, and a transaction reads again under that lock whatever it builds on.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import apsw

from serment.errors import DependencyError, IntegrityError, SettingsError, StorageFullError
from serment.model import RecordToken
from serment.store import statements as sql
from serment.store.ballast import Ballast
from serment.store.connection import (
    check_header,
    check_pages,
    check_whole,
    checkpoint,
    connect,
    new_file,
)
from serment.store.contract import Snapshot, Transaction
from serment.store.failure import translate
from serment.store.migration import migrate
from serment.store.scans import Scans
from serment.store.snapshot import SqliteSnapshot
from serment.store.sqlite_hand import SqliteHand
from serment.store.turnstile import Turnstile
from serment.store.writer import Writer

T = TypeVar("T")

STORE_ID: Final = "store-id"
"""Name of the meta row with the store's sixteen random bytes, bound into every sealed row."""

_IDLE = 16
_REFILL_EVERY = 64


class View:
    """One read transaction as a context manager: `with store.snapshot() as snapshot`."""

    __slots__ = ("_connection", "_store", "_view")

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def __enter__(self) -> Snapshot:
        self._connection = self._store._lend()
        self._view = SqliteSnapshot(self._connection)
        return self._view

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.close()
        self._store._take_back(self._connection)


class SqliteStore:
    """The contract's `Store` on the SQLite file at `path`.

    `ballast` is the reserve on the same volume. Raises at the start `SettingsError` (no file, a file of
    something else, a newer schema, another installation's store) or `IntegrityError` (damage).
    """

    def __init__(self, path: Path, *, ballast: Ballast | None = None, store_id: bytes | None = None) -> None:
        self._path = path
        self._ballast = ballast
        self._alarms: frozenset[str] = frozenset()
        self._commits = 0
        self._closed = False
        self._idle: deque[apsw.Connection] = deque()
        check_header(path)
        if ballast is not None:
            ballast.refill()
        connection = self._start()
        self._writer = Writer(SqliteHand(connection, Turnstile(path), self._make_room, self._after_commit))
        self._scans = Scans()
        with self.snapshot() as snapshot:
            found = snapshot.meta(STORE_ID)
        if found is None or store_id not in {None, found}:
            self.close()
            raise (
                IntegrityError("store.no-id") if found is None else SettingsError("store.other-installation")
            )
        self.store_id: Final = found

    @classmethod
    def create(cls, path: Path, *, ballast: Ballast | None = None, store_id: bytes | None = None) -> Self:
        """Make a new store with its id (16 random bytes unless given). Raises `SettingsError`."""
        with new_file(path) as draft:
            connection = connect(draft)
            try:
                migrate(connection)
                connection.execute(sql.PUT_META, (STORE_ID, store_id or os.urandom(16)))
            except apsw.Error as error:
                raise translate(error, connection.system_errno) from None
            finally:
                connection.close(True)
        return cls(path, ballast=ballast)

    @property
    def low_on_space(self) -> bool:
        """Whether part of the reserve has been given back: new content should wait, traces go on."""
        return self._ballast is not None and not self._ballast.whole

    @property
    def alarms(self) -> frozenset[str]:
        """Sentence ids of what has gone wrong since the start (`store.full`, `store.reserve-spent`)."""
        return self._alarms

    def snapshot(self) -> View:
        """Open a view for point reads. Never await inside: a long view keeps the WAL from shrinking."""
        return View(self)

    def session(self, token: bytes, trail: bytes) -> tuple[bytes | None, int]:
        """Read one session as it stands at this moment, and the newest sequence of a trail.

        One statement needs no transaction around it.
        """
        connection = self._taken()
        view = SqliteSnapshot(connection)
        try:
            return view.session_and_newest(token, trail)
        finally:
            view.close()
            self._give_back(connection)

    def submit(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Run `job` in the writer thread, perhaps more than once; done once durable."""
        return self._writer.submit(job)

    def scan(self, job: Callable[[Snapshot], T]) -> Future[T]:
        """Run a long read in a worker thread on a snapshot of its own."""
        return self._scans.run(partial(self._scan, job))

    def watch(self, changed: Callable[[RecordToken, int], None]) -> None:
        """Say nothing: a file tells nobody who wrote in it."""

    def truncate_wal(self) -> Future[bool]:
        """Empty the WAL, so that deleted rows leave no byte; False when a reader still needs it."""
        return self._writer.between(partial(checkpoint, truncate=True))

    def check(self) -> Future[None]:
        """Read every page of the file in a worker thread; the future carries `IntegrityError` on damage."""
        return self._scans.run(self._check)

    def close(self) -> None:
        """Finish what is queued and close every connection. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._scans.close()
        self._writer.close()
        while self._idle:
            self._idle.pop().close(True)

    def _start(self) -> apsw.Connection:
        try:
            return self._open()
        except StorageFullError:
            # A full disk must not keep the server from starting: the WAL's index needs some room.
            if not self._make_room():
                raise
            return self._open()

    def _open(self) -> apsw.Connection:
        connection = connect(self._path)
        try:
            check_pages(connection, self._path)
            migrate(connection)
        except BaseException:
            connection.close(True)
            raise
        return connection

    def _taken(self) -> apsw.Connection:
        if self._closed:
            raise DependencyError("store.closed")
        try:
            return self._idle.pop()
        except IndexError:
            return connect(self._path, reader=True)

    def _lend(self) -> apsw.Connection:
        connection = self._taken()
        try:
            connection.execute("BEGIN")
        except apsw.Error as error:
            connection.close(True)
            raise translate(error) from None
        return connection

    def _take_back(self, connection: apsw.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except apsw.Error:
            connection.close(True)
            return
        self._give_back(connection)

    def _give_back(self, connection: apsw.Connection) -> None:
        if self._closed or len(self._idle) >= _IDLE:
            connection.close(True)
        else:
            self._idle.append(connection)

    def _scan(self, job: Callable[[Snapshot], T]) -> T:
        with self.snapshot() as snapshot:
            return job(snapshot)

    def _check(self) -> None:
        connection = connect(self._path, reader=True)
        try:
            check_whole(connection)
        finally:
            connection.close(True)

    def _make_room(self) -> bool:
        freed = self._ballast.release() if self._ballast is not None else 0
        self._alarms |= {"store.full"} if freed else {"store.full", "store.reserve-spent"}
        return freed > 0

    def _after_commit(self) -> None:
        self._commits += 1
        if self._commits % _REFILL_EVERY == 0 and self.low_on_space and self._ballast is not None:
            self._ballast.refill()
