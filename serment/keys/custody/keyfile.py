"""The key file: SQLite through APSW, opened by one process at a time. Wrapped bytes in and out, no key.

    meta     name → value in clear: store id, kind, generation, public key
    slots    passphrase slots
    secrets  wraps of the installation's secrets, the signing key, the checkpoint remembered
    records  wraps of content roots, with the hour they were made (for the sweep of orphans)
    trails   wraps of trail keys · years: wraps of ledger keys; both stay when a record is destroyed

A deleted row leaves no byte: `secure_delete` zeroes its cell, and `truncate` empties the WAL that
still holds the page as it was (measured in notes: without both, the key stays readable). What the
disk itself keeps of freed blocks is outside, and said so in `docs/explanation/custody.md`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from serment.errors import CustodyError, IntegrityError, StorageFullError
from serment.keys.custody.passphrase import Cost, SlotWrap

KEY_FILE = "keys.sqlite"
_APPLICATION = 0x53524B31
_FORMAT = 1
_SCHEMA = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE slots(id INTEGER PRIMARY KEY, name TEXT NOT NULL, generation INTEGER NOT NULL,
  passes INTEGER NOT NULL, lanes INTEGER NOT NULL, memory INTEGER NOT NULL, salt BLOB NOT NULL,
  sealed BLOB NOT NULL) STRICT;
CREATE TABLE secrets(name TEXT PRIMARY KEY, generation INTEGER NOT NULL, sealed BLOB NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE records(token BLOB PRIMARY KEY, hour INTEGER NOT NULL, generation INTEGER NOT NULL,
  sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE trails(token BLOB PRIMARY KEY, generation INTEGER NOT NULL, sealed BLOB NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE years(token BLOB NOT NULL, year INTEGER NOT NULL, generation INTEGER NOT NULL,
  sealed BLOB NOT NULL, PRIMARY KEY(token, year)) STRICT, WITHOUT ROWID;
"""

Wrap = tuple[int, bytes]
"""Generation of the root key, and the wrapped bytes."""


