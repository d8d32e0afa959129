"""What somebody with write access to the database file can do: change, move and delete rows by SQL.

Each act is a context manager that puts the row back at the end, so that one thief leaves nothing to
the next. The file may be open in a running server: SQLite orders the writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from serment.model import RecordToken


def _run(file: Path, statement: str, *values: bytes | int) -> list[tuple[bytes | int, ...]]:
    connection = apsw.Connection(str(file))
    try:
        connection.set_busy_timeout(10_000)
        return list(connection.execute(statement, values))
    finally:
        connection.close()


def flipped(row: bytes, place: int = -20) -> bytes:
    """Give the bytes with one bit changed."""
    changed = bytearray(row)
    changed[place % len(changed)] ^= 1
    return bytes(changed)


def bodies_of(file: Path, record: RecordToken) -> list[int]:
    """List the row numbers of the bodies of one record: a thief sees them in clear."""
    return [
        int(row[0]) for row in _run(file, "SELECT number FROM body WHERE record = ? ORDER BY number", record)
    ]


def records(file: Path) -> list[RecordToken]:
    """List the record tokens: a thief sees them in clear."""
    return [RecordToken(bytes(row[0])) for row in _run(file, "SELECT record FROM record ORDER BY rowid")]


def entries(file: Path) -> int:
    """Count the rows of the ledger."""
    return int(_run(file, "SELECT max(sequence) FROM entry")[0][0])


@contextmanager
def rewritten_entry(file: Path, sequence: int) -> Iterator[None]:
    """Change one bit in one row of the ledger."""
    body = bytes(_run(file, "SELECT body FROM entry WHERE sequence = ?", sequence)[0][0])
    _run(file, "UPDATE entry SET body = ? WHERE sequence = ?", flipped(body), sequence)
    try:
        yield
    finally:
        _run(file, "UPDATE entry SET body = ? WHERE sequence = ?", body, sequence)


@contextmanager
def recommitted_entry(file: Path, sequence: int) -> Iterator[None]:
    """Put another commitment in one row of the ledger, as somebody who forges an entry would."""
    kept = bytes(_run(file, "SELECT commitment FROM entry WHERE sequence = ?", sequence)[0][0])
    _run(file, "UPDATE entry SET commitment = ? WHERE sequence = ?", flipped(kept), sequence)
    try:
        yield
    finally:
        _run(file, "UPDATE entry SET commitment = ? WHERE sequence = ?", kept, sequence)


@contextmanager
def moved_body(file: Path, mine: int, theirs: int) -> Iterator[None]:
    """Put the sealed body of one patient in the place of another patient's."""
    before = bytes(_run(file, "SELECT sealed FROM body WHERE number = ?", mine)[0][0])
    stolen = bytes(_run(file, "SELECT sealed FROM body WHERE number = ?", theirs)[0][0])
    _run(file, "UPDATE body SET sealed = ? WHERE number = ?", stolen, mine)
    try:
        yield
    finally:
        _run(file, "UPDATE body SET sealed = ? WHERE number = ?", before, mine)


@contextmanager
def deleted_body(file: Path, number: int) -> Iterator[None]:
    """Delete one row of a record."""
    record, sealed = _run(file, "SELECT record, sealed FROM body WHERE number = ?", number)[0]
    _run(file, "DELETE FROM body WHERE number = ?", number)
    try:
        yield
    finally:
        _run(file, "INSERT INTO body (number, record, sealed) VALUES (?, ?, ?)", number, record, sealed)


@contextmanager
def replaced_facts(file: Path, record: RecordToken, other: RecordToken) -> Iterator[None]:
    """Give a record the facts (team, consents, masks) of another one, where the thief may read."""
    before = _run(file, "SELECT facts FROM record WHERE record = ?", record)[0][0]
    wanted = _run(file, "SELECT facts FROM record WHERE record = ?", other)[0][0]
    _run(file, "UPDATE record SET facts = ? WHERE record = ?", wanted, record)
    try:
        yield
    finally:
        _run(file, "UPDATE record SET facts = ? WHERE record = ?", before, record)


@contextmanager
def moved_epoch(file: Path, record: RecordToken) -> Iterator[None]:
    """Change the one fact that stands in clear: the epoch of a record."""
    _run(file, "UPDATE record SET epoch = epoch + 1 WHERE record = ?", record)
    try:
        yield
    finally:
        _run(file, "UPDATE record SET epoch = epoch - 1 WHERE record = ?", record)
