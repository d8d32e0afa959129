"""Whether an item agrees with what a search asks of other items: chains and `_has` (`query_links`).

The other items are those that the caller hands in: what somebody may not see is not among them, so it
decides nothing (an item that is hidden and one that is not there answer alike). Each step gathers the
references that lead on, then every item is tested against them: the cost is one look at each item of the
types named. Order: the test of a query, steps. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from serment.fhir.match import decoder, matcher_of
from serment.fhir.query_clauses import Clause
from serment.fhir.query_links import Chain, Criterion, Has, Link

Row = tuple[str, int, bytes]
"""Id, instant of the last change in milliseconds, values."""
Rows = Callable[[str], Iterable[Row]]
"""From a resource type to the items of it that may be seen."""
Test = Callable[[Row], bool]


def linked(resource_type: str, links: Iterable[Link], rows: Rows) -> Test:
    """Make the test of all the links of a query on an item of its type."""
    tests = [_test(resource_type, link, rows) for link in links]
    return lambda row: all(test(row) for test in tests)


def references(code: str, values: bytes) -> list[str]:
    """Give the literal references that an item holds for one parameter, as they are compared."""
    return [str(value[0]) for value in decoder((code,))(values).p0 or () if value[0] is not None]


def _test(resource_type: str, criterion: Criterion, rows: Rows) -> Test:
    if isinstance(criterion, Clause):
        matches = matcher_of((criterion,))
        return lambda row: matches(*row)
    if isinstance(criterion, Chain):
        return partial(_refers, criterion.code, _ends(criterion, rows))
    return partial(_is_named, resource_type, _named(criterion, rows))


def _ends(chain: Chain, rows: Rows) -> frozenset[str]:
    """Give the items at the end of a chain's step of which the rest holds."""
    found: set[str] = set()
    for type_, inner in chain.targets:
        test = _test(type_, inner, rows)
        found.update(f"{type_}/{row[0]}" for row in rows(type_) if test(row))
    return frozenset(found)


def _named(has: Has, rows: Rows) -> frozenset[str]:
    """Give what is named by the items of which the rest holds."""
    test = _test(has.type, has.inner, rows)
    return frozenset(name for row in rows(has.type) if test(row) for name in references(has.code, row[2]))


def _refers(code: str, ends: frozenset[str], row: Row) -> bool:
    return any(name in ends for name in references(code, row[2]))


def _is_named(resource_type: str, named: frozenset[str], row: Row) -> bool:
    return f"{resource_type}/{row[0]}" in named
