"""What the writer thread does to SQLite: `BEGIN IMMEDIATE`, a savepoint for each job, one commit.

When the disk is full, one step of the reserve is given back and the group may run once more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw

from serment.errors import StorageFullError
from serment.store.connection import BUSY_MS, checkpoint
from serment.store.failure import translate
from serment.store.transaction import SqliteTransaction
from serment.store.turnstile import Turnstile, patient
from serment.store.writer import Job, UndoneError, Went


class SqliteHand:
    """The writer's own connection. `make_room` frees some reserve and says whether it did."""

    def __init__(
        self,
        connection: apsw.Connection,
        turnstile: Turnstile,
        make_room: Callable[[], bool],
        after_commit: Callable[[], None],
    ) -> None:
        self.connection = connection
        connection.set_busy_handler(patient(BUSY_MS))
        self._turnstile = turnstile
        self._make_room = make_room
        self._after_commit = after_commit
        self._room_was_made = False

    def begin(self) -> None:
        """Take the write lock of the file, when it is this process's turn."""
        with self._turnstile.passing():
            self.connection.execute("BEGIN IMMEDIATE")

    def run(self, job: Job) -> Went:
        """Run one job under a savepoint. Raises when the group is lost."""
        self.connection.execute("SAVEPOINT job")
        transaction = SqliteTransaction(self.connection)
        value: Any = None
        failed: BaseException | None = None
        try:
            value = job(transaction)
        except BaseException as error:
            failed = error
        finally:
            transaction.close()
        if transaction.met_full:
            # SQLite may have undone the whole transaction; a job that catches the error cannot hide it.
            raise StorageFullError("store.full", code="SQLITE_FULL")
        if not self.connection.in_transaction:
            raise UndoneError
        if failed is not None:
            self.connection.execute("ROLLBACK TO job")
        self.connection.execute("RELEASE job")
        return value, failed

    def commit(self) -> None:
        """Make the group durable."""
        self.connection.execute("COMMIT")
        self._room_was_made = False

    def committed(self) -> None:
        """Take the reserve back when there is room again."""
        self._after_commit()

    def undo(self) -> None:
        """Undo the group."""
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except apsw.Error:
            # SQLite has undone it by itself, or will when the next BEGIN finds the file as it was.
            return

    def mend(self, failure: Exception) -> bool:
        """Make room for a group that met a full disk."""
        # One step of the reserve for each commit that then succeeds: a write too large for the disk
        # must not eat the reserve that traces live on.
        if not isinstance(failure, StorageFullError) or self._room_was_made:
            return False
        self._room_was_made = self._make_room()
        if self._room_was_made:
            # With room for the WAL to be copied into the file, the next commits write over it again.
            checkpoint(self.connection)
        return self._room_was_made

    def meaning(self, error: Exception) -> Exception:
        """Give the error of the house."""
        return translate(error, self.connection.system_errno) if isinstance(error, apsw.Error) else error

    def close(self) -> None:
        """Close the connection."""
        self.connection.close(True)
        self._turnstile.close()
