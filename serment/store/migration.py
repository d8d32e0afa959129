"""The schema's numbered steps: forward only, one transaction each, recorded with their SHA-256.

`steps` lists the files of `schema/`; `migrate` checks what the database has recorded and runs what is
missing. Two processes may start at once: what is recorded is read again under the write lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import apsw

from serment.errors import IntegrityError, SettingsError
from serment.store.connection import APPLICATION_ID
from serment.store.failure import translate

_RECORDED = "SELECT number, sha256 FROM migration ORDER BY number"
_RECORD = "INSERT INTO migration (number, name, sha256) VALUES (?, ?, ?)"
_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    sha256 BLOB NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the schema: `name` is `0001_first`, `number` its first four digits."""

    number: int
    name: str
    script: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.script.encode()).digest()


def steps() -> tuple[Step, ...]:
    """Read the steps that this version of Serment knows, in order."""
    return read_steps(files("serment.store.schema"))


def read_steps(folder: Traversable) -> tuple[Step, ...]:
    """Read the numbered files of a folder, in order."""
    found = [
        Step(int(file.name[:4]), file.name.removesuffix(".sql"), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".sql") and file.name[:4].isdigit()
    ]
    return tuple(sorted(found, key=lambda step: step.number))


def migrate(connection: apsw.Connection, known: Sequence[Step] | None = None) -> None:
    """Bring the database to the newest known step.

    Raises `SettingsError` on a database of a newer Serment, `IntegrityError` on a recorded step that is
    not the one we know, and what `translate` says.
    """
    known = steps() if known is None else known
    try:
        for step in known:
            _run(connection, step, known)
    except apsw.Error as error:
        raise translate(error, connection.system_errno) from None


def _run(connection: apsw.Connection, step: Step, known: Sequence[Step]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_TABLE)
        if step.number not in _recorded(connection, known):
            connection.execute(step.script)
            connection.execute(_RECORD, (step.number, step.name, step.sha256))
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", step.number)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _recorded(connection: apsw.Connection, known: Sequence[Step]) -> set[int]:
    expected = {step.number: step.sha256 for step in known}
    rows: list[Any] = connection.execute(_RECORDED).fetchall()
    recorded: dict[int, bytes] = dict(rows)
    if recorded.keys() - expected.keys():
        raise SettingsError("store.newer", number=max(recorded), known=max(expected, default=0))
    if any(expected[number] != digest for number, digest in recorded.items()):
        raise IntegrityError("store.migration-changed")
    return set(recorded)
