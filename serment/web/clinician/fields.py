"""What a resource says, member by member, in words; and what two versions of it say differently.

All that a resource says is shown, also what no sentence names: an element without a word of ours stands under
its own name. What is for machines (ids, profiles, a narrative made of the rest) is left out. Pure.

Order: members, values, differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from serment.fhir.measures import unit_of
from serment.web.clinician.lines import plain
from serment.web.written import day_of
from serment.words import Language, catalogue, say

MOST_TEXTS: Final = 400
"""Values of one member that are shown; a page says when there are more."""

MOST_DEPTH: Final = 12

_LEFT_OUT: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "language", "data", "url"})
_PERSON: Final = frozenset({"subject", "patient", "beneficiary", "for"})
"""Members that name the person of the record: the bar of the page does."""

_FIRST: Final = (
    "status",
    "clinicalStatus",
    "verificationStatus",
    "code",
    "medicationCodeableConcept",
    "type",
)
"""Members that come first, where they are."""


@dataclass(frozen=True, slots=True)
class Field:
    """One member: its name in a resource, the words for it, the values in words."""

    name: str
    label: str
    texts: tuple[str, ...] = field(repr=False)
    more: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What a member says no more, and what it says now."""

    label: str
    gone: tuple[str, ...] = field(repr=False)
    come: tuple[str, ...] = field(repr=False)


def fields(resource: dict[str, Any], language: Language) -> list[Field]:
    """Say every member of a resource for people."""
    out = _LEFT_OUT | _PERSON | ({"text"} if _is_generated(resource.get("text")) else set())
    names = [name for name in resource if name not in out and not name.startswith("_")]
    names.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    found = []
    for name in names:
        texts = [text for text in _texts(resource[name], name, language, 0) if text]
        if texts:
            shown = tuple(texts[:MOST_TEXTS])
            found.append(Field(name, label(name, language), shown, len(texts) - len(shown)))
    return found


def _is_generated(text: Any) -> bool:
    """Say whether a narrative was made from the other members, and says nothing else (narrative.html)."""
    return not isinstance(text, dict) or text.get("status") in {"generated", "extensions", "empty"}


def label(name: str, language: Language) -> str:
    """Give the words for a member; one that has none stands under its own name."""
    sentence = f"chart.field-{name}"
    return say(sentence, language) if sentence in catalogue() else name


def word(name: str, code: str, language: Language) -> str:
    """Give the words for a code of a member; one that has none stands as it is."""
    sentence = f"chart.code-{code}"
    return say(sentence, language) if name in _CODED and sentence in catalogue() else code


def first_code(resource: dict[str, Any], names: Iterable[str], language: Language) -> str:
    """Say the first of some members that is there, a code or a concept."""
    for name in names:
        for text in _texts(resource.get(name), name, language, 0):
            return text
    return ""


# Values.

_CODED: Final = frozenset(
    {
        "status",
        "clinicalStatus",
        "verificationStatus",
        "criticality",
        "intent",
        "severity",
        "docStatus",
        "priority",
        "interpretation",
        "dataAbsentReason",
        "category",
        "type",
        "use",
    }
)
"""Members whose codes have words."""


def _texts(value: Any, name: str, language: Language, depth: int) -> Iterator[str]:
    """Give the values of a member, one text each."""
    if value is None or depth > MOST_DEPTH:
        return
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, name, language, depth + 1)
    elif isinstance(value, dict):
        yield _object(value, name, language, depth)
    elif isinstance(value, bool):
        yield say("chart.yes" if value else "chart.no", language)
    else:
        yield _plain(value, name, language)


def _plain(value: Any, name: str, language: Language) -> str:
    if isinstance(value, int | Decimal | float):
        return number(value, language)
    text = str(value)
    if _is_date(text):
        return day_of(text, language) + (f" {text[11:16]}" if len(text) > 15 else "")
    return word(name, text, language)


