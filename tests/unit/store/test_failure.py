"""Each error of SQLite has one meaning in the house, and none of its words travel."""

from __future__ import annotations

import errno

import apsw
import pytest

from serment.errors import (
    ConflictError,
    DependencyError,
    IntegrityError,
    SermentError,
    SettingsError,
    StorageFullError,
    TooLargeError,
)
from serment.store.failure import translate
from serment.words import Language

MEANING = [
    (apsw.SQLITE_FULL, StorageFullError),
    (apsw.SQLITE_CORRUPT, IntegrityError),
    (apsw.SQLITE_CORRUPT_INDEX, IntegrityError),
    (apsw.SQLITE_NOTADB, IntegrityError),
    (apsw.SQLITE_ERROR, IntegrityError),
    (apsw.SQLITE_CONSTRAINT_PRIMARYKEY, ConflictError),
    (apsw.SQLITE_BUSY, DependencyError),
    (apsw.SQLITE_BUSY_RECOVERY, DependencyError),
    (apsw.SQLITE_LOCKED, DependencyError),
    (apsw.SQLITE_CANTOPEN, SettingsError),
    (apsw.SQLITE_READONLY, SettingsError),
    (apsw.SQLITE_PERM, SettingsError),
    (apsw.SQLITE_TOOBIG, TooLargeError),
    (apsw.SQLITE_NOMEM, DependencyError),
    (apsw.SQLITE_IOERR_READ, DependencyError),
    (apsw.SQLITE_IOERR_FSYNC, DependencyError),
    (apsw.SQLITE_IOERR_SHMSIZE, StorageFullError),
]


def raised(code: int) -> apsw.Error:
    error = apsw.exception_for(code)
    assert isinstance(error, apsw.Error)
    return error


@pytest.mark.parametrize(("code", "meaning"), MEANING)
def test_a_code_has_its_meaning_and_a_sentence_in_both_languages(
    code: int, meaning: type[SermentError]
) -> None:
    error = translate(raised(code))
    assert type(error) is meaning
    assert error.said(Language.FR) != error.said(Language.EN)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_write_that_found_no_room_is_a_full_disk_whatever_sqlite_calls_it(number: int) -> None:
    assert isinstance(translate(raised(apsw.SQLITE_IOERR_WRITE), number), StorageFullError)


def test_the_words_of_the_engine_do_not_travel() -> None:
    error = translate(apsw.ConstraintError("UNIQUE constraint failed: person.token = 'Martin'"))
    assert "Martin" not in repr(error) + str(error) + error.said(Language.FR)
