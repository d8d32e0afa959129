"""The one thread of a process that writes, with group commit.

Jobs wait in a queue. The thread begins one transaction, runs each job that waits under a savepoint of
its own (256 of them, or 20 ms, at most), commits once, and only then settles the futures. A job that
raises undoes only itself. When the commit fails, every future of the group fails.

What the database does stands behind `Hand`, one for each engine. When a group failed in a way that its
hand can mend once (room made on a full disk, a new connection), it runs again; when it fails for want of
room even so, each job runs alone, so that one too large does not stop the others. Hence a job may run
more than once: all it does must be in the transaction.

Nothing here sleeps, and no job waits for company: a group is what queued up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeVar

from serment.errors import DependencyError, SermentError, StorageFullError
from serment.store.contract import Transaction

T = TypeVar("T")
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)

GROUP: Final = 256
"""Jobs in one commit at most: bounds what one failed commit undoes."""

GROUP_SECONDS: Final = 0.02
"""A group takes no further job after this long: a trace does not wait behind a whole import."""

Job = Callable[[Transaction], Any]
Went = tuple[Any, BaseException | None]
"""How a job went inside the transaction: what it gave, or what it raised."""


class UndoneError(Exception):
    """The engine undid the whole transaction under a job: nothing of the group stands."""


class Hand(Protocol[C_co]):
    """What the writer does to one engine, on a connection that it alone uses.

    `begin` opens the transaction that keeps every other writer out; `run` does one job under a savepoint,
    and raises when the group is lost; `undo` never raises; `committed` comes once the futures are settled.
    `mend` says whether a group that failed so may be tried once more. `meaning` gives the house's error.
    """

    @property
    def connection(self) -> C_co: ...
    def begin(self) -> None: ...
    def run(self, job: Job) -> Went: ...
    def commit(self) -> None: ...
    def committed(self) -> None: ...
    def undo(self) -> None: ...
    def mend(self, failure: Exception) -> bool: ...
    def meaning(self, error: Exception) -> Exception: ...
    def close(self) -> None: ...


class Queued:
    """One job, the future that waits for it, and how it went inside the transaction."""

    __slots__ = ("_went", "future", "job")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.future: Future[Any] = Future()
        self._went: Went = (None, None)

    def run(self, hand: Hand[Any]) -> None:
        """Run the job under a savepoint. Raises when the group is lost."""
        self._went = (None, None)
        self._went = hand.run(self.job)

    def settle(self) -> None:
        """Tell the future how the job went; call after the commit only."""
        (value, error), self._went = self._went, (None, None)
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


class Writer(Generic[C]):
    """The writer thread, with the hand of one engine."""

    def __init__(self, hand: Hand[C]) -> None:
        self._hand = hand
        self._queue: SimpleQueue[Queued | Callable[[C], None] | None] = SimpleQueue()
        self._held: list[Queued | Callable[[C], None] | None] = []
        self._lock = Lock()
        self._closed = False
        self._thread = Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Transaction], T]) -> Future[T]:
        """Queue a job; after `close` its future fails at once with `DependencyError`."""
        queued = Queued(job)
        self._put(queued, queued.future)
        return queued.future

    def between(self, work: Callable[[C], T]) -> Future[T]:
        """Run `work` on the writer's connection between two groups, outside any transaction."""
        future: Future[T] = Future()

        def run(connection: C) -> None:
            try:
                future.set_result(work(connection))
            except Exception as error:
                future.set_exception(self._hand.meaning(error))
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
        self._hand.close()

    def _put(self, item: Queued | Callable[[C], None], future: Future[Any]) -> None:
        with self._lock:
            if not self._closed:
                self._queue.put(item)
                return
        future.set_exception(DependencyError("store.closed"))

    def _serve(self) -> None:
        while (item := self._held.pop() if self._held else self._queue.get()) is not None:
            if not isinstance(item, Queued):
                item(self._hand.connection)
            elif item.future.set_running_or_notify_cancel():
                self._serve_group([item])

    def _serve_group(self, group: list[Queued]) -> None:
        """Commit a group that starts with one job; the thread outlives whatever goes wrong."""
        try:
            self._commit(group, joining=True)
        except Exception as error:
            self._hand.undo()
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
        if failure is not None and self._hand.mend(failure):
            failure = self._attempt(group)
        if failure is None:
            return
        if len(group) > 1 and isinstance(failure, StorageFullError | UndoneError):
            for queued in group:
                self._commit([queued])
            return
        for queued in group:
            queued.future.set_exception(_told(failure))

    def _attempt(self, group: list[Queued], *, joining: bool = False) -> Exception | None:
        """Run the group in one transaction and settle it; give what failed when nothing of it stands."""
        try:
            self._hand.begin()
            self._run(group, joining=joining)
            self._hand.commit()
        except Exception as error:
            failure = self._hand.meaning(error)
            self._hand.undo()
            return failure
        for queued in group:
            queued.settle()
        self._hand.committed()
        return None

    def _run(self, group: list[Queued], *, joining: bool) -> None:
        end = monotonic() + GROUP_SECONDS
        for queued in group:
            queued.run(self._hand)
        while joining and len(group) < GROUP and monotonic() < end and (next_one := self._joins()):
            group.append(next_one)
            next_one.run(self._hand)


def _told(failure: Exception) -> SermentError:
    """Give each future an error of its own: one raised in two threads would mix their traces."""
    if isinstance(failure, SermentError):
        return type(failure)(failure.sentence, **failure.parameters)
    return DependencyError("store.failed", code="UNDONE")
