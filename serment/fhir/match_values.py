"""Whether the stored values of one parameter agree with one value that is asked (R4 search.html).

Order: the tests by parameter type, those of modifiers, the table, what the bytes of a match must hold.
Stored values are described in `search_values`. A test takes the list of all values of the parameter and
says whether one of them agrees; an entry without values never comes here. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from serment.fhir import dates, quantity
from serment.fhir.query_clauses import Clause
from serment.fhir.query_values import (
    CompositeValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)
from serment.fhir.search_values import IMPLIED, folded, folded_code

Test = Callable[[Any], bool]
"""From the stored list of values of one parameter."""
Maker = Callable[[frozenset[str], Any], Test]
"""From the code systems that bindings imply and the value asked."""


def test_of(kind: str, modifier: str, implied: frozenset[str], value: Value) -> Test:
    """Make the test of one value, of a parameter of type `kind`. `not` reverses elsewhere."""
    return (_MODIFIED.get((kind, modifier)) or _MAKERS[kind])(implied, value)


def _token(implied: frozenset[str], value: TokenValue) -> Test:
    """search.html#token: `code` any system; `|code` no system; `system|` any code; `system|code` both."""
    system, code = value.system, value.code
    if system is None:
        plain = str(code)
        either = {plain, plain.lower()}
        return lambda found: any(v[1] in either and v[1] == folded_code(v[0], plain) for v in found)
    if system == "":
        return lambda found: any(v[0] is None and v[1] == code for v in found)
    accepted = {system, IMPLIED} if system in implied else {system}
    if code is None:
        return lambda found: any(v[0] in accepted for v in found)
    return lambda found: any(v[1] == code and v[0] in accepted for v in found)


def _reference(_implied: frozenset[str], value: ReferenceValue) -> Test:
    """search.html#reference: an absolute address agrees with itself, also as a canonical with a version."""
    if value.url:
        return _address(value.url)
    if value.type:
        local = f"{value.type}/{value.id}"
        return lambda found: any(v[0] == local for v in found)
    return lambda found: any(_is_local_to(v[0], value.id) for v in found)


def _is_local_to(reference: str | None, asked: str) -> bool:
    """Say whether a stored reference is `Type/asked`, whatever the type."""
    return reference is not None and reference.partition("/")[2] == asked


def _address(url: str) -> Test:
    versioned = url + "|"
    return lambda found: any(v[0] == url or str(v[0]).startswith(versioned) for v in found)


def _uri(_implied: frozenset[str], value: UriValue) -> Test:
    """search.html#uri: the whole address, by case and sign; a canonical in any version."""
    return _address(value.uri)


def _date(_implied: frozenset[str], value: Any) -> Test:
    compare, asked = dates.COMPARISONS[value.prefix], value.span
    agrees = partial(compare, asked)
    return lambda found: any(map(agrees, found))


def _string(_implied: frozenset[str], value: StringValue) -> Test:
    """search.html#string: the stored text equals or begins with what is asked, both folded."""
    asked = value.folded
    return lambda found: any(v[0].startswith(asked) for v in found)


def _number(_implied: frozenset[str], value: Any) -> Test:
    compare, asked = quantity.COMPARISONS[value.prefix], value.number

    def agrees(found: Any) -> bool:
        spans = (quantity.stored(v[0], v[1]) for v in found)
        return any(span is not None and compare(asked, span) for span in spans)

    return agrees


def _quantity(_implied: frozenset[str], value: QuantityValue) -> Test:
    """search.html#quantity: the number, and the unit by system and code, or by code or text alone."""
    compare, asked = quantity.COMPARISONS[value.prefix], value.number

    def agrees(found: Any) -> bool:
        for v in found:
            low, high, system, code, unit, comparator = [*v, None, None, None, None][:6]
            if not _same_unit(value, system, code, unit):
                continue
            span = quantity.stored(low, high, comparator)
            if span is not None and compare(asked, span):
                return True
        return False

    return agrees


def _same_unit(value: QuantityValue, system: str | None, code: str | None, unit: str | None) -> bool:
    if not value.code:
        return True
    if value.system is None:
        return value.code in {code, unit}
    return value.code == code and value.system == system


def _exact(_implied: frozenset[str], value: StringValue) -> Test:
    """`:exact`: the whole text, by case and accent. Folding that changed nothing keeps no second text."""
    return lambda found: any(v[-1] == value.plain for v in found)


def _contains(_implied: frozenset[str], value: StringValue) -> Test:
    """`:contains`: anywhere in the text, both folded."""
    return lambda found: any(value.folded in v[0] for v in found)


def _said(_implied: frozenset[str], value: StringValue) -> Test:
    """`:text` of a token: the text of the concept or the display of a coding begins with what is asked."""
    return lambda found: any(len(v) > 2 and folded(v[2]).startswith(value.folded) for v in found)


def _identified(implied: frozenset[str], value: TokenValue) -> Test:
    """`:identifier` of a reference: the identifier that it carries, not the one of what it names."""
    test = _token(implied, value)
    return lambda found: test([v[2:] for v in found if len(v) > 3])


_MAKERS: Final[dict[str, Maker]] = {
    "token": _token,
    "reference": _reference,
    "date": _date,
    "string": _string,
    "number": _number,
    "quantity": _quantity,
    "uri": _uri,
}
_MODIFIED: Final[dict[tuple[str, str], Maker]] = {
    ("string", "exact"): _exact,
    ("string", "contains"): _contains,
    ("token", "text"): _said,
    ("reference", "identifier"): _identified,
}


def needles_of(value: Value, clause: Clause) -> list[bytes]:
    """Give what the bytes of an entry that agrees with `value` hold one of; an empty one: unknown."""
    match value:
        case TokenValue():
            return _token_needles(value, clause.implied)
        case ReferenceValue():
            held = value.id or value.url
        case StringValue():
            held = value.plain if clause.modifier == "exact" else value.folded
        case QuantityValue():
            held = value.code
        case UriValue():
            held = value.uri
        case CompositeValue():
            return [needle for way in value.ways for needle in _way_needles(way)]
        case _:
            held = ""
    return [held.encode()]


def _way_needles(parts: Iterable[Value]) -> list[bytes]:
    """Give those of a part that asks for a code; a composite is met by both of its parts."""
    coded = (part for part in parts if isinstance(part, TokenValue) and part.code is not None)
    return next((_token_needles(part, frozenset()) for part in coded), [b""])


def _token_needles(value: TokenValue, implied: frozenset[str]) -> list[bytes]:
    if value.code is None:
        return [b"" if value.system in implied else str(value.system).encode()]
    plain = value.code.encode()
    return [plain] if value.system is not None else [value.code.lower().encode(), plain]