class KeyFile:
    """One open key file. Not thread-safe: the vault holds its lock. Raises what `_sentences` says."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.path = path
        with _sentences():
            self._db = apsw.Connection(str(path))
            self._prepare()

    def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        if self._value("PRAGMA secure_delete=ON") != 1:
            raise CustodyError("custody.no-secure-delete")
        if not self._value("SELECT count(*) FROM sqlite_schema"):
            with self.transaction():
                self._db.execute(_SCHEMA)
                self._db.execute(f"PRAGMA application_id={_APPLICATION}")
                self._db.execute(f"PRAGMA user_version={_FORMAT}")
        ours = (self._value("PRAGMA application_id"), self._value("PRAGMA user_version")) == (
            _APPLICATION,
            _FORMAT,
        )
        if not ours or self._db.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
            raise IntegrityError("custody.file-broken")
        # A process killed between a deletion and its truncation left page images in the WAL.
        self.truncate()

    def close(self) -> None:
        """Close the file; the WAL is merged."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside durable all at once, or not at all."""
        with _sentences():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                # A full disk has already rolled back by itself: a second rollback would hide the error.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def truncate(self) -> None:
        """Merge the WAL into the file and empty it, so that no earlier page image stays."""
        with _sentences():
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
        if busy:
            raise CustodyError("custody.broken")

    def _value(self, sql: str, *bindings: str | int | bytes) -> Any:
        with _sentences():
            return self._db.execute(sql, bindings).get

    def _rows(self, sql: str, *bindings: str | int | bytes) -> list[tuple[Any, ...]]:
        with _sentences():
            return self._db.execute(sql, bindings).fetchall()

    def _wrap(self, sql: str, *bindings: str | int | bytes) -> Wrap | None:
        rows = self._rows(sql, *bindings)
        return (rows[0][0], rows[0][1]) if rows else None

    def meta(self, name: str) -> bytes:
        """Give one clear value, or no bytes."""
        return self._value("SELECT value FROM meta WHERE name=?", name) or b""

    def put_meta(self, name: str, value: bytes) -> None:
        """Write one clear value."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (name, value))

    def slots(self) -> list[SlotWrap]:
        """Give the passphrase slots in order of their ids."""
        rows = self._rows(
            "SELECT id, name, generation, passes, lanes, memory, salt, sealed FROM slots ORDER BY id"
        )
        return [SlotWrap(row[0], row[1], row[2], Cost(*row[3:6]), row[6], row[7]) for row in rows]

    def put_slot(self, slot: SlotWrap) -> None:
        """Add one slot."""
        cost = slot.cost
        row = (
            slot.id,
            slot.name,
            slot.generation,
            cost.passes,
            cost.lanes,
            cost.memory,
            slot.salt,
            slot.sealed,
        )
        self._db.execute("INSERT INTO slots VALUES(?,?,?,?,?,?,?,?)", row)

    def drop_slot(self, slot: int) -> None:
        """Remove one slot; `truncate` follows."""
        self._db.execute("DELETE FROM slots WHERE id=?", (slot,))

    def secret(self, name: str) -> Wrap | None:
        """Give the wrap of one installation secret."""
        return self._wrap("SELECT generation, sealed FROM secrets WHERE name=?", name)

    def put_secret(self, name: str, generation: int, sealed: bytes) -> None:
        """Write the wrap of one installation secret."""
        self._db.execute("INSERT OR REPLACE INTO secrets VALUES(?,?,?)", (name, generation, sealed))

    def count(self) -> int:
        """Count the records that have content keys."""
        return int(self._value("SELECT count(*) FROM records"))

    def record(self, token: bytes) -> Wrap | None:
        """Give the wrap of a record's content roots."""
        return self._wrap("SELECT generation, sealed FROM records WHERE token=?", token)

    def put_record(self, token: bytes, hour: int, generation: int, sealed: bytes) -> None:
        """Write the wrap of a record's content roots."""
        self._db.execute("INSERT INTO records VALUES(?,?,?,?)", (token, hour, generation, sealed))

    def drop_record(self, token: bytes) -> None:
        """Delete a record's content roots; `truncate` follows."""
        self._db.execute("DELETE FROM records WHERE token=?", (token,))

    def made_before(self, after: bytes, hour: int, limit: int) -> list[bytes]:
        """Give one page of records made before an hour, in order of token."""
        rows = self._rows(
            "SELECT token FROM records WHERE token>? AND hour<? ORDER BY token LIMIT ?", after, hour, limit
        )
        return [token for (token,) in rows]

    def is_made_before(self, token: bytes, hour: int) -> bool:
        """Say whether a record stands here and was made before an hour."""
        return bool(self._rows("SELECT 1 FROM records WHERE token=? AND hour<?", token, hour))

    def trail(self, token: bytes) -> Wrap | None:
        """Give the wrap of a record's trail key."""
        return self._wrap("SELECT generation, sealed FROM trails WHERE token=?", token)

    def put_trail(self, token: bytes, generation: int, sealed: bytes) -> None:
        """Write the wrap of a record's trail key."""
        self._db.execute("INSERT OR REPLACE INTO trails VALUES(?,?,?)", (token, generation, sealed))

    def year(self, token: bytes, year: int) -> Wrap | None:
        """Give the wrap of one ledger year of a record."""
        return self._wrap("SELECT generation, sealed FROM years WHERE token=? AND year=?", token, year)

    def put_year(self, token: bytes, year: int, generation: int, sealed: bytes) -> None:
        """Write the wrap of one ledger year of a record."""
        self._db.execute("INSERT INTO years VALUES(?,?,?,?)", (token, year, generation, sealed))

    def drop_trace(self, token: bytes) -> None:
        """Delete a record's trail key and years: for a record that was never stored; `truncate` follows."""
        self._db.execute("DELETE FROM trails WHERE token=?", (token,))
        self._db.execute("DELETE FROM years WHERE token=?", (token,))


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except apsw.FullError:
        raise StorageFullError("custody.disk-full") from None
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError):
        # Our statements are fixed: an SQL error means that the schema is not ours any more.
        raise IntegrityError("custody.file-broken") from None
    except apsw.BusyError:
        raise CustodyError("custody.already-running") from None
    except apsw.Error:
        raise CustodyError("custody.broken") from None
