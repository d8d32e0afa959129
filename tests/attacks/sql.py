"""The hands of somebody with write access to the database: rows read, changed and put back by SQL.

And the two questions that every attack is asked: was anything wrong served, and was it found.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apsw
from psycopg import connect

from serment import app
from serment.errors import IntegrityError, NotFoundError
from serment.model import RecordToken
from tests.installation import Installation, run
from tests.stores.server import server

Row = tuple[Any, ...]


class _Sqlite:
    """A second connection to the file."""

    def __init__(self, file: Path) -> None:
        self._db = apsw.Connection(str(file))
        self._db.set_busy_timeout(10_000)
        self._db.execute("PRAGMA synchronous = OFF")

    def run(self, statement: str, values: Row = ()) -> list[Row]:
        return list(self._db.execute(statement, values))

    def tables(self) -> list[str]:
        named = self.run("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return [str(name) for (name,) in named if not name.startswith("sqlite_")]

    def columns(self, table: str) -> list[str]:
        return [str(name) for _, name, *_ in self.run(f"PRAGMA table_info({table})")]

    def restart_numbers(self) -> None:
        self.run("UPDATE counter SET last = 0")

    def put(self, table: str, row: Row) -> None:
        blanks = ",".join("?" * len(row))
        self.run(f"INSERT OR REPLACE INTO {table} VALUES ({blanks})", row)  # noqa: S608 - tables of this file

    @contextmanager
    def at_once(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        yield
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


class _Postgres:
    """The superuser, whom neither grants nor policies nor triggers hold back."""

    _WORDS = """
        CREATE OR REPLACE FUNCTION zeroblob(bytes int) RETURNS bytea LANGUAGE sql
            AS $$ SELECT decode(repeat('00', bytes), 'hex') $$;
        CREATE OR REPLACE FUNCTION randomblob(bytes int) RETURNS bytea LANGUAGE sql
            AS $$ SELECT substr(sha256(random()::text::bytea), 1, bytes) $$;
    """

    def __init__(self, url: str) -> None:
        session = "-csearch_path=serment,public -csession_replication_role=replica"
        self._db = connect(url, autocommit=True, options=session)
        self._db.execute(self._WORDS)

    def run(self, statement: str, values: Row = ()) -> list[Row]:
        cursor = self._db.execute(statement.replace("?", "%s").encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def tables(self) -> list[str]:
        asked = """SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname = 'serment' AND relkind IN ('r', 'p') AND NOT relispartition"""
        return [str(name) for (name,) in self.run(asked)]

    def columns(self, table: str) -> list[str]:
        asked = "SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 ORDER BY attnum"
        return [str(name) for (name,) in self.run(asked, (table,))]

    def restart_numbers(self) -> None:
        for (name,) in self.run("SELECT sequencename FROM pg_sequences WHERE schemaname = 'serment'"):
            self.run(f'ALTER SEQUENCE "{name}" RESTART')

    def put(self, table: str, row: Row) -> None:
        key = self.run(
            "SELECT conkey FROM pg_constraint WHERE conrelid = ?::regclass AND contype = 'p'", (table,)
        )
        columns = self.columns(table)
        places = [place - 1 for place in key[0][0]]
        where = " AND ".join(f'"{columns[place]}" = ?' for place in places)
        self.run(f"DELETE FROM {table} WHERE {where}", tuple(row[place] for place in places))  # noqa: S608 - as above
        self.run(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)  # noqa: S608 - as above

    @contextmanager
    def at_once(self) -> Iterator[None]:
        with self._db.transaction():
            yield

    def close(self) -> None:
        self._db.close()


class Thief:
    """One connection to the database of a running installation, whichever it stands on."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.file: Path = made.settings.directory / app.STORE_FILE
        store = made.settings.store
        self._hands = _Postgres(store) if store else _Sqlite(self.file)

    def rows(self, statement: str, *values: bytes | int | str) -> list[Row]:
        return self._hands.run(statement, values)

    def record(self, role: str = "patient") -> RecordToken:
        """Tell which record token is a patient's (the thief is lucky: it stands nowhere in clear)."""
        passage = self.made.house.passage
        with passage.store.snapshot() as snapshot:
            return passage.resolve(snapshot, f"Patient/{self.made.record(role)}")[0].record

    def saved(self, table: str, where: str = "1 = 1", *values: bytes | int | str) -> list[Row]:
        return self.rows(f"SELECT * FROM {table} WHERE {where}", *values)  # noqa: S608 - tables of this file

    def put(self, table: str, rows: list[Row]) -> None:
        """Put rows back as they were."""
        for row in rows:
            self._hands.put(table, row)

    @contextmanager
    def changed(self, table: str, statement: str, *values: bytes | int | str) -> Iterator[None]:
        """Run one statement on one table, and put the rows that it touched back at the end."""
        before = set(self.saved(table))
        self._hands.run(statement, values)
        after = set(self.saved(table))
        try:
            yield
        finally:
            with self._hands.at_once():
                for row in after - before:
                    self._forget(table, row)
                self.put(table, list(before - after))

    def columns(self, table: str) -> list[str]:
        return self._hands.columns(table)

    def tables(self) -> list[str]:
        """List the tables of the store; those of the engine itself, and the parts of one, are left out."""
        return self._hands.tables()

    def restart_numbers(self) -> None:
        """Put the numbers of new rows back to the first."""
        self._hands.restart_numbers()

    def _forget(self, table: str, row: Row) -> None:
        where = " AND ".join(f'"{name}" = ?' for name in self.columns(table))
        self._hands.run(f"DELETE FROM {table} WHERE {where}", row)  # noqa: S608 - tables of this file

    def close(self) -> None:
        self._hands.close()


def kept(made: Installation) -> Callable[[], None]:
    """Copy the whole closed database, and give what puts the copy in its place, once."""
    name = urlsplit(made.settings.store).path.removeprefix("/")
    file: Path = made.settings.directory / app.STORE_FILE
    copy = file.with_name("kept")
    if name:
        server().run(f'CREATE DATABASE "{name}_kept" TEMPLATE "{name}"')
    else:
        shutil.copy(file, copy)

    def back() -> None:
        if name:
            server().run(f'DROP DATABASE "{name}" WITH (FORCE)')
            server().run(f'ALTER DATABASE "{name}_kept" RENAME TO "{name}"')
            return
        for end in ("-wal", "-shm"):
            Path(f"{file}{end}").unlink(missing_ok=True)
        copy.replace(file)

    return back


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
