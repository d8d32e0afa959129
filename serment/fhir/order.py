"""The order of a search's answers (R4 search.html#sort).

Without `_sort`, the last changed comes first. An entry with several values for a key counts by its
smallest when ascending, by its largest when descending; a date or range counts by its beginning, a
quantity by its number whatever its unit; an entry without a value comes last either way. Ties end with
the id, ascending: the order is total, pages neither repeat nor lose an entry. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, TypeVar

from serment.fhir import quantity
from serment.fhir.match import decoder
from serment.fhir.query import Query, SortKey

T = TypeVar("T")
Row = tuple[str, int, bytes]
"""Id, instant of the last change in milliseconds, values."""


def arranged(query: Query, entries: Iterable[T], row: Callable[[T], Row]) -> list[T]:
    """Give the entries in the order that the query asks; `row` says where its three facts stand."""
    keys = query.sort or (SortKey("_lastUpdated", "date", descending=True),)
    ordered = sorted(((row(entry), entry) for entry in entries), key=lambda pair: pair[0][0])
    for key in reversed(keys):  # sorting is stable: the last key first
        ordered = _by(key, ordered)
    return [entry for _, entry in ordered]


def newest_first(some: list[T], name: attrgetter[str], moment: attrgetter[int]) -> list[T]:
    """Put a list in the order without `_sort`, in place; the getters say where id and instant stand."""
    if len(some) > 1:
        some.sort(key=name)
        some.sort(key=moment, reverse=True)
    return some


def _by(key: SortKey, ordered: list[tuple[Row, T]]) -> list[tuple[Row, T]]:
    value_of = _value_of(key)
    valued = [(value_of(pair[0]), pair) for pair in ordered]
    there = [item for item in valued if item[0] is not None]
    there.sort(key=lambda item: item[0], reverse=key.descending)
    return [pair for _, pair in there] + [pair for value, pair in valued if value is None]


def _value_of(key: SortKey) -> Callable[[Row], Any]:
    """Make the function that gives what an entry counts by, None when it has no value."""
    if key.code == "_id":
        return lambda row: row[0]
    if key.code == "_lastUpdated":
        return lambda row: row[1]
    decode, place = decoder((key.code,)), 1 if key.type == "token" else 0
    choose = max if key.descending else min
    counted: Callable[[Any], Any] = _amount if key.type in {"number", "quantity"} else lambda v: v[place]

    def value(row: Row) -> Any:
        found = [one for v in decode(row[2]).p0 or () if (one := counted(v)) is not None]
        return choose(found) if found else None

    return value


def _amount(value: Any) -> Any:
    """Give the number that a stored number or quantity counts by, None when there is none."""
    span = quantity.stored(value[0] or value[1], value[1])
    return None if span is None else span.low
