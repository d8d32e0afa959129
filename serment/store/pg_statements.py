"""The statements as PostgreSQL is asked: each with a name, its text, the types of its values.

Most are those of `statements.py`, with `$1` where SQLite says `?`. What differs is written here: numbers
come from sequences, a pack is one of its record, long lists come page by page, and nothing joins.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

from serment.store import statements as sql

BYTES, NUMBER, TEXT = 17, 20, 25
"""Object ids of bytea, bigint and text (PostgreSQL's pg_type.dat)."""

_TYPES: Final = {"b": BYTES, "n": NUMBER, "t": TEXT}
_names = count(1)

PAGE: Final = 256
"""Rows of a long list that are fetched at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One prepared statement: `types` are the object ids of its values, in order."""

    name: bytes
    text: bytes
    types: tuple[int, ...]


def _statement(text: str, types: str = "") -> Statement:
    """Make a statement of a text with `?` or `$1`; `types` is a letter for each value: b, n or t."""
    for place in range(1, text.count("?") + 1):
        text = text.replace("?", f"${place}", 1)
    return Statement(b"s%d" % next(_names), text.encode(), tuple(_TYPES[one] for one in types))


BEGIN_READ: Final = _statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
BEGIN_WRITE: Final = _statement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
LOCK_HEAD: Final = _statement(
    'SELECT pg_current_xact_id()::text::bigint FROM ledger_head WHERE "only" = 1 FOR UPDATE'
)
OUTCOME: Final = _statement("SELECT pg_xact_status($1::text::xid8)", "n")
END_SERVER: Final = _statement("SELECT pg_terminate_backend($1::int, 5000)", "n")
"""End the server's process of a connection that was lost, and wait for that, five seconds at most."""
COMMIT: Final = _statement("COMMIT")
ROLLBACK: Final = _statement("ROLLBACK")


@dataclass(frozen=True, slots=True)
class Savepoint:
    """The statements of one savepoint."""

    begin: Statement
    undo: Statement
    release: Statement


# Two names in turn: a release goes with the next job's first statement, and should it fail, undoing that
# job must not undo the one before.
SAVEPOINTS: Final = tuple(
    Savepoint(
        _statement(f"SAVEPOINT {name}"),
        _statement(f"ROLLBACK TO SAVEPOINT {name}"),
        _statement(f"RELEASE SAVEPOINT {name}"),
    )
    for name in ("one", "other")
)

META: Final = _statement(sql.META, "t")
LOCATE: Final = _statement("SELECT record, pack FROM locator WHERE token = ?", "b")
RECORD: Final = _statement(sql.RECORD, "b")
EPOCH: Final = _statement(sql.EPOCH, "b")
PACK: Final = _statement(sql.PACK, "nb")
BODY: Final = _statement(sql.BODY, "nb")
PACKS: Final = _statement(sql.PACKS, "b" + "n" * sql.AT_ONCE)
BODIES: Final = _statement(sql.BODIES, "b" + "n" * sql.AT_ONCE)
CHUNK: Final = _statement(sql.CHUNK, "bn")
CHUNKS: Final = _statement(sql.CHUNKS, "b")
BLOBS: Final = _statement(sql.BLOBS, "b")
UNFINISHED_BLOBS: Final = _statement(sql.UNFINISHED_BLOBS, "n")
PERSONS: Final = _statement(sql.PERSONS, "bn")
PERSONS_OF: Final = _statement(sql.PERSONS_OF, "b")
RECORDS: Final = _statement(sql.RECORDS, "bn")
SESSION: Final = _statement(sql.SESSION, "b")
SESSION_AND_NEWEST: Final = _statement(sql.SESSION_AND_NEWEST, "bb")
SESSIONS: Final = _statement(sql.SESSIONS, "bn")
IMPORTED: Final = _statement(sql.IMPORTED, "b")
QUARANTINED: Final = _statement(sql.QUARANTINED, "nn")

LEDGER_SIZE: Final = _statement(sql.LEDGER_SIZE)
ENTRIES: Final = _statement(f"{sql.ENTRIES} LIMIT {PAGE}", "nn")
ENTRIES_OF: Final = _statement(f"{sql.ENTRIES_OF} LIMIT {PAGE}", "bn")
LAST_OF: Final = _statement(sql.LAST_OF, "b")
CHAIN: Final = _statement(sql.CHAIN, "b")
CHAIN_END: Final = _statement(sql.CHAIN_END, "bb")
CHECKPOINT: Final = _statement(sql.CHECKPOINT)

PUT_META: Final = _statement(sql.PUT_META, "tb")
ADD_RECORD: Final = _statement(sql.ADD_RECORD, "bnbb")
PUT_RECORD: Final = _statement(sql.PUT_RECORD, "nbbb")
AT_A_TIME: Final = 32
"""Numbers that one call of NEXT_PACK or NEXT_BODY takes, as `schema/postgres` says (INCREMENT BY)."""
NEXT_PACK: Final = _statement("SELECT nextval('pack_number')")
NEXT_BODY: Final = _statement("SELECT nextval('body_number')")
NEXT_QUARANTINED: Final = _statement("SELECT nextval('quarantine_number')")
# A number that no sequence gave in this very job may be another record's, in another part of the table.
PUT_PACK: Final = _statement(
    "INSERT INTO pack (number, record, sealed) SELECT $1, $2, $3"
    " WHERE NOT EXISTS (SELECT 1 FROM pack WHERE number = $1 AND record <> $2)"
    " ON CONFLICT (number, record) DO UPDATE SET sealed = excluded.sealed",
    "nbb",
)
ADD_PACK: Final = _statement("INSERT INTO pack (number, record, sealed) VALUES (?, ?, ?)", "nbb")
DROP_PACK: Final = _statement(sql.DROP_PACK, "nb")
PUT_LOCATOR: Final = _statement(sql.PUT_LOCATOR, "bbn")
MOVE_LOCATOR: Final = _statement(sql.MOVE_LOCATOR, "nb")
PUT_BODY: Final = _statement(
    "INSERT INTO body (number, record, sealed) SELECT $1, $2, $3"
    " WHERE NOT EXISTS (SELECT 1 FROM body WHERE number = $1 AND record <> $2)",
    "nbb",
)
ADD_BODY: Final = _statement(sql.PUT_BODY, "nbb")
PUT_CHUNK: Final = _statement(sql.PUT_CHUNK, "bbnb")
DROP_BLOB: Final = _statement(sql.DROP_BLOB, "b")
PUT_PERSON: Final = _statement(sql.PUT_PERSON, "bb")
DROP_PERSONS: Final = _statement(sql.DROP_PERSONS, "b")
PUT_SESSION: Final = _statement(sql.PUT_SESSION, "bb")
DROP_SESSION: Final = _statement(sql.DROP_SESSION, "b")
PUT_IMPORTED: Final = _statement(sql.PUT_IMPORTED, "bn")
ADD_QUARANTINED: Final = _statement(sql.ADD_QUARANTINED, "nb")
DROP_QUARANTINED: Final = _statement(sql.DROP_QUARANTINED, "n")

ADD_ENTRY: Final = _statement(sql.ADD_ENTRY.replace("?", "$"), "nnnbbbb")
PUT_CHAIN: Final = _statement(sql.PUT_CHAIN, "bb")
PUT_CHECKPOINT: Final = _statement(sql.PUT_CHECKPOINT, "nbb")

# What is looked at once, when a store is opened.
STANDS: Final = _statement("SELECT to_regclass('serment.meta') IS NOT NULL")
MIGRATED: Final = _statement("SELECT number, sha256 FROM migration ORDER BY number")
ANSWERS: Final = _statement("SELECT current_setting($1)", "t")
# A sequence that was put back never gives the number of a row that stands.
CATCH_UP: Final = tuple(
    _statement(
        f"SELECT setval('{table}_number', (SELECT max(number) FROM {table}))"  # noqa: S608 - names of this file
        f" WHERE (SELECT max(number) FROM {table})"
        f" >= (SELECT last_value + {given} FROM {table}_number)"
    )
    for table, given in (("pack", AT_A_TIME), ("body", AT_A_TIME), ("quarantine", 1))
)
