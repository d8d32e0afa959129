"""What an error of SQLite means to the house.

One function, `translate`: an `apsw.Error` in, an error of our tree out. The message names SQLite's
code only; no statement, value or path goes with it.
"""

from __future__ import annotations

import errno

import apsw

from serment.errors import (
    ConflictError,
    DependencyError,
    IntegrityError,
    SermentError,
    SettingsError,
    StorageFullError,
    TooLargeError,
)

# What a write meets when there is no room: the disk, the quota, the limit on the size of a file.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# Growing the shared memory file of the WAL fails so on a full disk, without an errno of its own.
_NO_ROOM_CODES = {apsw.SQLITE_IOERR_SHMSIZE, apsw.SQLITE_IOERR_SHMMAP}

_MEANING: dict[type[apsw.Error], tuple[type[SermentError], str]] = {
    apsw.FullError: (StorageFullError, "store.full"),
    apsw.CorruptError: (IntegrityError, "store.corrupt"),
    apsw.NotADBError: (IntegrityError, "store.not-a-database"),
    apsw.ConstraintError: (ConflictError, "store.already-there"),
    apsw.BusyError: (DependencyError, "store.busy"),
    apsw.LockedError: (DependencyError, "store.busy"),
    apsw.CantOpenError: (SettingsError, "store.cannot-open"),
    apsw.ReadOnlyError: (SettingsError, "store.read-only"),
    apsw.PermissionsError: (SettingsError, "store.read-only"),
    apsw.TooBigError: (TooLargeError, "store.too-large"),
    apsw.SQLError: (IntegrityError, "store.schema-damaged"),
}


def translate(error: apsw.Error, system_errno: int = 0) -> SermentError:
    """Give the house's error for `error`; `system_errno` is the connection's last one, if known."""
    code = getattr(error, "extendedresult", -1)
    if isinstance(error, apsw.IOError) and (code in _NO_ROOM_CODES or system_errno in NO_ROOM):
        return StorageFullError("store.full", code=_name(code))
    for kind, (meaning, sentence) in _MEANING.items():
        if isinstance(error, kind):
            return meaning(sentence, code=_name(code))
    return DependencyError("store.failed", code=_name(code))


def _name(code: int) -> str:
    return str(apsw.mapping_extended_result_codes.get(code) or apsw.mapping_result_codes.get(code, "SQLITE"))
