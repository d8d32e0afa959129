"""How the tables of PostgreSQL are cut, and that they can be spread over machines as they are (scale.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from psycopg import Connection, connect

from serment.store import pg_statements as sql
from serment.store.pg_start import SESSION, Sessions, prepare, target
from tests.architecture.source import ROOT
from tests.stores.server import server

DISTRIBUTED = {
    "record": "record",
    "pack": "record",
    "body": "record",
    "locator": "token",
    "person": "token",
    "chunk": "blob",
}
"""Table → the column that it is cut by, here and when it is spread over machines (scale.md)."""
ON_ONE_MACHINE = {
    "meta", "session", "retry", "imported", "quarantine", "ledger_head", "entry", "chain", "checkpoint",
    "migration",
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared() -> str:
    url = server().database()
    prepare(Sessions(target(url)))
    return url


def catalogue(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connect(url) as looking:
        return looking.execute(statement.encode()).fetchall()


@pytest.mark.capability("2-01", "lets")
def test_every_table_can_be_spread_over_machines(prepared: str) -> None:
    """The rules of Citus: what is unique holds the distribution column; nothing hangs on another table."""
    tables = catalogue(
        prepared,
        "SELECT relname, pg_get_partkeydef(oid) FROM pg_class"
        " WHERE relnamespace = 'serment'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
    )
    assert {name: key for name, key in tables if key} == {
        name: f"HASH ({column})" for name, column in DISTRIBUTED.items()
    }
    assert {name for name, key in tables if not key} == ON_ONE_MACHINE
    uniques = catalogue(
        prepared,
        "SELECT c.relname, array_agg(a.attname::text) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
        " WHERE i.indisunique AND c.relnamespace = 'serment'::regnamespace GROUP BY c.relname, i.indexrelid",
    )
    for name, columns in uniques:
        if name in DISTRIBUTED:
            assert DISTRIBUTED[name] in columns
    foreign = "SELECT 1 FROM pg_constraint WHERE contype = 'f' AND connamespace = 'serment'::regnamespace"
    defaults = (
        "SELECT 1 FROM information_schema.columns"
        " WHERE table_schema = 'serment' AND column_default IS NOT NULL"
    )
    triggers = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    found = [catalogue(prepared, statement) for statement in (foreign, defaults, triggers)]
    assert found == [[], [], [("serment.entry",)]]


def test_no_statement_of_a_request_joins_or_lacks_the_column_that_its_table_is_cut_by() -> None:
    """Each statement touches one part; those that do not are named here, with why."""
    everywhere = {
        "BLOBS": "sweeping a record's content, not a request",
        "UNFINISHED_BLOBS": "a sweep",
        "RECORDS": "a scrub, a page at a time",
        "PERSONS_OF": "when a person's traits change",
        "DROP_PERSONS": "the same",
        "PUT_PACK": "a number that this job did not take: never in a request",
        "PUT_BODY": "the same",
    }
    met = set()
    for name, statement in vars(sql).items():
        if not isinstance(statement, sql.Statement):
            continue
        text = statement.text.decode()
        table = re.search(r"(?:FROM|INTO|UPDATE) (\w+)", text)
        if table is None or table[1] not in DISTRIBUTED:
            continue
        column = DISTRIBUTED[table[1]]
        pinned = re.search(rf"\b{column} = \$|INSERT INTO {table[1]} \([^)]*\b{column}\b[^)]*\) VALUES", text)
        if pinned is None or " JOIN " in text:
            met.add(name)
    assert met == set(everywhere)


SAMPLES = {sql.BYTES: "'\\x00'::bytea", sql.NUMBER: "1", sql.TEXT: "'x'"}
NOT_LOOKED_AT = {
    "UNFINISHED_BLOBS",
    "CHUNKS",
    "STANDS",
    "ANSWERS",
    "OUTCOME",
    "END_SERVER",
    "PUT_PACK",
    "PUT_BODY",
    "HOLDS",
}
"""A sweep; a count of one blob's chunks; what reads no table, or one entry; a number its job did not take."""


def plan(looking: Connection[Any], name: str, statement: sql.Statement) -> str:
    """Explain a statement as a connection of ours plans it: once, for whatever values."""
    looking.execute(f"PREPARE {name} AS ".encode() + statement.text)
    values = ", ".join(SAMPLES[kind] for kind in statement.types)
    given = f"({values})" if values else ""
    rows = looking.execute(f"EXPLAIN (COSTS OFF) EXECUTE {name}{given}".encode()).fetchall()
    return "\n".join(row[0] for row in rows)


