"""What a list needs of an item before its body is opened, read from its index values.

Order: what it is called, who stands behind it, which series it belongs to (when it was: `dated`).
Values are those of `search.index`; nothing is worked out here that the search parameters do not say. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

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

_IN_SERIES: Final = frozenset({"Observation", "MedicationRequest", "MedicationStatement"})
"""Types that come again and again under one code: a measure, a treatment."""

_TEXTS_KEPT: Final = 65_536


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a list knows of one item.

    `words` are folded, each text behind a line break; `authors` are `rpps:<number>` and `Practitioner/<id>`;
    `series` names what comes again: what is measured, which medicine; "" for the rest.
    """

    words: str = field(default="", repr=False)
    authors: frozenset[str] = field(default=frozenset(), repr=False)
    series: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Needs:
    """Which parts of a leaf are asked for: the others stay undecoded."""

    words: bool = False
    authors: bool = False
    series: bool = False


def leaf(type_: str, values: bytes, needs: Needs) -> Leaf:
    """Read the values of one entry. Raises `IntegrityError` on values of another format."""
    plan = _plan(type_, needs)
    if not plan.codes:
        return Leaf()
    found = decoder(plan.codes)(values)
    given = {code: there for place, code in enumerate(plan.codes) if (there := getattr(found, f"p{place}"))}
    series = _series(given.get("code")) if plan.series else ""
    return Leaf(_words(plan.words, given), _authors(plan.authors, given), series)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which parameters of a type are decoded, and for what."""

    words: dict[str, str]
    authors: tuple[str, ...]
    series: bool
    codes: tuple[str, ...]


@cache
def _plan(type_: str, needs: Needs) -> _Plan:
    known = search.parameters(type_)
    named = {code: known[code].type for code in _WORDS if code in known} if needs.words else {}
    words = {code: kind for code, kind in named.items() if kind in {"token", "string"}}
    by = tuple(code for code in _AUTHORS if code in known and known[code].type == "reference")
    authors = by if needs.authors else ()
    series = needs.series and type_ in _IN_SERIES
    codes = dict.fromkeys((*words, *authors, *(("code",) if series else ())))
    return _Plan(words, authors, series, tuple(codes))


def _words(plan: dict[str, str], given: dict[str, Any]) -> str:
    """Join the texts of an entry as a search compares them: each begins after a line break."""
    texts: dict[str, None] = {}
    for code, kind in plan.items():
        for value in given.get(code, ()):
            text = value[0] if kind == "string" else _folded(value[2]) if len(value) > 2 else ""
            texts[text] = None
    return "".join(f"\n{text}" for text in texts if text)


@cache
def _known() -> dict[str, str]:
    return {}


def _folded(text: str) -> str:
    """Fold a text; the same few titles come thousands of times."""
    known = _known()
    found = known.get(text)
    if found is None:
        found = folded(text)
        if len(known) < _TEXTS_KEPT:
            known[text] = found
    return found


def says(words: str, asked: str) -> bool:
    """Say whether the words of a leaf hold, for each folded word that is asked, one that begins with it."""
    spaced = words.replace("\n", " ")
    return all(f" {word}" in spaced for word in asked.split())


def _authors(codes: Iterable[str], given: dict[str, Any]) -> frozenset[str]:
    found: set[str] = set()
    for code in codes:
        for value in given.get(code, ()):
            literal = value[0] or ""
            if literal.startswith("Practitioner/"):
                found.add(literal)
            if len(value) > 3 and value[2] == rpps.SYSTEM:
                found.add(f"rpps:{value[3]}")
    return frozenset(found)


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


def _series(values: list[list[Any]] | None) -> str:
    """Name what comes again: the first code with its system, else the text."""
    for value in values or ():
        if value[1] is not None:
            return f"{value[0] or ''}|{value[1]}"
    return f"|{_folded(values[0][2])}" if values and len(values[0]) > 2 else ""
