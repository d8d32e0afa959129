"""A search request, read into a frozen value (R4 search.html).

Order: limits, the query, parsing, what rules the answer, patients. Clauses are read in `query_clauses`,
their values in `query_values`, chains and includes in `query_links`. What is not understood is refused
with 400, never dropped: a filter that is silently left out shows more than was asked. No error repeats a
value.

Between repeated parameters stands AND, between commas OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from serment.errors import MalformedError, NotSupportedError, TooLargeError
from serment.fhir import compartment, search, subset
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query_clauses import Clause, clause, found
from serment.fhir.query_links import (
    INCLUDES,
    Include,
    Link,
    clauses_of,
    include,
    is_link,
    link,
    types_of,
)
from serment.fhir.query_values import MAX_LENGTH, MAX_VALUES, ReferenceValue

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500
MAX_LINKS: Final = 10
"""Chains, `_has` and includes of one query: each looks at every item of a type."""
SORTED_TYPES: Final = frozenset({"date", "string", "token", "number", "quantity", "reference", "uri"})
PEOPLE: Final = frozenset({"Patient", "RelatedPerson"})

Summary = Literal["false", "true", "text", "data", "count"]
RULING: Final = ("_count", "_sort", "_total", "_summary", "_elements")
"""Parameters that rule the answer."""
SUMMARIES: Final[dict[str, Summary]] = {
    "false": "false",
    "true": "true",
    "text": "text",
    "data": "data",
    "count": "count",
}


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of `_sort`; `type` is the parameter's."""

    code: str
    type: str
    descending: bool

    def text(self) -> str:
        return ("-" if self.descending else "") + self.code


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one resource type. What was searched is left out of `repr`: it identifies people.

    `patients` are the ids that the query names by a parameter of the type's patient compartment, each
    once, sorted: those of `patient`, `subject` and the like when there are any, else those of the others
    when they say `Patient/`; for the type Patient itself, those of `_id`. `count` 0 asks for the total only.
    `links` are asked of other items, `includes` bring them; `elements` are the members asked, none: all.
    """

    type: str
    clauses: tuple[Clause, ...] = field(repr=False)
    patients: tuple[str, ...] = field(repr=False)
    sort: tuple[SortKey, ...]
    count: int
    total: Literal["none", "accurate"]
    links: tuple[Link, ...] = field(default=(), repr=False)
    includes: tuple[Include, ...] = ()
    summary: Summary = "false"
    elements: tuple[str, ...] = ()

    def to_pairs(self) -> list[tuple[str, str]]:
        """Write the query back, as the server understood it: what a page token holds."""
        pairs = [one.pair() for one in self.clauses] + [(one.name, one.text) for one in self.links]
        return pairs + self._ruling()

    def shown_pairs(self) -> list[tuple[str, str]]:
        """Give the pairs of the `self` link: without what was asked of a person, whom an address may name."""
        if self.type == "Patient":
            return []
        links = [one for one in self.links if not any(c.kind in PEOPLE for c in clauses_of(one))]
        pairs = [one.pair() for one in self.clauses] + [(one.name, one.text) for one in links]
        return pairs + self._ruling()

    def _ruling(self) -> list[tuple[str, str]]:
        pairs = [one.pair() for one in self.includes]
        if self.sort:
            pairs.append(("_sort", ",".join(key.text() for key in self.sort)))
        if self.summary != "false":
            pairs.append(("_summary", self.summary))
        if self.elements:
            pairs.append(("_elements", ",".join(self.elements)))
        return [*pairs, ("_count", str(self.count)), ("_total", self.total)]

    def linked_types(self) -> frozenset[str]:
        """Give the types whose items must be looked at to answer the links."""
        return frozenset(type_ for one in self.links for type_ in types_of(one))

    def included_types(self) -> frozenset[str]:
        """Give the types of what the includes may bring."""
        return frozenset(type_ for one in self.includes for type_ in one.types)

    def in_directory(self) -> bool:
        """Say whether the query is for the directory: of a type kept there, naming no patient."""
        return self.type in DIRECTORY_TYPES and not self.patients

    def key(self) -> bytes:
        """Give bytes that are equal for equal queries, whatever the order of pairs and of alternatives.

        They hold what was searched: they belong inside a sealed token, never in a log.
        """
        clauses = sorted((c.name, sorted({v.text for v in c.values})) for c in self.clauses)
        links = sorted((one.name, one.text) for one in self.links)
        return msgspec.msgpack.encode([1, self.type, clauses, links, self._ruling()])


def parse(resource_type: str, pairs: Sequence[tuple[str, str]], base: str = "") -> Query:
    """Read the pairs of a query string or form.

    `base` is this server's FHIR address: references that begin with it are read, and written back, as
    local ones. Raises `NotSupportedError` for what this server does not do, `MalformedError` for what
    FHIR does not write so, `TooLargeError` beyond `MAX_VALUES` values or `MAX_LINKS` links.
    """
    if resource_type not in search.resource_types():
        raise NotSupportedError("search.unknown-type")
    if len(pairs) > MAX_VALUES or any(len(value) > MAX_LENGTH * 4 for _, value in pairs):
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
    rules = _Rules(resource_type)
    clauses: list[Clause] = []
    links: list[Link] = []
    includes: list[Include] = []
    for name, value in pairs:
        if rules.takes(name, value):
            continue
        if name.partition(":")[0] in INCLUDES:
            includes.append(include(resource_type, name, value))
        elif is_link(name):
            links.append(link(resource_type, name, value, base))
        else:
            clauses.append(clause(resource_type, name, value, base))
    _bounded(clauses, links, includes)
    query = Query(
        resource_type,
        tuple(clauses),
        _patients(resource_type, clauses),
        rules.sort,
        0 if rules.summary == "count" else rules.count,
        "accurate" if rules.summary == "count" else rules.total,
        tuple(links),
        tuple(dict.fromkeys(includes)),
        rules.summary,
        rules.elements,
    )
    _check_together(query)
    return query


def known(resource_type: str, name: str) -> bool:
    """Say whether a search of the type knows a parameter, whatever its modifier and value.

    What is not known is refused by `parse`, and left aside for who asks so (search.html#errors).
    """
    code = name.partition(":")[0]
    if code in RULING or code in INCLUDES or is_link(name):
        return True
    try:
        found(resource_type, code, name)
    except NotSupportedError:
        return False
    return True


def _bounded(clauses: Iterable[Clause], links: Sequence[Link], includes: Sequence[Include]) -> None:
    ends = [one for each in links for one in clauses_of(each)]
    if sum(len(one.values) for one in (*clauses, *ends)) > MAX_VALUES:
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
    if len(links) + len(includes) > MAX_LINKS:
        raise TooLargeError("search.too-many-links", limit=MAX_LINKS)


def _check_together(query: Query) -> None:
    """Refuse what does not go together. Raises `NotSupportedError`.

    From the directory no link leads into a record: that would be a search across patients.
    """
    if query.in_directory():
        back = {one.type for one in query.includes if one.reverse}
        away = [one for one in query.includes if not one.types & DIRECTORY_TYPES]
        if (query.linked_types() | back) - DIRECTORY_TYPES or away:
            raise NotSupportedError("search.across-records")
    if query.summary != "false" and query.elements:
        raise NotSupportedError("search.not-together")
    if query.summary == "text" and query.includes:
        raise NotSupportedError("search.not-together")


class _Rules:
    """What rules the answer: `_count`, `_sort`, `_total`, `_summary`, `_elements`, each once."""

    def __init__(self, resource_type: str) -> None:
        self.type = resource_type
        self.count = DEFAULT_COUNT
        self.sort: tuple[SortKey, ...] = ()
        self.total: Literal["none", "accurate"] = "accurate"
        self.summary: Summary = "false"
        self.elements: tuple[str, ...] = ()
        self.seen: set[str] = set()
        readers = (self._count, self._sort, self._total, self._summary, self._elements)
        self.readers: dict[str, Callable[[str], None]] = dict(zip(RULING, readers, strict=True))

    def takes(self, name: str, value: str) -> bool:
        """Read the pair when it is one of them; say whether it was."""
        reader = self.readers.get(name)
        if reader is None:
            return False
        if name in self.seen:
            raise MalformedError("search.repeated", parameter=name)
        self.seen.add(name)
        reader(value)
        return True

    def _count(self, value: str) -> None:
        """Read the size of a page: `MAX_COUNT` at most, since search.html#count lets a server give less."""
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise MalformedError("search.malformed-count")
        self.count = min(int(value), MAX_COUNT)

    def _total(self, value: str) -> None:
        """Read the wish for a total; an estimate costs no less here and is exact."""
        if value not in {"none", "accurate", "estimate"}:
            raise MalformedError("search.malformed-total")
        self.total = "none" if value == "none" else "accurate"

    def _sort(self, value: str) -> None:
        keys = tuple(self._sort_key(text.strip()) for text in value.split(","))
        if len({key.code for key in keys}) != len(keys):
            raise MalformedError("search.malformed-sort", type=self.type)
        self.sort = keys

    def _sort_key(self, text: str) -> SortKey:
        code = text.removeprefix("-")
        parameter = search.searched(self.type).get(code)
        if parameter is None or parameter.type not in SORTED_TYPES:
            raise MalformedError("search.malformed-sort", type=self.type)
        return SortKey(code, parameter.type, text.startswith("-"))

    def _summary(self, value: str) -> None:
        """Read which part of each item is asked (search.html#summary)."""
        if value not in SUMMARIES:
            raise MalformedError("search.malformed-summary")
        self.summary = SUMMARIES[value]

    def _elements(self, value: str) -> None:
        """Read the names of members (search.html#elements); a choice is named without its type."""
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
        if not set(names) <= subset.element_names(self.type):
            raise MalformedError("search.malformed-elements", type=self.type)
        self.elements = names


def _patients(resource_type: str, clauses: Sequence[Clause]) -> tuple[str, ...]:
    """Say which patients the query names (see `Query`)."""
    if resource_type == "Patient":
        ids = {value.text for clause in clauses if clause.code == "_id" for value in clause.values}
        return tuple(sorted(ids))
    owners, mentions = compartment.owner_codes(resource_type), compartment.mention_codes(resource_type)
    named = _named(clauses, owners, {"", "Patient"}) or _named(clauses, mentions, {"Patient"})
    return tuple(sorted(named))


def _named(clauses: Sequence[Clause], codes: frozenset[str], types: set[str]) -> set[str]:
    values = [value for clause in clauses if clause.code in codes for value in clause.values]
    return {v.id for v in values if isinstance(v, ReferenceValue) and v.id and v.type in types}
