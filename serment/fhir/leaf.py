"""What a list needs of an item before its body is opened, read from its index values.

Order: what it is called, who stands behind it, which series it belongs to (when it was: `dated`); whom a
resource names.
Values are those of `search.index`; nothing is worked out here that the search parameters do not say. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from serment.fhir import search
from serment.fhir.match import decoder
from serment.fhir.search_values import folded
from serment.identity import rpps

_WORDS: Final = (
    "code",
    "vaccine-code",
    "component-code",
    "description",
    "title",
    "type",
    "reason-code",
    "service-type",
    "category",
)
"""Parameters whose texts lists show."""

_AUTHORS: Final = (
    "author",
    "requester",
    "performer",
    "recorder",
    "asserter",
    "participant",
    "practitioner",
    "sender",
)
"""Reference parameters that name who wrote, asked or did."""

IN_SERIES: Final = frozenset({"Observation", "MedicationRequest", "MedicationStatement"})
"""Types that come again and again under one code: a measure, a treatment."""


class LeafReader:
    """Reads the index values of the entries of one record, for one request: what repeats is worked out once.

    Every method raises `IntegrityError` on values of another format.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Callable[[Any], Any], bytes], Any] = {}

    def says(self, type_: str, values: bytes, asked: Sequence[str]) -> bool:
        """Say whether, for each folded word that is asked, a word of what lists show begins with it."""
        codes, reads = _words(type_)
        if not codes:
            return not asked
        found = decoder(codes, frozenset(codes))(values)
        texts = [
            self._once(read, raw)
            for place, read in enumerate(reads)
            if (raw := getattr(found, f"p{place}")) is not None
        ]
        said = "".join(texts)
        return all(f" {word}" in said for word in asked)

    def authors(self, type_: str, values: bytes) -> frozenset[str]:
        """Give who stands behind an entry, as `rpps:<number>` and `Practitioner/<id>`."""
        codes = _authors(type_)
        if not codes:
            return frozenset()
        found = decoder(codes, frozenset(codes))(values)
        raws = [getattr(found, f"p{place}") for place in range(len(codes))]
        return frozenset().union(*(self._once(_named, raw) for raw in raws if raw is not None))

    def series(self, type_: str, values: bytes) -> str:
        """Name what comes again: what is measured, which medicine; "" for the rest."""
        if type_ not in IN_SERIES:
            return ""
        raw = decoder(_CODE, frozenset(_CODE))(values).p0
        return "" if raw is None else str(self._once(_coded, raw))

    def _once(self, read: Callable[[Any], Any], raw: msgspec.Raw) -> Any:
        encoded = bytes(raw)
        if (read, encoded) not in self._known:
            self._known[read, encoded] = read(msgspec.msgpack.decode(encoded))
        return self._known[read, encoded]


_CODE: Final = ("code",)


@cache
def _words(type_: str) -> tuple[tuple[str, ...], tuple[Callable[[Any], str], ...]]:
    """Give the parameters of a type whose texts lists show, and how the values of each are read."""
    known = search.parameters(type_)
    read = {"token": _said, "string": _folded}
    codes = tuple(code for code in _WORDS if code in known and known[code].type in read)
    return codes, tuple(read[known[code].type] for code in codes)


@cache
def _authors(type_: str) -> tuple[str, ...]:
    known = search.parameters(type_)
    return tuple(code for code in _AUTHORS if code in known and known[code].type == "reference")


def _said(values: list[list[Any]]) -> str:
    """Fold the texts of tokens; each begins after a blank."""
    return "".join(f" {folded(value[2])}" for value in values if len(value) > 2)


def _folded(values: list[list[Any]]) -> str:
    return "".join(f" {value[0]}" for value in values)


def _named(values: list[list[Any]]) -> frozenset[str]:
    found: set[str] = set()
    for value in values:
        literal = value[0] or ""
        if literal.startswith("Practitioner/"):
            found.add(literal)
        if len(value) > 3 and value[2] == rpps.SYSTEM:
            found.add(f"rpps:{value[3]}")
    return frozenset(found)


def _coded(values: list[list[Any]]) -> str:
    """Name a code: the first with its system, else the text."""
    for value in values:
        if value[1] is not None:
            return f"{value[0] or ''}|{value[1]}"
    return f"|{folded(values[0][2])}" if values and len(values[0]) > 2 else ""


_BY: Final = (
    "author",
    "requester",
    "performer",
    "recorder",
    "asserter",
    "participant",
    "assessor",
    "sender",
    "informationSource",
)
"""Members that name who wrote, asked or did; a participant and a performer name them one step below."""


def people(resource: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the professionals that a resource names: the words for each, and how `authors` knows them."""
    found: dict[str, str] = {}
    for member in _BY:
        value = resource.get(member)
        for one in value if isinstance(value, list) else [value]:
            reference = _reference(one)
            known = _identified(reference)
            said = reference.get("display")
            if known and isinstance(said, str) and said:
                found.setdefault(said, known)
    return list(found.items())


def _reference(value: Any) -> dict[str, Any]:
    """Give the reference in a member that is one or holds one."""
    if not isinstance(value, dict):
        return {}
    inner = value.get("actor", value.get("individual"))
    return inner if isinstance(inner, dict) else value


def _identified(reference: dict[str, Any]) -> str:
    identifier = reference.get("identifier")
    if isinstance(identifier, dict) and identifier.get("system") == rpps.SYSTEM:
        return f"rpps:{identifier.get('value')}"
    literal = str(reference.get("reference", ""))
    return literal if literal.startswith("Practitioner/") else ""
