"""What an error of PostgreSQL means to the house.

`meaning` takes the five letters of an SQLSTATE (PostgreSQL manual, appendix A) and gives an error of our
tree; `lost` is for a connection that is gone or silent. The message names the code only: no statement,
value, host or user goes with it.
"""

from __future__ import annotations

from typing import Final

from serment.errors import (
    ConflictError,
    DependencyError,
    IntegrityError,
    SermentError,
    SettingsError,
    StorageFullError,
    TooLargeError,
)

LOST: Final = "store.pg-lost"
"""Sentence of a connection that ended in the middle: what was not committed does not stand."""

UNKNOWN: Final = "store.pg-unknown"
"""Sentence of a connection that ended in the middle of a commit, when nobody answers what became of it."""

Meaning = tuple[type[SermentError], str]

_CODES: dict[str, Meaning] = {
    "53100": (StorageFullError, "store.full"),
    "23505": (ConflictError, "store.already-there"),
    "23000": (IntegrityError, "store.row-missing"),
    "42501": (SettingsError, "store.pg-role"),
    "25006": (SettingsError, "store.pg-read-only"),
    "54000": (TooLargeError, "store.too-large"),
}
_CLASSES: dict[str, Meaning] = {
    "08": (DependencyError, LOST),
    "XX": (IntegrityError, "store.corrupt"),
    "42": (IntegrityError, "store.schema-damaged"),
    "3F": (IntegrityError, "store.schema-damaged"),
    "23": (ConflictError, "store.already-there"),
    "40": (DependencyError, "store.busy"),
    "55": (DependencyError, "store.busy"),
    "53": (DependencyError, "store.busy"),
}
# 57014 is a statement that took too long; the rest of class 57 is a server that goes away.
_CODES["57014"] = (DependencyError, "store.busy")
_CLASSES["57"] = (DependencyError, LOST)


def meaning(code: str) -> SermentError:
    """Give the house's error for an SQLSTATE; one that nobody listed is a store that failed."""
    kind, sentence = _CODES.get(code) or _CLASSES.get(code[:2]) or (DependencyError, "store.failed")
    return kind(sentence, code=code)


def lost(code: str = "GONE") -> DependencyError:
    """Give the error of a connection that is gone (`GONE`) or does not answer in time (`SILENT`)."""
    return DependencyError(LOST, code=code)


def is_lost(error: BaseException) -> bool:
    """Say whether an error means that the connection ended before the commit was asked."""
    return isinstance(error, DependencyError) and error.sentence == LOST
