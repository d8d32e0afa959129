"""JSON Patch over a resource as it came (RFC 6902, RFC 6901; R4 http.html#patch).

In this order: reading a patch, doing it, places in the text, edits. Each operation is done on the text:
what it does not touch keeps its bytes, and a value keeps the digits with which it was sent. Every
operation or none: the first that cannot be done refuses the whole. No error repeats what was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NoReturn

from serment.errors import InvalidResourceError, MalformedError, TooLargeError
from serment.fhir import document as documents
from serment.fhir.json import MAX_BYTES, Member, array_items, object_members, skipped, value_start

MEDIA_TYPE: Final = "application/json-patch+json"

MOST_OPERATIONS: Final = 100
MOST_WORK: Final = 16 * 1024 * 1024
"""Characters read at most for one patch: each operation reads the resource once."""
GROWTH: Final = 256 * 1024
"""Characters that copies may add to a small resource: a copy of a copy of a copy doubles it each time."""

_WRAPPED: Final = b'{"resourceType":"Patch","patch":'
_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")

Pointer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `value` is JSON as it was sent; `source` is the pointer of `from`."""

    op: str
    path: Pointer = field(repr=False)
    source: Pointer | None = field(repr=False)
    value: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """One value in the text: `start` and `end` of the value, `first` of its key or of the value itself."""

    first: int
    start: int
    end: int


# Reading a patch.


def read(raw: bytes) -> tuple[Operation, ...]:
    """Read a patch document. Raises `MalformedError`, `TooLargeError`."""
    patch = documents.read(_WRAPPED + raw + b"}", MAX_BYTES + len(_WRAPPED) + 1)
    asked = patch.value.get("patch")
    if set(patch.value) != {"resourceType", "patch"} or not isinstance(asked, list) or not asked:
        raise MalformedError("patch.not-a-patch")
    if len(asked) > MOST_OPERATIONS:
        raise TooLargeError("patch.too-many", most=MOST_OPERATIONS)
    spans = array_items(patch.text, value_start(patch.text, patch.members["patch"][0]))
    return tuple(
        _operation(patch.text, start, one, number)
        for number, ((start, _), one) in enumerate(zip(spans, asked, strict=True), start=1)
    )


def _operation(text: str, start: int, said: Any, number: int) -> Operation:
    """Read one operation; members that it does not know are left aside (RFC 6902 section 4)."""
    if not isinstance(said, dict):
        raise MalformedError("patch.malformed", operation=number)
    op, source = said.get("op"), said.get("from")
    members = documents.members_at(text, start)
    value = members.get("value")
    known = isinstance(op, str) and op in _DONE and isinstance(said.get("path"), str)
    if not known or (op in _WITH_VALUE and value is None) or (op in _WITH_SOURCE and source is None):
        raise MalformedError("patch.malformed", operation=number)
    return Operation(
        str(op),
        _pointer(said["path"], number),
        _pointer(source, number) if op in _WITH_SOURCE else None,
        text[value.value_start : value.end] if op in _WITH_VALUE and value is not None else None,
    )


def _pointer(said: Any, number: int) -> Pointer:
    """Read a JSON Pointer (RFC 6901)."""
    if not isinstance(said, str) or (said and not said.startswith("/")) or _ESCAPE.search(said):
        raise MalformedError("patch.malformed", operation=number)
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in said.split("/")[1:])


# Doing it.


def patched(raw: bytes, operations: Sequence[Operation]) -> bytes:
    """Do every operation, in order, on a resource that `document.read` took.

    Raises `InvalidResourceError` (422) for a place that is not there and for a `test` that fails,
    `TooLargeError` for a patch that makes too much of too little. What comes out is still to be checked.
    """
    text, work = raw.decode("utf-8"), 0
    most = min(MAX_BYTES, 2 * len(text) + sum(len(one.value or "") for one in operations) + GROWTH)
    for number, operation in enumerate(operations, start=1):
        work += len(text)
        if work > MOST_WORK or len(text) > most:
            raise TooLargeError("patch.too-much", operation=number)
        text = _DONE[operation.op](text, operation, number)
    return text.encode()


def _add(text: str, asked: Operation, number: int) -> str:
    return _added(text, asked.path, asked.value or "", number)


def _remove(text: str, asked: Operation, number: int) -> str:
    return _removed(text, asked.path, number)


