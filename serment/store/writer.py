"""The one thread of a process that writes, with group commit.

Jobs wait in a queue. The thread begins one `BEGIN IMMEDIATE`, runs each job that waits under a
savepoint of its own (256 of them, or 20 ms, at most), commits once, and only then settles the futures.
A job that raises undoes only itself. When the commit fails, every future of the group fails.

When the disk is full the whole group is undone, room is made once from the reserve, and the group
runs again; should that fail too, each job runs alone, so that one too large does not stop the others.
Hence a job may run more than once: all it does must be in the transaction.

Nothing here sleeps, and no job waits for company: a group is what queued up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final, TypeVar

import apsw

from serment.errors import DependencyError, SermentError, StorageFullError
from serment.store.connection import checkpoint
from serment.store.contract import Transaction
from serment.store.failure import translate
from serment.store.transaction import SqliteTransaction

T = TypeVar("T")

GROUP: Final = 256
"""Jobs in one commit at most: bounds what one failed commit undoes."""

GROUP_SECONDS: Final = 0.02
"""A group takes no further job after this long: a trace does not wait behind a whole import."""


class _UndoneError(Exception):
    """SQLite undid the whole transaction under a job: nothing of the group stands."""


class Queued:
    """One job, the future that waits for it, and how it went inside the transaction."""

    __slots__ = ("_error", "_value", "future", "job")

    def __init__(self, job: Callable[[Transaction], Any]) -> None:
        self.job = job
        self.future: Future[Any] = Future()
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self, connection: apsw.Connection) -> None:
        """Run the job under a savepoint. Raises when the group is lost."""
        connection.execute("SAVEPOINT job")
        transaction = SqliteTransaction(connection)
        self._value = self._error = None
        try:
            self._value = self.job(transaction)
        except BaseException as error:
            self._error = error
        finally:
            transaction.close()
        if transaction.met_full:
            # SQLite may have undone the whole transaction; a job that catches the error cannot hide it.
            raise StorageFullError("store.full", code="SQLITE_FULL")
        if not connection.in_transaction:
            raise _UndoneError
        if self._error is not None:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")

    def settle(self) -> None:
        """Tell the future how the job went; call after the commit only."""
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._value)
        self._value = self._error = None


Item = Queued | Callable[[apsw.Connection], None] | None
"""What waits for the thread: a job, work between two groups, or the end."""


class Writer:
    """The writer thread on its own connection. `make_room` frees some reserve and says whether it did."""

    def __init__(
        self,
        connection: apsw.Connection,
        make_room: Callable[[], bool],
        after_commit: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._make_room = make_room
        self._after_commit = after_commit
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._held: list[Item] = []
        self._lock = Lock()
        self._closed = False
        self._room_was_made = False
        self._thread = Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Queue a job; after `close` its future fails at once with `DependencyError`."""
        queued = Queued(job)
        self._put(queued, queued.future)
        return queued.future

    def between(self, work: Callable[[apsw.Connection], T]) -> Future[T]:
        """Run `work` on the writer's connection between two groups, outside any transaction."""
        future: Future[T] = Future()

        def run(connection: apsw.Connection) -> None:
            try:
                future.set_result(work(connection))
            except apsw.Error as error:
                future.set_exception(translate(error, connection.system_errno))
            except BaseException as error:
                future.set_exception(error)

        self._put(run, future)
        return future

    def close(self) -> None:
        """Finish what is queued, end the thread, close the connection. A second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._connection.close(True)

    def _put(self, item: Item, future: Future[Any]) -> None:
        with self._lock:
            if not self._closed:
                self._queue.put(item)
                return
        future.set_exception(DependencyError("store.closed"))

    def _serve(self) -> None:
        while (item := self._held.pop() if self._held else self._queue.get()) is not None:
            if not isinstance(item, Queued):
                item(self._connection)
            elif item.future.set_running_or_notify_cancel():
                self._serve_group([item])

    def _serve_group(self, group: list[Queued]) -> None:
        """Commit a group that starts with one job; the thread outlives whatever goes wrong."""
        try:
            self._commit(group, joining=True)
        except Exception as error:
            self._undo()
            for queued in group:
                if not queued.future.done():
                    queued.future.set_exception(_told(error))

    def _joins(self) -> Queued | None:
        """Give the next job if one waits; anything else that waits ends the group."""
        while not self._held:
            try:
                item = self._queue.get_nowait()
            except Empty:
                return None
            if not isinstance(item, Queued):
                self._held.append(item)
            elif item.future.set_running_or_notify_cancel():
                return item
        return None

    def _commit(self, group: list[Queued], *, joining: bool = False) -> None:
        failure = self._attempt(group, joining=joining)
        if isinstance(failure, StorageFullError) and self._relieve():
            failure = self._attempt(group)
        if failure is None:
            return
        if len(group) > 1 and isinstance(failure, StorageFullError | _UndoneError):
            for queued in group:
                self._commit([queued])
            return
        for queued in group:
            queued.future.set_exception(_told(failure))

    def _attempt(self, group: list[Queued], *, joining: bool = False) -> Exception | None:
        """Run the group in one transaction and settle it; give what failed when nothing of it stands."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._run(group, joining=joining)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            failure: Exception = translate(error, self._connection.system_errno)
        except Exception as error:
            failure = error
        else:
            self._room_was_made = False
            for queued in group:
                queued.settle()
            self._after_commit()
            return None
        self._undo()
        return failure

    def _run(self, group: list[Queued], *, joining: bool) -> None:
        end = monotonic() + GROUP_SECONDS
        for queued in group:
            queued.run(self._connection)
        while joining and len(group) < GROUP and monotonic() < end and (next_one := self._joins()):
            group.append(next_one)
            next_one.run(self._connection)

    def _undo(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error:
            # SQLite has undone it by itself, or will when the next BEGIN finds the file as it was.
            return

    def _relieve(self) -> bool:
        # One step of the reserve for each commit that then succeeds: a write too large for the disk
        # must not eat the reserve that traces live on.
        if self._room_was_made:
            return False
        self._room_was_made = self._make_room()
        if self._room_was_made:
            # With room for the WAL to be copied into the file, the next commits write over it again.
            checkpoint(self._connection)
        return self._room_was_made


def _told(failure: Exception) -> SermentError:
    """Give each future an error of its own: one raised in two threads would mix their traces."""
    if isinstance(failure, SermentError):
        return type(failure)(failure.sentence, **failure.parameters)
    return DependencyError("store.failed", code="UNDONE")
