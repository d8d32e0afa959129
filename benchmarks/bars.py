"""The bars: what a figure of `make bench` or `make bench-long` has to reach, and what holds a missed one.

Each names its figure by the name of the row. A bar whose row is missing was not measured; that is said too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks import Row


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `figure` is the name of a row, `limit` is in its unit; `most` says that less is better.

    `over` names a row by whose value the figure is divided. `holds` is for people: what keeps a figure from
    its bar, said only while it is missed.
    """

    what: str
    figure: str
    limit: float
    unit: str
    most: bool = False
    holds: str = ""
    over: str = ""

    def ratio(self, value: float) -> float:
        """Say how good a figure is: 1 is the bar, more is better."""
        return self.limit / value if self.most else value / self.limit

    def met(self, value: float) -> bool:
        """Say whether a figure reaches the bar."""
        return value <= self.limit if self.most else value >= self.limit


def _at_least(what: str, figure: str, limit: float, unit: str, holds: str = "") -> Bar:
    return Bar(what, figure, limit, unit, holds=holds)


def _at_most(what: str, figure: str, limit: float, unit: str, holds: str = "", over: str = "") -> Bar:
    return Bar(what, figure, limit, unit, most=True, holds=holds, over=over)


_SHARED = "client, custody and server share two cores"
_CALLS = "some 700 Python calls a read"
_SIZES = "thousands of entries are looked at in Python"

