"""One connection to the database file: how it is opened, and what is checked at the start.

`new_file` → `connect` (pragmas) → `check_at_start`. Nothing here reads a row of a patient.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from serment.errors import IntegrityError, SettingsError
from serment.store.failure import translate

APPLICATION_ID: Final = 0x5345_524D
"""`SERM`, at offset 68 of the file (sqlite.org/fileformat2.html section 1.2.4)."""

BUSY_MS: Final = 10_000
"""How long a writer waits for the writer of another process, in milliseconds."""

MAGIC: Final = b"SQLite format 3\x00"

_WAL_LIMIT = 64 * 1024 * 1024

# temp_store keeps every journal of a savepoint out of the temporary folder: no copy of a page leaves
# the data folder. fullfsync asks macOS for the flush that fsync means elsewhere.
_PRAGMAS = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA journal_size_limit = {_WAL_LIMIT};
"""


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give the path of an empty file that only its owner reads, and put it at `path` when all went well.

    So that a crash at `init` leaves no half-made store. Raises `SettingsError` when something is there.
    """
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        yield draft
        os.link(draft, path)
        draft.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        draft.unlink()
        raise SettingsError("store.exists") from None
    except OSError:
        raise SettingsError("store.cannot-open", code="CREATE") from None


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path, *, reader: bool = False) -> apsw.Connection:
    """Open an existing file with the house's pragmas. Raises what `translate` says."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error as error:
        raise translate(error) from None
    try:
        _prepare(connection, reader=reader)
    except apsw.Error as error:
        failure = translate(error, connection.system_errno)
        connection.close(True)
        raise failure from None
    return connection


def _prepare(connection: apsw.Connection, *, reader: bool) -> None:
    connection.set_busy_timeout(BUSY_MS)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    connection.execute(_PRAGMAS).fetchall()
    if reader:
        connection.pragma("query_only", True)


def check_header(path: Path) -> None:
    """Say early and in clear words what a file is that cannot be our database.

    Raises `SettingsError` when there is none or it is another program's, `IntegrityError` when it is cut
    short or not SQLite.
    """
    try:
        if not path.exists():
            raise SettingsError("store.missing")
        header = _first_bytes(path, 100)
    except (OSError, apsw.Error):
        raise SettingsError("store.cannot-open", code="READ") from None
    if len(header) < 100:
        raise IntegrityError("store.cut-short")
    if header[:16] != MAGIC:
        raise IntegrityError("store.not-a-database")
    # Before any connection: opening in WAL mode would already write in somebody else's file.
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise SettingsError("store.foreign")


def _first_bytes(path: Path, amount: int) -> bytes:
    """Read the beginning of a database, by SQLite's own hand.

    A file that this process opens and closes beside SQLite takes SQLite's locks with it (fcntl(2)): the next
    process to leave the database would think itself the last one, and remove the WAL of a running server
    (sqlite.org/howtocorrupt.html section 2.2).
    """
    file = apsw.VFSFile("unix", str(path), [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0])
    try:
        return file.xRead(amount, 0)
    finally:
        file.xClose()


def check_pages(connection: apsw.Connection, path: Path) -> None:
    """Refuse a file that is cut short or whose small tables do not hold together (`IntegrityError`).

    Costs the same whatever the size of the file; `check_whole` reads it all.
    """
    try:
        pages, size = connection.pragma("page_count"), connection.pragma("page_size")
        # Pages that still stand in the WAL only are not missed in the file.
        if checkpoint(connection) and path.stat().st_size < pages * size:
            raise IntegrityError("store.cut-short")
        for table in ("meta", "counter", "migration", "checkpoint"):
            if connection.pragma("quick_check", table) != "ok":
                raise IntegrityError("store.corrupt", code="QUICK_CHECK")
    except apsw.Error as error:
        raise translate(error, connection.system_errno) from None


def checkpoint(connection: apsw.Connection, *, truncate: bool = False) -> bool:
    """Copy the WAL into the file without waiting for anybody; whether all of it is there now.

    `truncate` also empties the WAL, which a reader of an older state prevents. Never on a full disk.
    """
    mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
    connection.set_busy_timeout(0)
    try:
        frames, copied = connection.wal_checkpoint(mode=mode)
    except (apsw.BusyError, apsw.LockedError, apsw.FullError):
        return False
    finally:
        connection.set_busy_timeout(BUSY_MS)
    return frames == copied


def check_whole(connection: apsw.Connection) -> None:
    """Read every page (`integrity_check`). Raises `IntegrityError`; takes minutes on a large file."""
    try:
        if connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
            raise IntegrityError("store.corrupt", code="INTEGRITY_CHECK")
    except apsw.Error as error:
        raise translate(error, connection.system_errno) from None
