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


def statement(text: str, types: str = "") -> Statement:
    """Make a statement of a text with `?` or `$1`; `types` is a letter for each value: b, n or t."""
    for place in range(1, text.count("?") + 1):
        text = text.replace("?", f"${place}", 1)
    return Statement(b"s%d" % next(_names), text.encode(), tuple(_TYPES[one] for one in types))


BEGIN_READ: Final = statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
BEGIN_WRITE: Final = statement("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
LOCK_HEAD: Final = statement(
    'SELECT pg_current_xact_id()::text::bigint FROM ledger_head WHERE "only" = 1 FOR UPDATE'
)
OUTCOME: Final = statement("SELECT pg_xact_status($1::text::xid8)", "n")
END_SERVER: Final = statement("SELECT pg_terminate_backend($1::int, 5000)", "n")
"""End the server's process of a connection that was lost, and wait for that, five seconds at most."""
REPLAN: Final = statement("DISCARD PLANS")
COMMIT: Final = statement("COMMIT")
ROLLBACK: Final = statement("ROLLBACK")


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
        statement(f"SAVEPOINT {name}"),
        statement(f"ROLLBACK TO SAVEPOINT {name}"),
        statement(f"RELEASE SAVEPOINT {name}"),
    )
    for name in ("one", "other")
)

META: Final = statement(sql.META, "t")
LOCATE: Final = statement("SELECT record, pack FROM locator WHERE token = ?", "b")
LEAD: Final = statement("SELECT record, pack, epoch, head, facts, sealed FROM lead_of(?)", "b")
RECORD: Final = statement(sql.RECORD, "b")
EPOCH: Final = statement(sql.EPOCH, "b")
PACK: Final = statement(sql.PACK, "nb")
BODY: Final = statement(sql.BODY, "nb")
PACKS: Final = statement(sql.PACKS, "b" + "n" * sql.AT_ONCE)
BODIES: Final = statement(sql.BODIES, "b" + "n" * sql.AT_ONCE)
CHUNK: Final = statement(sql.CHUNK, "bn")
CHUNKS: Final = statement(sql.CHUNKS, "b")
BLOBS: Final = statement(sql.BLOBS, "b")
UNFINISHED_BLOBS: Final = statement(sql.UNFINISHED_BLOBS, "n")
PERSONS: Final = statement(sql.PERSONS, "bn")
PERSONS_OF: Final = statement(sql.PERSONS_OF, "b")
RECORDS: Final = statement(sql.RECORDS, "bn")
SESSION: Final = statement(sql.SESSION, "b")
# Not max(): on a ledger that was empty when its plan was made, PostgreSQL counts it all through for ever.
SESSION_AND_NEWEST: Final = statement(
    "SELECT (SELECT sealed FROM session WHERE token = ?),"
    " (SELECT sequence FROM entry WHERE token = ? ORDER BY sequence DESC LIMIT 1)",
    "bb",
)
SESSIONS: Final = statement(sql.SESSIONS, "bn")
RETRY: Final = statement(sql.RETRY, "b")
OLD_RETRIES: Final = statement(sql.OLD_RETRIES, "nn")
IMPORTED: Final = statement(sql.IMPORTED, "b")
QUARANTINED: Final = statement(sql.QUARANTINED, "nn")

LEDGER_SIZE: Final = statement("SELECT sequence FROM entry ORDER BY sequence DESC LIMIT 1")
ENTRIES: Final = statement(f"{sql.ENTRIES} LIMIT {PAGE}", "nn")
ENTRIES_OF: Final = statement(f"{sql.ENTRIES_OF} LIMIT {PAGE}", "bn")
LEDGER_DAYS: Final = statement(sql.LEDGER_DAYS)
ENTRIES_BEFORE: Final = statement(sql.ENTRIES_BEFORE, "bnn")
LAST_OF: Final = statement(sql.LAST_OF, "b")
CHAIN: Final = statement(sql.CHAIN, "b")
CHAIN_END: Final = statement(sql.CHAIN_END, "bb")
CHECKPOINT: Final = statement(sql.CHECKPOINT)