def number(value: Decimal | float, language: Language) -> str:
    """Write a number with the digits that it has, and the decimal mark of the language."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.replace(".", ",") if language is Language.FR else text


def _is_date(text: str) -> bool:
    return (
        len(text) >= 7
        and text[:4].isdecimal()
        and text[4] == "-"
        and text[5:7].isdecimal()
        and len(text) < 36
    )


def _object(value: dict[str, Any], name: str, language: Language, depth: int) -> str:
    for known in (_narrative, _extension, _valued, _quantity, _concept, _period, _reference, _range):
        said = known(value, name, language)
        if said is not None:
            return said
    parts = []
    for inner, one in value.items():
        if inner in _LEFT_OUT or inner.startswith("_"):
            continue
        texts = [text for text in _texts(one, inner, language, depth + 1) if text]
        if texts:
            joined = ", ".join(texts)
            parts.append(
                joined
                if inner in _NAMELESS
                else say("chart.part", language, name=label(inner, language), value=joined)
            )
    return " · ".join(parts)


_NAMELESS: Final = frozenset({"text", "value", "manifestation", "actor", "individual", "attachment", "title"})
"""Members inside others whose value needs no name."""


def _narrative(value: dict[str, Any], _name: str, _language: Language) -> str | None:
    return plain(str(value["div"])) if "div" in value else None


def _extension(value: dict[str, Any], _name: str, language: Language) -> str | None:
    """Say a simple extension: the end of its address, and its value."""
    members = [name for name in value if name.startswith("value")]
    if not members or not isinstance(value.get("url"), str):
        return None
    said = ", ".join(text for text in _texts(value[members[0]], members[0], language, 1) if text)
    return say("chart.part", language, name=str(value["url"]).rpartition("/")[2], value=said)


def _valued(value: dict[str, Any], _name: str, language: Language) -> str | None:
    """Say a component: what it measures, and its value."""
    named, values = value.get("code"), [name for name in value if name.startswith("value")]
    if not isinstance(named, dict) or not values or set(value) - {"code", values[0], "id", "extension"}:
        return None
    parts = [text for one in (named, value[values[0]]) for text in _texts(one, "code", language, 1)]
    return say("chart.part", language, name=parts[0], value=", ".join(parts[1:])) if len(parts) > 1 else None


def _quantity(value: dict[str, Any], _name: str, language: Language) -> str | None:
    if (
        "value" not in value
        or not isinstance(value["value"], int | Decimal | float)
        or isinstance(value["value"], bool)
    ):
        return None
    return f"{value.get('comparator', '')}{number(value['value'], language)} {unit_of(value)}".strip()


def _concept(value: dict[str, Any], name: str, language: Language) -> str | None:
    """Say a concept or a coding: the text, else the words of the codes."""
    text, codings = value.get("text"), value.get("coding")
    if isinstance(text, str) and (codings is not None or set(value) <= {"text", "extension", "id"}):
        return text
    if "code" in value and "display" in value:
        codings = [value]
    if not isinstance(codings, list):
        return None
    said = [_coding(one, name, language) for one in codings if isinstance(one, dict)]
    return ", ".join(dict.fromkeys(one for one in said if one))


def _coding(one: dict[str, Any], name: str, language: Language) -> str:
    display = one.get("display")
    return display if isinstance(display, str) else word(name, str(one.get("code", "")), language)


def _period(value: dict[str, Any], _name: str, language: Language) -> str | None:
    if not ({"start", "end"} & set(value)) or set(value) - {"start", "end", "extension", "id"}:
        return None
    ends = [_plain(value[end], end, language) if end in value else "…" for end in ("start", "end")]
    return " – ".join(ends)


def _reference(value: dict[str, Any], _name: str, language: Language) -> str | None:
    """Say what a reference names: its display; without one, of which type it is."""
    if not ({"reference", "identifier"} & set(value)) or set(value) - {
        "reference",
        "identifier",
        "display",
        "type",
    }:
        return None
    if isinstance(value.get("display"), str):
        return str(value["display"])
    kind = str(value.get("reference", "")).rpartition("/")[0].rpartition("/")[2] or str(value.get("type", ""))
    sentence = f"fhir.type-{kind}"
    return say(sentence, language) if sentence in catalogue() else kind


def _range(value: dict[str, Any], _name: str, language: Language) -> str | None:
    if not ({"low", "high"} & set(value)) or set(value) - {"low", "high", "extension", "id", "type", "text"}:
        return None
    ends = [
        _quantity(value[end], end, language) if isinstance(value.get(end), dict) else ""
        for end in ("low", "high")
    ]
    low, high = (end or "" for end in ends)
    if low and high:
        return f"{low} – {high}"
    return f"≥ {low}" if low else f"≤ {high}"


# Differences.


def changes(old: Sequence[Field], new: Sequence[Field]) -> list[Change]:
    """Say what two versions say differently, member by member, in the order of the newer one."""
    before, after = {one.name: one for one in old}, {one.name: one for one in new}
    found = []
    for name in dict.fromkeys([*after, *before]):
        gone, come = _texts_of(before.get(name)), _texts_of(after.get(name))
        if gone != come:
            named = after.get(name) or before[name]
            lost = tuple(text for text in gone if text not in come)
            added = tuple(text for text in come if text not in gone)
            found.append(
                Change(named.label, lost, added) if lost or added else Change(named.label, gone, come)
            )
    return found


def _texts_of(one: Field | None) -> tuple[str, ...]:
    return () if one is None else one.texts
