"""Traces of accesses on their way to the ledger: those that wait together take their places together.

Many requests are in flight on one event loop. What each would pay for a job of its own (a savepoint, a
future in another thread, a call back across threads) is paid once for all that came before the writer
began: group commit, one level up. A group that does not stand is undone, and each of its acts then goes
the long way alone (`trace.durable`), so that nobody's trouble is another's.

Order: one act, one group, the collector. Nothing is decided here, and no answer leaves before its
future is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from serment.ledger.append import Ledger, Pending
from serment.model import Receipt
from serment.store.contract import EntryRow, Store, Transaction

Alone = Callable[[Sequence[Pending]], Future[list[Receipt]]]
"""The long way of one act: the ledger, else the spool, else owed."""

MOST = 256
"""Acts in one group, at most: what is undone when one of them cannot be placed."""


@dataclass(frozen=True, slots=True)
class _Act:
    """The entries of one access, and who waits for their receipts."""

    entries: Sequence[Pending]
    future: asyncio.Future[list[Receipt]]


@dataclass(slots=True)
class _Group:
    """Acts of one event loop that go in one job."""

    loop: asyncio.AbstractEventLoop
    acts: list[_Act] = field(default_factory=list)

    def entries(self) -> list[Pending]:
        """Give the entries of all acts in the order in which they came."""
        return [pending for act in self.acts for pending in act.entries]


class Traces:
    """The collector of one passage. Called from event loops; answers on the loop that asked."""

    def __init__(self, store: Store, ledger: Ledger[EntryRow]) -> None:
        self._store = store
        self._ledger = ledger
        self._open: _Group | None = None
        self._lock = Lock()

    def place(self, entries: Sequence[Pending], alone: Alone) -> asyncio.Future[list[Receipt]]:
        """Give the entries of one act their places; done once durable, or with what `alone` says."""
        loop = asyncio.get_running_loop()
        act = _Act(entries, loop.create_future())
        with self._lock:
            group = self._open
            if group is not None and group.loop is loop and len(group.acts) < MOST:
                group.acts.append(act)
                return act.future
            self._open = group = _Group(loop, [act])
        # At the end of this turn of the loop: what else is ready to be traced comes along.
        loop.call_soon(self._send, group, alone)
        return act.future

    def _send(self, group: _Group, alone: Alone) -> None:
        def tell(stored: Future[list[Receipt]]) -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits there any more
                group.loop.call_soon_threadsafe(_settle, group, stored, alone)

        self._store.submit(lambda txn: self._place(txn, group)).add_done_callback(tell)

    def _place(self, txn: Transaction, group: _Group) -> list[Receipt]:
        """Run in the writer thread, perhaps more than once: from the first time on nobody joins."""
        with self._lock:
            if self._open is group:
                self._open = None
        return self._ledger.append(txn, group.entries())


def _settle(group: _Group, stored: Future[list[Receipt]], alone: Alone) -> None:
    """Tell each act what became of it. A group that failed is tried act by act."""
    if stored.exception() is not None:
        for act in group.acts:
            _hand_over(act, alone(act.entries))
        return
    receipts = iter(stored.result())
    for act in group.acts:
        given = [next(receipts) for _ in act.entries]
        if not act.future.done():
            act.future.set_result(given)


def _hand_over(act: _Act, kept: Future[list[Receipt]]) -> None:
    wrapped = asyncio.wrap_future(kept)
    wrapped.add_done_callback(lambda done: _copy(done, act.future))


def _copy(done: asyncio.Future[list[Receipt]], waiting: asyncio.Future[list[Receipt]]) -> None:
    error = done.exception()
    if waiting.done():
        return
    if error is None:
        waiting.set_result(done.result())
    else:
        waiting.set_exception(error)
