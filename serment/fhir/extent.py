"""What the search values of many entries span, so that a search passes over those that cannot match.

An *extent* says of a pack: the codes that its entries have, the first and last moment of each of their
dates, and when they were changed. It is a superset: a pack whose extent meets a query may hold no match; one
whose extent does not meet it holds none. What is not summarised here never spares a pack.

Order: extents, what a query asks of one, the place of an entry in a series. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import msgspec

from serment.fhir import dates, search
from serment.fhir.composite import pairings
from serment.fhir.match import decoder
from serment.fhir.query_clauses import Clause
from serment.fhir.query_values import CompositeValue, DateValue, TokenValue, Value

CODED: Final = ("code", "component-code", "combo-code")
"""Token parameters whose codes are listed."""

MOST_CODES: Final = 32
"""Different codes of one parameter that an extent lists; with more it lists none, and spares nothing."""

_DAY: Final = 86_400_000


class Extent(msgspec.Struct, array_like=True, frozen=True):
    """What a pack's entries span.

    `changed` and `spans` are ranges of milliseconds, low included, high excluded. A date parameter without
    a span has no value in any entry; of a parameter that is not in `codes` there were too many.
    """

    changed: tuple[int, int]
    codes: dict[str, tuple[str, ...]]
    spans: dict[str, tuple[int, int]]


Row = tuple[str, int, bytes]
"""Resource type, instant of the last change in milliseconds, values; none for an entry that is deleted."""


def extent(rows: Iterable[Row]) -> Extent:
    """Summarise entries; one at least. Raises `IntegrityError` on values of another format."""
    codes: dict[str, set[str]] = {code: set() for code in CODED}
    spans: dict[str, tuple[int, int]] = {}
    moments: list[int] = []
    for type_, updated, values in rows:
        moments.append(updated)
        named = _summarised(type_) if values else ()
        found = decoder(named)(values) if named else None
        for place, code in enumerate(named):
            there = getattr(found, f"p{place}")
            if there is None:
                continue
            if code in codes:
                codes[code].update(str(value[1]) for value in there if value[1] is not None)
            else:
                spans[code] = _wider(spans.get(code), there)
    listed = {code: tuple(sorted(some)) for code, some in codes.items() if len(some) <= MOST_CODES}
    return Extent((min(moments), max(moments) + 1), listed, spans)


@cache
def _summarised(type_: str) -> tuple[str, ...]:
    """Give the parameters of a type that an extent tells of: the codes, then every date."""
    known = search.parameters(type_)
    coded = [code for code in CODED if code in known and known[code].type == "token"]
    dated = [c for c, one in known.items() if one.type == "date" and c not in search.OF_THE_ENTRY]
    return (*coded, *dated)


def _wider(span: tuple[int, int] | None, values: Iterable[Any]) -> tuple[int, int]:
    lows, highs = zip(*values, strict=True)
    if span is None:
        return min(lows), max(highs)
    return min(span[0], *lows), max(span[1], *highs)


# What a query asks.


def may_meet(extent: Extent, clauses: Iterable[Clause]) -> bool:
    """Say whether an entry of this extent may agree with all the clauses."""
    return all(_may_agree(extent, clause) for clause in clauses)


def _may_agree(extent: Extent, clause: Clause) -> bool:
    if clause.modifier:
        return True
    if clause.type == "composite":
        return any(_may_pair(extent, clause, value) for value in clause.values)
    return any(_may_hold(extent, clause.code, clause.type, value) for value in clause.values)


def _may_pair(extent: Extent, clause: Clause, value: Value) -> bool:
    """A composite is met in one of its ways, by both of its parts."""
    if not isinstance(value, CompositeValue):
        return True
    known = search.parameters(clause.kind)
    return any(
        all(
            _may_hold(extent, code, known[code].type, part)
            for code, part in zip(way.parts, parts, strict=True)
        )
        for way, parts in zip(pairings(clause.kind, clause.code), value.ways, strict=True)
    )


def _may_hold(extent: Extent, code: str, kind: str, value: Value) -> bool:
    if kind == "date" and isinstance(value, DateValue):
        span = extent.changed if code == "_lastUpdated" else extent.spans.get(code)
        return span is not None and REACHES[value.prefix](value.span, span)
    if code in extent.codes and isinstance(value, TokenValue) and value.code is not None:
        listed = extent.codes[code]
        return value.code in listed or value.code.lower() in listed
    return True


REACHES: Final[dict[str, dates.Comparison]] = {
    "eq": lambda asked, span: span[0] <= asked[1] and asked[0] <= span[1],
    "ne": lambda _asked, _span: True,
    "gt": lambda asked, span: span[1] > asked[1],
    "lt": lambda asked, span: span[0] < asked[0],
    "ge": lambda asked, span: span[1] >= asked[0],
    "le": lambda asked, span: span[0] <= asked[1],
    "sa": lambda asked, span: span[1] >= asked[1],
    "eb": lambda asked, span: span[0] <= asked[0],
    "ap": lambda asked, span: span[0] <= asked[1] and asked[0] <= span[1],
}
"""From (range asked, range spanned) to whether a date inside the span may agree (`dates.COMPARISONS`)."""


# Series.


def place_in_series(type_: str, updated: int, values: bytes) -> tuple[str, int, int]:
    """Say where an entry stands among those of its class: its code, its day (from 1970), its moment (ms).

    The day is that of the type's first date, else that of its last change. Raises `IntegrityError` on values
    of another format.
    """
    named = _series_of(type_)
    found = decoder(named)(values) if named and values else None
    code, moment = "", updated
    for place, name in enumerate(named if found is not None else ()):
        there = getattr(found, f"p{place}")
        if not there:
            continue
        if name == "code":
            code = str(there[0][1])
        else:
            moment = there[0][0]
    return code, moment // _DAY, moment


@cache
def _series_of(type_: str) -> tuple[str, ...]:
    """Give the parameters that say a series of a type: its code, and its date or what stands for it."""
    named = _summarised(type_)
    dated = [code for code in named if code not in CODED]
    main = ["date"] if "date" in dated else dated[:1]
    return (*(code for code in named if code == "code"), *main)
