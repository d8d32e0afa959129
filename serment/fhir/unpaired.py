"""Search values written before pairs were stored: which may meet a composite, and what they lack.

A composite over a repeating member (`component`) is met by two values of one item of it. Values written
by an older Serment hold both, and not which stand together: that is in the resource alone. Order: what a
query asks, the test, the pairs. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from serment.fhir import search
from serment.fhir.composite import Pairing, pairings
from serment.fhir.match import decoder
from serment.fhir.match_values import test_of
from serment.fhir.query import Query
from serment.fhir.query_clauses import Clause
from serment.fhir.query_links import clauses_of
from serment.fhir.query_values import CompositeValue, Value

Unsaid = Callable[[bytes], bool]
"""From search values to whether they leave it unsaid that two values stand together."""


def asked(query: Query) -> Mapping[str, Sequence[Clause]]:
    """Give what a query asks of pairs, by resource type: in its own clauses and at the ends of its links."""
    found: dict[str, list[Clause]] = defaultdict(list)
    for clause in (*query.clauses, *(end for link in query.links for end in clauses_of(link))):
        if clause.type == "composite" and any(way.stored for way in pairings(clause.kind, clause.code)):
            found[clause.kind].append(clause)
    return found


def rest(query: Query) -> Sequence[Clause]:
    """Give what a query asks beside pairs of items of its own type: who does not agree needs no pairs.

    Nothing where a link asks something of that type too: other items may then matter.
    """
    linked = any(end.kind == query.type for link in query.links for end in clauses_of(link))
    return () if linked else [clause for clause in query.clauses if clause.type != "composite"]


def unsaid(clauses: Sequence[Clause]) -> Unsaid:
    """Make the test of values that hold both parts of a pair that is asked, and no pairs at all."""
    tests = [
        _lacking(clause.kind, way, parts)
        for clause in clauses
        for value in clause.values
        if isinstance(value, CompositeValue)
        for way, parts in zip(pairings(clause.kind, clause.code), value.ways, strict=True)
        if way.stored
    ]
    return lambda values: any(test(values) for test in tests)


def _lacking(resource_type: str, way: Pairing, parts: Sequence[Value]) -> Unsaid:
    known = search.parameters(resource_type)
    one, two = (
        test_of(known[code].type, "", known[code].implied, part)
        for code, part in zip(way.parts, parts, strict=True)
    )
    decode = decoder((way.stored, *way.parts))

    def lacking(values: bytes) -> bool:
        found = decode(values)
        held = found.p0 is None and found.p1 is not None and found.p2 is not None
        return held and one(found.p1) and two(found.p2)

    return lacking


def paired(values: bytes, resource: dict[str, Any], clauses: Sequence[Clause]) -> bytes:
    """Give values with the pairs that the resource holds, for the composites asked."""
    codes = {way.stored for clause in clauses for way in pairings(clause.kind, clause.code) if way.stored}
    whole: dict[str, msgspec.Raw] = msgspec.msgpack.decode(
        search.index(resource), type=dict[str, msgspec.Raw]
    )
    pairs = {code: content for code, content in whole.items() if code in codes}
    return search.joined(values, msgspec.msgpack.encode(pairs))