BARS: Final = (
    _at_most("the check of a session", "session check with epochs, of a page", 60, "µs"),
    _at_least("sign-ins, Argon2id apart", "sign-ins, Argon2id apart", 50, "/s"),
    _at_least("suspected duplicates: recall", "suspected duplicates, recall", 0.98, "share"),
    _at_least("suspected duplicates: precision", "suspected duplicates, precision", 0.99, "share"),
    _at_least("certain duplicates that are one person", "certain duplicates that are one person", 1, "share"),
    _at_most("search before create, 100 000 people: p99", "search before create: p99", 50, "ms"),
    _at_most(
        "finding people as somebody types, a million: p99",
        "finding people as somebody types, a million people: p99",
        150,
        "ms",
        _SHARED,
    ),
    _at_most(
        "the register in memory, a million people",
        "the register in memory, a million people",
        150,
        "bytes a person",
    ),
    _at_most("a page of a record of 2 000 resources: p95", "page of a record: p95", 50, "ms"),
    _at_most("a search as one types, page: p95", "search as somebody types, page: p95", 150, "ms"),
    _at_most("the list of accesses over a million lines: p95", "list of accesses: p95", 200, "ms"),
    _at_least(
        "reads, SQLite, one process",
        "reads over HTTP, SQLite, 1 process, 64 clients",
        2_000,
        "/s",
        _CALLS,
    ),
    _at_most(
        "their p99 at 64 clients",
        "reads over HTTP, SQLite, 1 process, 64 clients: p99",
        60,
        "ms",
        "64 requests stand in one line before one interpreter",
    ),
    _at_least(
        "reads, PostgreSQL, one process",
        "reads over HTTP, PostgreSQL, 1 process, 64 clients",
        900,
        "/s",
        f"{_CALLS}; the database shares the two cores",
    ),
    _at_most(
        "their p99 at 64 clients",
        "reads over HTTP, PostgreSQL, 1 process, 64 clients: p99",
        60,
        "ms",
        "64 requests stand in one line before one interpreter, and four exchanges with the database each",
    ),
    _at_least(
        "mix of writes and reads, SQLite, two processes",
        "mix over HTTP, SQLite, 2 processes, 64 clients",
        1_000,
        "/s",
        f"{_SHARED}; writers take turns",
    ),
    _at_least(
        "mix of writes and reads, PostgreSQL, two processes",
        "mix over HTTP, PostgreSQL, 2 processes, 64 clients",
        1_000,
        "/s",
        f"{_SHARED}, and so does the database",
    ),
    _at_least(
        "import, SQLite, one process",
        "serment import, SQLite, one process",
        1_500,
        "resources/s",
        "reading and checking in Python",
    ),
    _at_least(
        "import, SQLite, two workers",
        "serment import, SQLite, 2 workers",
        2_500,
        "resources/s",
        "one writer seals and indexes",
    ),
    _at_least(
        "import, PostgreSQL, one process",
        "serment import, PostgreSQL, one process",
        1_500,
        "resources/s",
        "reading and checking in Python",
    ),
    _at_least(
        "import, PostgreSQL, two workers",
        "serment import, PostgreSQL, 2 workers",
        2_500,
        "resources/s",
        "one writer seals and indexes; the database shares the two cores",
    ),
    _at_most("first view of 1 000 entries", "first view, 1,000 entries", 5, "ms", "many small packs"),
    _at_most("first view of 10 000 entries", "first view, 10,000 entries", 60, "ms", _SIZES),
    _at_most("search in 10 000 entries, p99", "search by one token, 10,000 entries: p99", 20, "ms", _SIZES),
    _at_most(
        "one week of one code in 100 000 entries, cold",
        "search by code and week, record of 100,000",
        50,
        "ms",
        _SIZES,
    ),
    _at_most(
        "`$everything` of 1 000, SQLite",
        "$everything of 1,000 over HTTP, SQLite",
        60,
        "ms",
        "a thousand bodies are opened one by one, in Python",
    ),
    _at_most(
        "`$everything` of 1 000, PostgreSQL",
        "$everything of 1,000 over HTTP, PostgreSQL",
        60,
        "ms",
        "a thousand bodies are opened one by one, in Python",
    ),
    _at_most("one decision with its reason", "decision: decide alone", 5, "µs"),
    _at_least(
        "ledger events, durable, grouped, SQLite", "ledger: durable events, SQLite, 64 waiting", 10_000, "/s"
    ),
    _at_least(
        "ledger events, durable, grouped, PostgreSQL",
        "ledger: durable events, PostgreSQL, 64 waiting",
        10_000,
        "/s",
    ),
    _at_most(
        "price of secrecy, reads",
        "price of secrecy: reads, processor",
        1.5,
        "x",
        "opening, tracing and holding against the ledger are a large part of a short read",
    ),
    _at_most("price of secrecy, writes", "price of secrecy: writes, processor", 2, "x"),
    _at_most("memory at rest, 10 000 patients", "memory at rest, 10,000 patients, 1 process", 300, "MB"),
    _at_most(
        "memory under load, 10 000 patients", "memory under load, 10,000 patients, 1 process", 600, "MB"
    ),
    _at_most(
        "read in a record of 100 000 against one of 100",
        "read by id, record of 100,000, CPU",
        1.3,
        "x",
        "the head of a record lists its packs",
        over="read by id, record of 100, CPU",
    ),
    *(
        _at_most(
            f"read among {said} patients against 1 000, {store}",
            f"cost of a read, {store}, {size} patients against 1,000",
            1.3,
            "x",
            "deeper trees, whose pages each reader fetches anew after a commit",
        )
        for said, size in (("100 000", "100,000"), ("1 000 000", "1,000,000"))
        for store in ("SQLite", "PostgreSQL")
    ),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A bar beside its figure; `value` is None where none was measured."""

    bar: Bar
    value: float | None

    @property
    def verdict(self) -> str:
        """Say in a word or two whether the bar is met."""
        if self.value is None:
            return "not measured"
        if self.bar.met(self.value):
            return "met"
        return f"missed: {self.bar.holds}" if self.bar.holds else "missed"


def held(rows: Iterable[Row], bars: Iterable[Bar] = BARS) -> list[Held]:
    """Put each bar beside its figure."""
    values = {row.name: row.value for row in rows}
    return [Held(bar, _value(bar, values)) for bar in bars]


def _value(bar: Bar, values: Mapping[str, float]) -> float | None:
    value, over = values.get(bar.figure), values.get(bar.over) if bar.over else 1.0
    return value / over if value is not None and over else None