def _replace(text: str, asked: Operation, number: int) -> str:
    place = _found(text, asked.path, number)
    return text[: place.start] + (asked.value or "") + text[place.end :]


def _move(text: str, asked: Operation, number: int) -> str:
    source = asked.source or ()
    if asked.path[: len(source)] == source and asked.path != source:
        _no_place(number)
    place = _found(text, source, number)
    value = text[place.start : place.end]
    return text if asked.path == source else _added(_removed(text, source, number), asked.path, value, number)


def _copy(text: str, asked: Operation, number: int) -> str:
    place = _found(text, asked.source or (), number)
    return _added(text, asked.path, text[place.start : place.end], number)


def _test(text: str, asked: Operation, number: int) -> str:
    place = _found(text, asked.path, number)
    if not _equal(_value(text[place.start : place.end]), _value(asked.value or "null")):
        raise InvalidResourceError("patch.test-failed", operation=number)
    return text


_DONE: Final[dict[str, Callable[[str, Operation, int], str]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
_WITH_VALUE: Final = frozenset({"add", "replace", "test"})
_WITH_SOURCE: Final = frozenset({"move", "copy"})


def _value(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _equal(one: Any, other: Any) -> bool:
    """Compare as RFC 6902 section 4.6: numbers by value, the rest by type and content."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# Places in the text.


def _no_place(number: int) -> NoReturn:
    raise InvalidResourceError("patch.no-place", operation=number)


def _root(text: str) -> _Place:
    start = skipped(text, 0)
    return _Place(start, start, len(text.rstrip(" \t\n\r")))


def _found(text: str, pointer: Pointer, number: int) -> _Place:
    """Find the value that a pointer names. Raises `InvalidResourceError` when there is none."""
    place = _root(text)
    for step in pointer:
        if text[place.start] == "{":
            member = _members(text, place.start).get(step)
            if member is None:
                _no_place(number)
            place = _of_member(member)
        elif text[place.start] == "[":
            items = array_items(text, place.start)
            start, end = items[_index(step, len(items) - 1, number)]
            place = _Place(start, start, end)
        else:
            _no_place(number)
    return place


def _members(text: str, start: int) -> dict[str, Member]:
    members, _ = object_members(text, start, again=True)
    return {member.key: member for member in members}


def _of_member(member: Member) -> _Place:
    return _Place(member.start, member.value_start, member.end)


def _index(step: str, most: int, number: int) -> int:
    if not _INDEX.fullmatch(step) or int(step) > most:
        _no_place(number)
    return int(step)


def _inside(text: str, start: int) -> list[_Place]:
    """Give what stands in an object or array, in its order."""
    if text[start] == "{":
        return [_of_member(member) for member in _members(text, start).values()]
    return [_Place(first, first, end) for first, end in array_items(text, start)]


# Edits.


def _added(text: str, pointer: Pointer, value: str, number: int) -> str:
    """Add a member, or an item before the one that the pointer names; a member that is there is replaced."""
    if not pointer:
        return value
    parent, step = _found(text, pointer[:-1], number), pointer[-1]
    if text[parent.start] == "{":
        member = _members(text, parent.start).get(step)
        if member is not None:
            return text[: member.value_start] + value + text[member.end :]
        inside = _inside(text, parent.start)
        return _inserted(text, parent.start, inside, len(inside), f"{json.dumps(step)}:{value}")
    if text[parent.start] != "[":
        _no_place(number)
    inside = _inside(text, parent.start)
    at = len(inside) if step == "-" else _index(step, len(inside), number)
    return _inserted(text, parent.start, inside, at, value)


def _inserted(text: str, start: int, inside: list[_Place], at: int, piece: str) -> str:
    if not inside:
        return text[: start + 1] + piece + text[start + 1 :]
    if at == len(inside):
        end = inside[-1].end
        return f"{text[:end]},{piece}{text[end:]}"
    first = inside[at].first
    return f"{text[:first]}{piece},{text[first:]}"


def _removed(text: str, pointer: Pointer, number: int) -> str:
    """Take a member or an item out, with one of the commas beside it."""
    if not pointer:
        _no_place(number)
    gone = _found(text, pointer, number)
    inside = _inside(text, _found(text, pointer[:-1], number).start)
    at = inside.index(gone)
    start, end = gone.first, gone.end
    if at + 1 < len(inside):
        end = inside[at + 1].first
    elif at:
        start = inside[at - 1].end
    return text[:start] + text[end:]
