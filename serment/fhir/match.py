"""Whether one index entry agrees with a query: the only matcher (HOUSE section 5).

Order: compiling a query, clauses by type. A clause is a test on the stored values of one parameter;
the values that no clause needs stay undecoded. Before decoding, an entry whose bytes do not hold any
of the asked codes, ids or beginnings is passed over: values are stored as they are compared, so the
bytes of a match must be there.

An entry without a value for a parameter agrees with no clause on it, `ne` included
(search.html#missing). The caller hands in entries of the query's type only: values do not say their type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from serment.errors import IntegrityError
from serment.fhir import dates, search
from serment.fhir.query import (
    Clause,
    Query,
    ReferenceValue,
    StringValue,
    TokenValue,
    Value,
)
from serment.fhir.search_values import IMPLIED, folded_code

Matcher = Callable[[str, int, bytes], bool]
"""From (id, instant of the last change in milliseconds, values) to whether the entry matches."""
Test = Callable[[Any], bool]
"""From the stored list of values of one parameter."""


def matches(query: Query, entry_id: str, updated_ms: int, values: bytes) -> bool:
    """Say whether one entry matches. For many entries, make the `matcher` once."""
    return matcher(query)(entry_id, updated_ms, values)


def matcher(query: Query) -> Matcher:
    """Compile a query. The matcher raises `IntegrityError` on values of another format."""
    ids = [frozenset(v.text for v in c.values) for c in query.clauses if c.code == "_id"]
    moments = [_test(c) for c in query.clauses if c.code == "_lastUpdated"]
    stored = [c for c in query.clauses if c.code not in search.OF_THE_ENTRY]
    needles = [found for clause in stored if (found := _needles(clause))]
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


def _within(clauses: Sequence[Clause]) -> Callable[[bytes], bool] | None:
    """Make the test on the stored values; None when the entry alone decides."""
    if not clauses:
        return None
    codes = tuple(dict.fromkeys(clause.code for clause in clauses))
    decode = decoder(codes)
    tests = [(f"p{codes.index(clause.code)}", _test(clause)) for clause in clauses]

    def within(values: bytes) -> bool:
        found = decode(values)
        return all((there := getattr(found, name)) is not None and test(there) for name, test in tests)

    return within


@lru_cache(maxsize=512)
def decoder(codes: tuple[str, ...]) -> Callable[[bytes], Any]:
    """Make the function that decodes these parameters only, as `p0`, `p1`, …; None where there is no value.

    It raises `IntegrityError` on values of another format.
    """
    fields: list[tuple[str, Any, Any]] = [(f"p{n}", Any, None) for n in range(len(codes))]
    rename = {f"p{n}": code for n, code in enumerate(codes)} | {"format": ""}
    shape = msgspec.defstruct("Values", [("format", int, 0), *fields], rename=rename)
    decode = msgspec.msgpack.Decoder(shape).decode

    def read(values: bytes) -> Any:
        try:
            found: Any = decode(values)
        except msgspec.MsgspecError:
            found = None  # raised below, without the bytes of the cause
        if found is None or found.format != search.FORMAT:
            raise IntegrityError("search.values-format")
        return found

    return read


def _needles(clause: Clause) -> list[bytes]:
    """Give byte strings one of which any match must hold; nothing when that cannot be said."""
    needles = [needle for value in clause.values for needle in _needles_of(value, clause.implied)]
    return list(dict.fromkeys(needles)) if all(needles) else []


def _needles_of(value: Value, implied: frozenset[str]) -> list[bytes]:
    """Give what the bytes of an entry that agrees with `value` hold one of; an empty one: unknown."""
    match value:
        case TokenValue(None, str(code)):
            return [code.lower().encode(), code.encode()]
        case TokenValue(_, str(code)):
            return [code.encode()]
        case TokenValue(str(system), None) if system not in implied:
            return [system.encode()]
        case ReferenceValue():
            return [(value.id or value.url).encode()]
        case StringValue():
            return [value.folded.encode()]
        case _:
            return [b""]


def _test(clause: Clause) -> Test:
    if len(clause.values) == 1:
        return _MAKERS[clause.type](clause, clause.values[0])
    tests = [_MAKERS[clause.type](clause, value) for value in clause.values]
    return lambda found: any(test(found) for test in tests)


def _token(clause: Clause, value: Any) -> Test:
    """search.html#token: `code` any system; `|code` no system; `system|` any code; `system|code` both."""
    system, code = value.system, value.code
    if system is None:
        either = {code, code.lower()}
        return lambda found: any(v[1] in either and v[1] == folded_code(v[0], code) for v in found)
    if system == "":
        return lambda found: any(v[0] is None and v[1] == code for v in found)
    accepted = {system, IMPLIED} if system in clause.implied else {system}
    if code is None:
        return lambda found: any(v[0] in accepted for v in found)
    return lambda found: any(v[1] == code and v[0] in accepted for v in found)


def _reference(_clause: Clause, value: Any) -> Test:
    """search.html#reference: an absolute address agrees with itself, also as a canonical with a version."""
    if value.url:
        versioned = value.url + "|"
        return lambda found: any(v[0] == value.url or str(v[0]).startswith(versioned) for v in found)
    if value.type:
        local = f"{value.type}/{value.id}"
        return lambda found: any(v[0] == local for v in found)
    return lambda found: any(_is_local_to(v[0], value.id) for v in found)


def _is_local_to(reference: str | None, asked: str) -> bool:
    """Say whether a stored reference is `Type/asked`, whatever the type."""
    return reference is not None and reference.partition("/")[2] == asked


def _date(_clause: Clause, value: Any) -> Test:
    compare, asked = dates.COMPARISONS[value.prefix], value.span
    return lambda found: any(compare(asked, span) for span in found)


def _string(_clause: Clause, value: Any) -> Test:
    """search.html#string: the stored text equals or begins with what is asked, both folded."""
    asked = value.folded
    return lambda found: any(v[0].startswith(asked) for v in found)


_MAKERS: Final[dict[str, Callable[[Clause, Any], Test]]] = {
    "token": _token,
    "reference": _reference,
    "date": _date,
    "string": _string,
}
