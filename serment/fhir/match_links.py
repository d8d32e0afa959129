"""Whether an item agrees with what a search asks of other items: chains and `_has` (`query_links`).

The other items are those that the caller hands in: what somebody may not see is not among them, so it
decides nothing (an item that is hidden and one that is not there answer alike). Each step gathers the
references that lead on, then every item is tested against them: the cost is one look at each item of the
types named for each step. Order: the test of a query, steps. Pure.
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
    steps = _Steps(rows)
    tests = [steps.test(resource_type, link) for link in links]
    return lambda row: all(test(row) for test in tests)


def references(code: str, values: bytes) -> list[str]:
    """Give the literal references that an item holds for one parameter, as they are compared."""
    return [str(value[0]) for value in decoder((code,))(values).p0 or () if value[0] is not None]


class _Steps:
    """The steps of one query's links. Each is worked out once, however many types lead to it."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._ends: dict[tuple[str, Criterion], frozenset[str]] = {}
        self._named: dict[Has, frozenset[str]] = {}

    def test(self, resource_type: str, criterion: Criterion) -> Test:
        """Make the test of one criterion on an item of a type."""
        if isinstance(criterion, Clause):
            matches = matcher_of((criterion,))
            return lambda row: matches(*row)
        if isinstance(criterion, Chain):
            ends = frozenset[str]().union(*(self._meeting(*target) for target in criterion.targets))
            return partial(_refers, criterion.code, ends)
        return partial(_is_named, resource_type, self._naming(criterion))

    def _meeting(self, type_: str, inner: Criterion) -> frozenset[str]:
        """Give the items of a type of which a criterion holds."""
        key = type_, inner
        if key not in self._ends:
            test = self.test(type_, inner)
            self._ends[key] = frozenset(f"{type_}/{row[0]}" for row in self._rows(type_) if test(row))
        return self._ends[key]

    def _naming(self, has: Has) -> frozenset[str]:
        """Give what is named by the items of which the rest holds."""
        if has not in self._named:
            test = self.test(has.type, has.inner)
            found = (references(has.code, row[2]) for row in self._rows(has.type) if test(row))
            self._named[has] = frozenset(name for names in found for name in names)
        return self._named[has]


def _refers(code: str, ends: frozenset[str], row: Row) -> bool:
    return any(name in ends for name in references(code, row[2]))


def _is_named(resource_type: str, named: frozenset[str], row: Row) -> bool:
    return f"{resource_type}/{row[0]}" in named