GROWN = """
INSERT INTO record SELECT sha256(n::text::bytea), 1, '', '' FROM generate_series(1, 9000) AS n;
INSERT INTO person SELECT sha256(n::text::bytea), sha256(n::text::bytea) FROM generate_series(1, 9000) AS n;
INSERT INTO locator SELECT sha256(n::text::bytea), '', 1 FROM generate_series(1, 9000) AS n;
INSERT INTO pack SELECT n, sha256(n::text::bytea), '' FROM generate_series(1, 9000) AS n;
INSERT INTO body SELECT n, sha256(n::text::bytea), '' FROM generate_series(1, 9000) AS n;
INSERT INTO chunk SELECT sha256(n::text::bytea), n % 3, '', '' FROM generate_series(1, 9000) AS n;
INSERT INTO session SELECT sha256(n::text::bytea), '' FROM generate_series(1, 9000) AS n;
INSERT INTO retry SELECT sha256(n::text::bytea), n, '' FROM generate_series(1, 9000) AS n;
INSERT INTO chain SELECT sha256(n::text::bytea), '' FROM generate_series(1, 9000) AS n;
INSERT INTO imported SELECT sha256(n::text::bytea), 1 FROM generate_series(1, 9000) AS n;
INSERT INTO quarantine SELECT n, '' FROM generate_series(1, 9000) AS n;
INSERT INTO entry SELECT n, 1, 1, '', '', sha256((n % 9)::text::bytea), '' FROM generate_series(1, 9000) AS n;
"""

COUNTED = "LEDGER_DAYS"
"""Counts the ledger by day, for the officer: on purpose the whole of it."""


def test_no_statement_of_a_request_reads_a_table_through() -> None:
    """Planned once, for whatever values and without statistics: each finds its rows by an index."""
    url = server().database()
    prepare(Sessions(target(url)))
    options = " ".join(f"-c{name}={value}" for name, value in SESSION.items())
    bad = {}
    with connect(url, autocommit=True, options=options) as looking:
        looking.execute(GROWN)
        for name, statement in vars(sql).items():
            if not isinstance(statement, sql.Statement) or name in {*NOT_LOOKED_AT, COUNTED}:
                continue
            if not statement.text.startswith((b"SELECT", b"INSERT", b"UPDATE", b"DELETE")):
                continue
            said = plan(looking, name.lower(), statement)
            if re.search(r"(?m)Seq Scan|Bitmap|Aggregate|^ *Filter|Sort$", said):
                bad[name] = said
    assert bad == {}


def test_the_lookup_of_a_locator_touches_one_part_of_each_table_by_an_index_known_or_not() -> None:
    """Its three statements stand in the schema: what they read is counted by the server."""
    url = server().database()
    prepare(Sessions(target(url)))
    options = " ".join(f"-c{name}={value}" for name, value in SESSION.items())
    counted = (
        "SELECT sum(idx_scan), sum(seq_scan), count(*) FILTER (WHERE idx_scan > 0)"
        " FROM pg_stat_xact_user_tables WHERE relname ~ '^(locator|record|pack)_'"
    )
    with connect(url, options=options) as looking:
        looking.execute(GROWN)
        looking.execute("UPDATE locator SET record = token")
        looking.commit()
        for name in (b"7", b"nobody"):
            ((by_index, through, _),) = looking.execute(counted).fetchall()
            looking.execute("SELECT * FROM lead_of(sha256(%s))", (name,))
            ((then, still, parts),) = looking.execute(counted).fetchall()
            assert (then - by_index, still - through) == (3, 0)
        assert parts <= 6, "two parts of each table for two locators"


def test_the_columns_are_those_of_sqlite(prepared: str) -> None:
    folder = ROOT / "serment/store/schema"
    text = "\n".join(step.read_text("utf-8") for step in sorted(folder.glob("*.sql")))
    lite = {
        (table, column.split()[0])
        for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", text, re.DOTALL)
        for column in body.strip().split("\n")
        if column.split()[0] not in {"UNIQUE", "PRIMARY"}
    }
    rows = catalogue(
        prepared,
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'serment'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition AND a.attnum > 0",
    )
    more = set(rows) - lite
    assert lite - set(rows) == {("counter", "name"), ("counter", "last")}
    assert more == {
        ("ledger_head", "only"), ("migration", "number"), ("migration", "name"), ("migration", "sha256"),
    }  # fmt: skip
