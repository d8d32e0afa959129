"""What the writer thread does to PostgreSQL: the head row locked, a savepoint for each job, one commit.

Every write transaction of every process begins by locking the one row of `ledger_head`: writers come one
after the other, as behind SQLite's write lock, so that what a job reads stays true until its commit.

A connection that ends before the commit was asked undid the group: it runs once more on a new one. When
it ends while the commit is under way, the server is asked what became of the transaction, by its
number; only when nobody answers are the futures told that it is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from serment.errors import DependencyError, IntegrityError, SermentError, StorageFullError
from serment.store import pg_statements as sql
from serment.store.pg_failure import UNKNOWN, is_lost, lost
from serment.store.pg_transaction import Numbers, PgTransaction
from serment.store.pg_wire import Wire
from serment.store.writer import Job, UndoneError, Went


class PgHand:
    """The writer's own connection, made anew by `connect` when it was lost.

    `met_full` says whether the last group met a full disk.
    """

    def __init__(self, connect: Callable[[], Wire]) -> None:
        self._connect = connect
        self._wire = connect()
        self._server = self._wire.server
        self._numbers = Numbers()
        self._transaction = self._turn = 0
        self._full_now = False
        self.met_full = False

    @property
    def connection(self) -> Wire:
        """Give the connection, a new one when the last was lost. Raises `DependencyError`.

        The server may not have noticed that the last one is lost: its process there is ended, so that what
        it holds is free and the outcome of its transaction is settled.
        """
        if self._wire.closed:
            wire = self._connect()
            wire.ask(sql.END_SERVER, self._server)
            self._wire, self._server = wire, wire.server
        return self._wire

    def begin(self) -> None:
        """Begin, and wait until no other process writes."""
        wire = self.connection
        self._full_now = False
        wire.begin(sql.BEGIN_WRITE)
        rows = wire.ask(sql.LOCK_HEAD)
        if not rows:
            raise IntegrityError("store.row-missing")
        self._transaction = rows[0][0]

    def run(self, job: Job) -> Went:
        """Run one job under a savepoint. Raises when the group is lost."""
        wire, self._turn = self._wire, self._turn + 1
        savepoint = sql.SAVEPOINTS[self._turn % 2]
        before, mark = wire.sent, wire.kept
        wire.later(savepoint.begin)
        transaction = PgTransaction(wire, self._numbers)
        value: Any = None
        failed: BaseException | None = None
        try:
            value = job(transaction)
            transaction.flush()
        except BaseException as error:
            failed = error
        finally:
            transaction.close()
        self._full_now |= isinstance(transaction.wrong, StorageFullError)
        # A job that catches the error of a statement cannot hide it: the server has given up the job.
        failed = failed or transaction.wrong
        if failed is not None and wire.sent == before:
            wire.drop(mark)
        elif failed is not None:
            self._back(savepoint)
        else:
            wire.later(savepoint.release)
        return value, failed

    def _back(self, savepoint: sql.Savepoint) -> None:
        """Undo one job. Raises when the connection went with it."""
        self._wire.drop()
        if self._wire.closed:
            raise lost()
        self._wire.later(savepoint.undo)
        self._wire.ask(savepoint.release)

    def commit(self) -> None:
        """Make the group durable, or find out whether it is."""
        if not self._wire.in_order:
            raise UndoneError
        try:
            self._wire.ask(sql.COMMIT)
        except DependencyError as error:
            if not is_lost(error):
                raise
            self._find_out()
        self.met_full = self._full_now

    def _find_out(self) -> None:
        """Ask what became of a commit whose answer was lost. Raises `DependencyError` unless it stands."""
        try:
            outcome = self.connection.ask(sql.OUTCOME, self._transaction)[0][0]
        except SermentError:
            raise DependencyError(UNKNOWN) from None
        if outcome == "aborted":
            raise lost()
        if outcome != "committed":
            raise DependencyError(UNKNOWN)

    def committed(self) -> None:
        """Nothing is to be done."""

    def undo(self) -> None:
        """Undo the group: by a word, else by closing the connection."""
        self._wire.drop()
        if self._wire.closed:
            return
        try:
            self._wire.ask(sql.ROLLBACK)
        except SermentError:
            self._wire.close()

    def mend(self, failure: Exception) -> bool:
        """Connect anew after a connection that was lost before the commit."""
        self.met_full |= isinstance(failure, StorageFullError)
        if not is_lost(failure):
            return False
        with suppress(SermentError):
            return not self.connection.closed
        return False

    def meaning(self, error: Exception) -> Exception:
        """Give the error of the house: the wire raises no other."""
        return error

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()