PUT_META: Final = statement(sql.PUT_META, "tb")
ADD_RECORD: Final = statement(sql.ADD_RECORD, "bnbb")
PUT_RECORD: Final = statement(sql.PUT_RECORD, "nbbb")
AT_A_TIME: Final = 32
"""Numbers that one call of NEXT_PACK or NEXT_BODY takes, as `schema/postgres` says (INCREMENT BY)."""
NEXT_PACK: Final = statement("SELECT nextval('pack_number')")
NEXT_BODY: Final = statement("SELECT nextval('body_number')")
NEXT_QUARANTINED: Final = statement("SELECT nextval('quarantine_number')")
# A number that no sequence gave in this very job may be another record's, in another part of the table.
PUT_PACK: Final = statement(
    "INSERT INTO pack (number, record, sealed) SELECT $1, $2, $3"
    " WHERE NOT EXISTS (SELECT 1 FROM pack WHERE number = $1 AND record <> $2)"
    " ON CONFLICT (number, record) DO UPDATE SET sealed = excluded.sealed",
    "nbb",
)
ADD_PACK: Final = statement("INSERT INTO pack (number, record, sealed) VALUES (?, ?, ?)", "nbb")
DROP_PACK: Final = statement(sql.DROP_PACK, "nb")
PUT_LOCATOR: Final = statement(sql.PUT_LOCATOR, "bbn")
MOVE_LOCATOR: Final = statement(sql.MOVE_LOCATOR, "nb")
PUT_BODY: Final = statement(
    "INSERT INTO body (number, record, sealed) SELECT $1, $2, $3"
    " WHERE NOT EXISTS (SELECT 1 FROM body WHERE number = $1 AND record <> $2)",
    "nbb",
)
ADD_BODY: Final = statement(sql.PUT_BODY, "nbb")
COPY_BODY: Final = b"COPY body (number, record, sealed) FROM STDIN (FORMAT binary)"
PUT_CHUNK: Final = statement(sql.PUT_CHUNK, "bbnb")
DROP_BLOB: Final = statement(sql.DROP_BLOB, "b")
PUT_PERSON: Final = statement(sql.PUT_PERSON, "bb")
DROP_PERSONS: Final = statement(sql.DROP_PERSONS, "b")
PUT_SESSION: Final = statement(sql.PUT_SESSION, "bb")
DROP_SESSION: Final = statement(sql.DROP_SESSION, "b")
PUT_RETRY: Final = statement(sql.PUT_RETRY, "bnb")
DROP_RETRY: Final = statement(sql.DROP_RETRY, "b")
PUT_IMPORTED: Final = statement(sql.PUT_IMPORTED, "bn")
ADD_QUARANTINED: Final = statement(sql.ADD_QUARANTINED, "nb")
DROP_QUARANTINED: Final = statement(sql.DROP_QUARANTINED, "n")

ADD_ENTRY: Final = statement(
    "INSERT INTO entry (sequence, kind, hour, commitment, key_id, token, body)"
    " SELECT $1, $2, $3, $4, $5, $6, $7"
    " WHERE $1 = coalesce((SELECT sequence FROM entry ORDER BY sequence DESC LIMIT 1), 0) + 1",
    "nnnbbbb",
)
PUT_CHAIN: Final = statement(sql.PUT_CHAIN, "bb")
PUT_CHECKPOINT: Final = statement(sql.PUT_CHECKPOINT, "nbb")

# What a view on the primary shows of its state, and whether a standby holds it. What a view sees was flushed
# before it could be seen, and is seen on a standby before it counts as replayed there.
PROOF: Final = statement(
    "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint, sequence, commitment FROM entry"
    " ORDER BY sequence DESC LIMIT 1"
)
HOLDS: Final = statement(
    "SELECT 1 FROM entry WHERE sequence = $2 AND commitment = $3 AND pg_is_in_recovery()"
    " AND pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= $1",
    "nnb",
)

# What other processes are told, and hear (pg_notices).
LISTEN: Final = statement("LISTEN serment")
SAY: Final = statement("SELECT pg_notify('serment', ?)", "t")

# What is looked at once, when a store is opened.
STANDS: Final = statement("SELECT to_regclass('serment.meta') IS NOT NULL")
MIGRATED: Final = statement("SELECT number, sha256 FROM migration ORDER BY number")
ANSWERS: Final = statement("SELECT current_setting($1)", "t")
GIVEN: Final = {
    "pack": statement("SELECT CASE WHEN is_called THEN last_value + 31 ELSE 0 END FROM pack_number"),
    "body": statement("SELECT CASE WHEN is_called THEN last_value + 31 ELSE 0 END FROM body_number"),
    "quarantine": statement("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM quarantine_number"),
}
"""The last number that any process may have taken."""
SET_NUMBER: Final = {
    "pack": statement("SELECT setval('pack_number', ?)", "n"),
    "body": statement("SELECT setval('body_number', ?)", "n"),
    "quarantine": statement("SELECT setval('quarantine_number', ?)", "n"),
}
# A sequence that was put back never gives the number of a row that stands.
CATCH_UP: Final = tuple(
    statement(
        f"SELECT setval('{table}_number', (SELECT max(number) FROM {table}))"  # noqa: S608 - names of this file
        f" WHERE (SELECT max(number) FROM {table})"
        f" >= (SELECT last_value + {given} FROM {table}_number)"
    )
    for table, given in (("pack", AT_A_TIME), ("body", AT_A_TIME), ("quarantine", 1))
)
