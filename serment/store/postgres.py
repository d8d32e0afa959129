"""The store on PostgreSQL: one database, any number of processes and machines.

`PostgresStore.create` puts the store's id into a prepared database at `init`, `PostgresStore(url)` opens
it. Writes go to the writer thread (`writer.py` with `pg_hand.py`); point reads run on the caller's thread,
on a connection of their own from a pool, inside one repeatable-read transaction on the primary; long
scans run in worker threads. ADR 35 says why.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

from serment.errors import DependencyError, SermentError, SettingsError
from serment.model import RecordToken
from serment.store import pg_replica
from serment.store import pg_statements as sql
from serment.store.contract import Snapshot, Transaction
from serment.store.pg_hand import PgHand
from serment.store.pg_notices import Notices
from serment.store.pg_snapshot import PgSnapshot
from serment.store.pg_start import (
    READ_SECONDS,
    Sessions,
    check_schema,
    check_server,
    ready_for_a_store,
    target,
)
from serment.store.pg_wire import Wire
from serment.store.scans import Scans
from serment.store.sqlite import STORE_ID
from serment.store.writer import Writer

T = TypeVar("T")

_IDLE: Final = 16


class View:
    """One read transaction as a context manager: `with store.snapshot() as snapshot`."""

    __slots__ = ("_store", "_view", "_wire")

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    def __enter__(self) -> Snapshot:
        self._wire = self._store._lend()
        # Sent with the first statement: the view is of that moment, as on SQLite.
        self._wire.begin(sql.BEGIN_READ)
        self._view = PgSnapshot(self._wire, self._store._replica)
        return self._view

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.close()
        self._store._take_back(self._wire)


class PostgresStore:
    """The contract's `Store` on the database at `url`. A server silent for `patience` seconds is lost.

    `replica` is the address of a standby that may answer bulk reads (`pg_replica`), "" for none.

    Raises at the start `SettingsError` (not prepared, not durable, another installation's), `IntegrityError`
    (damaged), `DependencyError` (no server).
    """

    def __init__(
        self, url: str, *, store_id: bytes | None = None, patience: float = READ_SECONDS, replica: str = ""
    ) -> None:
        self._sessions = Sessions(target(url), patience)
        self._closed = False
        self._notices: Notices | None = None
        self._full = False
        self._idle: deque[Wire] = deque()
        self._check()
        self._hand = PgHand(self._sessions.writer)
        self._writer = Writer(self._hand)
        self._scans = Scans()
        standby = Sessions(target(replica, standby=True), pg_replica.PATIENCE) if replica else None
        self._replica = None if standby is None else pg_replica.Replica(standby)
        with self.snapshot() as snapshot:
            found = snapshot.meta(STORE_ID)
        if found is None or store_id not in {None, found}:
            self.close()
            raise SettingsError("store.missing" if found is None else "store.other-installation")
        self.store_id: Final = found

    @classmethod
    def create(cls, url: str, *, store_id: bytes | None = None) -> Self:
        """Make a new store with its id, in a database that is prepared or that this role may prepare.

        Raises `SettingsError` where one stands.
        """
        cls.make_ready(url)
        wire = Sessions(target(url)).writer()
        try:
            wire.ask(sql.PUT_META, STORE_ID, store_id or os.urandom(16))
        finally:
            wire.close()
        return cls(url)

    @staticmethod
    def make_ready(url: str) -> None:
        """Make the tables where there are none, and refuse a database that cannot take a new store.

        Before any key is made. Raises `SettingsError` (a store stands, no right to make tables, not durable),
        `DependencyError` (no server).
        """
        ready_for_a_store(Sessions(target(url))).close()

    @property
    def low_on_space(self) -> bool:
        """Whether the last write met a full disk: new content should wait until one goes through."""
        return self._hand.met_full

    @property
    def alarms(self) -> frozenset[str]:
        """Sentence ids of what has gone wrong since the start (`store.full`). There is no reserve here."""
        self._full |= self._hand.met_full
        return frozenset({"store.full"}) if self._full else frozenset()

    def snapshot(self) -> View:
        """Open a view for point reads. Never await inside: a long view keeps the server from cleaning up."""
        return View(self)

    def session(self, token: bytes, trail: bytes) -> tuple[bytes | None, int]:
        """Read one session as it stands at this moment, and the newest sequence of a trail.

        One statement needs no transaction around it.
        """
        wire = self._lend()
        view = PgSnapshot(wire)
        try:
            return view.session_and_newest(token, trail)
        finally:
            view.close()
            self._give_back(wire)

    def submit(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Run `job` in the writer thread, perhaps more than once; done once durable.

        The future carries `DependencyError` (`store.pg-unknown`) when a connection was lost during a commit
        and nobody answers what became of it: the job may stand or not.
        """
        return self._writer.submit(job)

    def scan(self, job: Callable[[Snapshot], T]) -> Future[T]:
        """Run a long read in a worker thread on a snapshot of its own."""
        return self._scans.run(partial(self._scan, job))

    def watch(self, changed: Callable[[RecordToken, int], None]) -> None:
        """Have `changed` told of records that any process wrote: once for each store, at most."""
        self._notices = self._notices or Notices(self._sessions, changed)

    def truncate_wal(self) -> Future[bool]:
        """Answer False: the server keeps deleted rows until it cleans up, and its log as long as it likes.

        What makes a destroyed record unreadable is the destruction of its keys (ADR 35).
        """
        future: Future[bool] = Future()
        future.set_result(False)
        return future

    def close(self) -> None:
        """Finish what is queued and close every connection. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._scans.close()
        if self._notices is not None:
            self._notices.close()
        if self._replica is not None:
            self._replica.close()
        self._writer.close()
        while self._idle:
            self._idle.pop().close()

    def _check(self) -> None:
        wire = self._sessions.writer()
        try:
            check_server(wire)
            check_schema(wire)
        finally:
            wire.close()

    def _lend(self) -> Wire:
        if self._closed:
            raise DependencyError("store.closed")
        while self._idle:
            try:
                wire = self._idle.pop()
            except IndexError:
                break
            if wire.idle():
                return wire
            wire.close()
        return self._sessions.reader()

    def _take_back(self, wire: Wire) -> None:
        """End the read transaction without waiting for the answer."""
        if wire.kept:
            wire.drop()
        elif not wire.closed:
            try:
                wire.post(sql.COMMIT)
            except SermentError:
                wire.close()
        self._give_back(wire)

    def _give_back(self, wire: Wire) -> None:
        if self._closed or wire.closed or len(self._idle) >= _IDLE:
            wire.close()
        else:
            self._idle.append(wire)

    def _scan(self, job: Callable[[Snapshot], T]) -> T:
        wire = self._sessions.scanner()
        view = PgSnapshot(wire, self._replica)
        try:
            wire.later(sql.BEGIN_READ)
            return job(view)
        finally:
            view.close()
            wire.close()
