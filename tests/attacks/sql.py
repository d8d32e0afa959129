"""The hands of somebody with write access to the database file: rows read, changed and put back by SQL.

And the two questions that every attack is asked: was anything wrong served, and was it found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from serment import app
from serment.errors import IntegrityError, NotFoundError
from serment.model import RecordToken
from tests.installation import Installation, run

Row = tuple[Any, ...]


class Thief:
    """One connection to the file of a running installation."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.file: Path = made.settings.directory / app.STORE_FILE
        self._db = apsw.Connection(str(self.file))
        self._db.set_busy_timeout(10_000)
        self._db.execute("PRAGMA synchronous = OFF")

    def rows(self, statement: str, *values: bytes | int | str) -> list[Row]:
        return list(self._db.execute(statement, values))

    def record(self, role: str = "patient") -> RecordToken:
        """Tell which record token is a patient's (the thief is lucky: it stands nowhere in clear)."""
        passage = self.made.house.passage
        with passage.store.snapshot() as snapshot:
            return passage.resolve(snapshot, f"Patient/{self.made.record(role)}")[0].record

    def saved(self, table: str, where: str = "1", *values: bytes | int | str) -> list[Row]:
        return self.rows(f"SELECT * FROM {table} WHERE {where}", *values)  # noqa: S608 - tables of this file

    def put(self, table: str, rows: list[Row]) -> None:
        """Put rows back as they were."""
        for row in rows:
            blanks = ",".join("?" * len(row))
            self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({blanks})", row)  # noqa: S608

    @contextmanager
    def changed(self, table: str, statement: str, *values: bytes | int | str) -> Iterator[None]:
        """Run one statement on one table, and put the rows that it touched back at the end."""
        before = set(self.saved(table))
        self._db.execute(statement, values)
        after = set(self.saved(table))
        try:
            yield
        finally:
            self._db.execute("BEGIN IMMEDIATE")
            for row in after - before:
                self._forget(table, row)
            self.put(table, list(before - after))
            self._db.execute("COMMIT")

    def _forget(self, table: str, row: Row) -> None:
        columns = [name for _, name, *_ in self.rows(f"PRAGMA table_info({table})")]
        where = " AND ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"DELETE FROM {table} WHERE {where}", row)  # noqa: S608

    def close(self) -> None:
        self._db.close()


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


def items(made: Installation, role: str = "patient") -> list[str]:
    """Give every item of a patient as `Type/id`."""
    patient = made.patient(role)
    return [made.store.items[entry["fullUrl"]] for entry in patient.bundle["entry"]]


def read_all(made: Installation, role: str = "patient") -> dict[str, bytes | str]:
    """Read every item of a patient as the holder: bytes, or the name of what was raised."""
    served: dict[str, bytes | str] = {}
    for item in items(made, role):
        type_, _, id_ = item.partition("/")
        try:
            served[item] = run(made.house.reading.read(made.as_patient(role), type_, id_)).body
        except (IntegrityError, NotFoundError) as error:
            served[item] = type(error).__name__
    return served


def found(made: Installation) -> bool:
    """Say whether the unlocked verification finds something."""
    try:
        return not made.house.proving.examine().ok
    except IntegrityError:
        return True


def stopped(made: Installation, before: dict[str, bytes | str], role: str = "patient") -> bool:
    """Assert that nothing wrong is served; say whether a reading refused what is not what was written."""
    served = read_all(made, role)
    wrong = [item for item, body in served.items() if isinstance(body, bytes) and body != before[item]]
    assert wrong == []
    return any(body in {"IntegrityError", "LedgerError"} for body in served.values())
