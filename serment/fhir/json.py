"""Strict JSON: one text, one meaning (RFC 8259, I-JSON RFC 7493, FHIR R4 2.6.2).

Order: bytes to text, the scanner, members of one object, items of one array, limits. What two
readers could read differently is refused, never repaired: a byte order mark, bytes that are not
UTF-8, a key that stands twice, `NaN`, a lone surrogate, a control character. Numbers with a point
or an exponent become `Decimal`, so that every digit stays. No FHIR rule lives here, and no error
carries a piece of the text: errors are raised outside their `except`, without a cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from json import JSONDecoder
from json.scanner import make_scanner
from typing import Any, NamedTuple, cast

from serment.errors import MalformedError, TooLargeError

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_MEMBERS = 512
"""Members of one object that are read one by one; no FHIR type has half as many."""
MAX_EXPONENT = 300
"""Largest power of ten of a number: no measure needs more, a float holds it, no arithmetic explodes."""

_BLANK = " \t\n\r"
_BLANKS = re.compile(r"[ \t\n\r]*")
_SUSPECT_ESCAPE = re.compile(r"\\(?:u(?:[dD][89a-fA-F]|00[01])|[bf])")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class Member(NamedTuple):
    """One member of an object: `text[start:end]` is the key to the end of its value."""

    key: str
    start: int
    value_start: int
    end: int
    value: Any


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build one object; a key that stands twice is refused (the classic parser-differential hole)."""
    built = dict(pairs)
    if len(built) != len(pairs):
        raise MalformedError("fhir.duplicate-key")
    return built


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not -MAX_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
        raise MalformedError("fhir.number-out-of-range")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_EXPONENT:
        raise MalformedError("fhir.number-out-of-range")
    return int(text)


def _no_constant(_name: str) -> Any:
    raise MalformedError("fhir.not-a-number")


_strict = JSONDecoder(
    object_pairs_hook=_unique, parse_float=_number, parse_int=_integer, parse_constant=_no_constant
)
_scan_strict = make_scanner(cast(Any, _strict))
_scan_again = make_scanner(
    cast(Any, JSONDecoder(parse_int=str, parse_float=str))
)  # for text read strictly before


def decoded(raw: bytes, limit: int = MAX_BYTES) -> str:
    """Give the text of `raw`.

    Raises `TooLargeError` over `limit` bytes, `MalformedError` unless it is UTF-8 without a mark.
    """
    if len(raw) > limit:
        raise TooLargeError("fhir.too-large", limit=limit)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\ufeff"
    if text.startswith("\ufeff"):
        raise MalformedError("fhir.not-utf8")
    return text


def object_members(text: str, at: int, *, again: bool = False) -> tuple[list[Member], int]:
    """Give the members of the object that begins at `at`, and the place after it.

    `again` says that the text was read strictly before: its values are scanned for their length
    only (numbers stay text). Raises `MalformedError`, `TooLargeError` (nesting).
    """
    scan = _scan_again if again else _scan_strict
    place = at
    try:
        return _members(text, at, scan)
    except RecursionError:
        place = -1
    except (StopIteration, ValueError, IndexError, InvalidOperation) as fault:
        place = _place(fault, at)
    if place < 0:
        raise TooLargeError("fhir.too-deep", limit=MAX_DEPTH)
    raise MalformedError("fhir.not-json", position=place)


def _place(fault: Exception, otherwise: int) -> int:
    """Say at which character the scanner stopped."""
    if isinstance(fault, StopIteration):
        return int(fault.value)
    return int(getattr(fault, "pos", otherwise))


def _members(text: str, at: int, scan: Any) -> tuple[list[Member], int]:
    members: list[Member] = []
    if text[at] != "{":
        raise StopIteration(at)
    at = skipped(text, at + 1)
    if text[at] == "}":
        return members, at + 1
    while True:
        start = at
        if text[at] != '"':
            raise StopIteration(at)
        key, at = scan(text, at)
        at = skipped(text, at) if text[at] in _BLANK else at
        if text[at] != ":":
            raise StopIteration(at)
        value_start = skipped(text, at + 1) if text[at + 1] in _BLANK else at + 1
        value, end = scan(text, value_start)
        members.append(Member(key, start, value_start, end, value))
        at = skipped(text, end) if text[end] in _BLANK else end
        if text[at] == "}":
            return members, at + 1
        if text[at] != "," or len(members) == MAX_MEMBERS:
            raise StopIteration(at)
        at = skipped(text, at + 1) if text[at + 1] in _BLANK else at + 1


def skipped(text: str, at: int) -> int:
    """Give the place of the first character from `at` that is not white space."""
    if text[at : at + 1] in _BLANK:
        blank = _BLANKS.match(text, at)
        return blank.end() if blank else at
    return at


def array_items(text: str, at: int) -> list[tuple[int, int]]:
    """Give the span of every item of the array that begins at `at`, in text that was read before."""
    spans: list[tuple[int, int]] = []
    at = skipped(text, at + 1)
    while text[at] != "]":
        _, end = _scan_again(text, at)
        spans.append((at, end))
        at = skipped(text, end)
        if text[at] == ",":
            at = skipped(text, at + 1)
    return spans


def check_limits(text: str, value: Any) -> None:
    """Refuse nesting over `MAX_DEPTH`, lone surrogates and control characters anywhere in `value`."""
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise TooLargeError("fhir.too-deep", limit=MAX_DEPTH)
    if _SUSPECT_ESCAPE.search(text) and any(map(_FORBIDDEN.search, _strings(value))):
        raise MalformedError("fhir.forbidden-character")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
    return depth


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node


def _strings(value: Any) -> Iterator[str]:
    """Walk every string of `value`, keys included."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            waiting.extend(node)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def value_start(text: str, member_start: int) -> int:
    """Give where the value begins of the member whose key begins at `member_start`, in text read before."""
    _, after = _scan_again(text, member_start)
    return skipped(text, skipped(text, after) + 1)
