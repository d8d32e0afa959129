"""Whether one index entry agrees with a query: the only matcher (HOUSE section 5).

Order: compiling a query, clauses by type. A clause is a test on the stored values of one parameter;
the values that no clause needs stay undecoded. Before decoding, an entry whose bytes do not hold any
of the asked codes, ids or beginnings is passed over: values are stored as they are compared, so the
bytes of a match must be there.

An entry without a value for a parameter agrees with no clause on it, `ne` included, but for those
under `missing` and `not` (search.html#modifiers). The caller hands in entries of the query's type only:
values do not say their type. A query's links (`query_links`) are for `match_links`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from serment.errors import IntegrityError
from serment.fhir import search
from serment.fhir.composite import Pairing, pairings
from serment.fhir.match_values import Test, needles_of, test_of
from serment.fhir.query import Query
from serment.fhir.query_clauses import Clause
from serment.fhir.query_values import CompositeValue, MissingValue, Value

Matcher = Callable[[str, int, bytes], bool]
"""From (id, instant of the last change in milliseconds, values) to whether the entry matches."""
Within = Callable[[Any], bool]
"""From what the values of an entry decode to."""

REPEATED = frozenset({"token", "reference"})
"""Types of parameters whose values many entries share: they stay encoded, and each is tested once."""

MOST_KNOWN = 4096
"""Verdicts on encoded values that one matcher keeps for one parameter."""


def matches(query: Query, entry_id: str, updated_ms: int, values: bytes) -> bool:
    """Say whether one entry matches. For many entries, make the `matcher` once."""
    return matcher(query)(entry_id, updated_ms, values)


def matcher(query: Query) -> Matcher:
    """Compile a query. The matcher raises `IntegrityError` on values of another format."""
    return matcher_of(query.clauses)


def matcher_of(clauses: Sequence[Clause]) -> Matcher:
    """Compile clauses, all of which an entry must agree with."""
    ids = [frozenset(v.text for v in c.values) for c in clauses if c.code == "_id"]
    moments = [_any_of(c) for c in clauses if c.code == "_lastUpdated"]
    # The record's own patient agrees with nearly every entry: asked last, of those that agree with the rest.
    stored = sorted((c for c in clauses if c.code not in search.OF_THE_ENTRY), key=_says_little)
    needles = needles_for(stored)
    each = [found[0] for found in needles if len(found) == 1]
    choices = [found for found in needles if len(found) > 1]
    within = _within(stored)

    def match(entry_id: str, updated_ms: int, values: bytes) -> bool:
        for allowed in ids:
            if entry_id not in allowed:
                return False
        for moment in moments:
            if not moment([(updated_ms, updated_ms + 1)]):
                return False
        for needle in each:
            if needle not in values:
                return False
        for choice in choices:
            if not any(needle in values for needle in choice):
                return False
        return within is None or within(values)

    return match


def _says_little(clause: Clause) -> bool:
    return clause.type == "reference" and clause.code in {"patient", "subject", "beneficiary"}


def _within(clauses: Sequence[Clause]) -> Callable[[bytes], bool] | None:
    """Make the test on the stored values; None when the entry alone decides."""
    if not clauses:
        return None
    kinds = {code: kind for clause in clauses for code, kind in _kinds(clause)}
    codes = tuple(kinds)
    decode = decoder(codes, frozenset(code for code, kind in kinds.items() if kind in REPEATED))
    meets = _all_of([_test(clause, codes) for clause in clauses])
    return lambda values: meets(decode(values))


def _all_of(tests: Sequence[Within]) -> Within:
    """Join tests. Two, a code and the patient, are the usual case, and run for thousands of entries."""
    if len(tests) > 2:
        return lambda found: all(test(found) for test in tests)
    one, two = tests[0], tests[-1]
    return one if one is two else lambda found: one(found) and two(found)


def _kinds(clause: Clause) -> list[tuple[str, str]]:
    """Give the codes under which what a clause needs is stored, each with its parameter type."""
    if clause.type != "composite":
        return [(clause.code, clause.type)]
    known = search.parameters(clause.kind)
    return [(code, known[code].type) for way in pairings(clause.kind, clause.code) for code in _stored(way)]


def _stored(way: Pairing) -> tuple[str, ...]:
    return (way.stored,) if way.stored else way.parts


def _test(clause: Clause, codes: tuple[str, ...]) -> Within:
    """Make the test of one clause on what the values decode to (`p0`, `p1`, … in the order of `codes`)."""
    if clause.type == "composite":
        tests = [_composite(clause, value, codes) for value in clause.values]
        return lambda found: any(test(found) for test in tests)
    stored = attrgetter(f"p{codes.index(clause.code)}")
    if clause.modifier == "missing":
        wishes = {value.missing for value in clause.values if isinstance(value, MissingValue)}
        return lambda found: (stored(found) is None) in wishes
    agrees = _any_of(clause)
    if clause.modifier == "not":
        return lambda found: (there := stored(found)) is None or not agrees(there)
    return lambda found: (there := stored(found)) is not None and agrees(there)


def _any_of(clause: Clause) -> Callable[[Any], bool]:
    """Make the test on the stored list of values: one of those asked agrees."""
    tests = [test_of(clause.type, clause.modifier, clause.implied, value) for value in clause.values]
    whole = tests[0] if len(tests) == 1 else lambda found: any(test(found) for test in tests)
    return _once(whole) if clause.type in REPEATED else whole


def _once(test: Test) -> Callable[[Any], bool]:
    """Make the test of encoded values; of those that many entries share, it is worked out once."""
    known: dict[bytes, bool] = {}

    def agrees(encoded: Any) -> bool:
        values = bytes(encoded)
        verdict = known.get(values)
        if verdict is None:
            verdict = test(msgspec.msgpack.decode(values))
            if len(known) < MOST_KNOWN:
                known[values] = verdict
        return verdict

    return agrees


def _composite(clause: Clause, value: Value, codes: tuple[str, ...]) -> Within:
    """Make the test of one composite value: in one of its ways, both parts agree on the same element."""
    known = search.parameters(clause.kind)
    asked = value.ways if isinstance(value, CompositeValue) else ()
    ways: list[Within] = []
    for way, parts in zip(pairings(clause.kind, clause.code), asked, strict=True):
        one, two = (
            test_of(known[code].type, "", known[code].implied, part)
            for code, part in zip(way.parts, parts, strict=True)
        )
        names = [f"p{codes.index(code)}" for code in _stored(way)]
        if len(names) == 1:
            ways.append(_paired(one, two, *names))
            continue
        one, two = (
            _once(test) if known[code].type in REPEATED else test
            for code, test in zip(way.parts, (one, two), strict=True)
        )
        ways.append(_both(one, two, *names))
    return lambda found: any(way(found) for way in ways)


def _both(one: Test, two: Test, first: str, second: str) -> Within:
    def both(found: Any) -> bool:
        values, others = getattr(found, first), getattr(found, second)
        return values is not None and others is not None and one(values) and two(others)

    return both


def _paired(one: Test, two: Test, name: str) -> Within:
    return lambda found: any(one(pair[0]) and two(pair[1]) for pair in getattr(found, name) or ())


@lru_cache(maxsize=512)
def decoder(codes: tuple[str, ...], encoded: frozenset[str] = frozenset()) -> Callable[[bytes], Any]:
    """Make the function that decodes these parameters only, as `p0`, `p1`, …; None where there is no value.

    Those that are left `encoded` stay MessagePack. It raises `IntegrityError` on values of another format.
    """
    kinds = [msgspec.Raw if code in encoded else Any for code in codes]
    fields: list[tuple[str, Any, Any]] = [(f"p{n}", kind, None) for n, kind in enumerate(kinds)]
    rename = {f"p{n}": code for n, code in enumerate(codes)} | {"format": ""}
    shape = msgspec.defstruct("Values", [("format", int, 0), *fields], rename=rename)
    decode = msgspec.msgpack.Decoder(shape).decode

    def read(values: bytes) -> Any:
        try:
            found: Any = decode(values)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            found = None  # raised below, without the bytes of the cause
        if found is None or found.format != search.FORMAT:
            raise IntegrityError("search.values-format")
        return found

    return read


def needles_for(clauses: Iterable[Clause]) -> list[list[bytes]]:
    """Give for each clause that can say so byte strings one of which the bytes of any match must hold."""
    stored = (clause for clause in clauses if clause.code != "_lastUpdated" and not _says_little(clause))
    return [found for clause in stored if (found := _needles(clause))]


def _needles(clause: Clause) -> list[bytes]:
    """Give byte strings one of which any match must hold; nothing when that cannot be said."""
    if clause.modifier in {"missing", "not", "text"}:
        return []
    needles = [needle for value in clause.values for needle in needles_of(value, clause)]
    return list(dict.fromkeys(needles)) if all(needles) else []
