"""What no one person changes alone: a blood group, a severe allergy (capability 1-12, ADR 60).

Two questions, asked of a resource that is sent and of what the index says of one that stands: is it such an
item, and does it say the same. A blood group is told by LOINC (code or component), a severe allergy by its
criticality. What was entered in error is protected no more: taking that back was the change.

Pure: nothing is looked up, decided or stored here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from serment.fhir import search
from serment.identity import rpps

TYPES: Final = frozenset({"AllergyIntolerance", "Observation"})
"""Types of which some items are protected."""

LOINC: Final = "http://loinc.org"
_ABO, _RH = "abo", "rh"
FACETS: Final[Mapping[str, frozenset[str]]] = {
    "882-1": frozenset({_ABO, _RH}),
    "77397-8": frozenset({_ABO, _RH}),
    "883-9": frozenset({_ABO}),
    "10331-7": frozenset({_RH}),
}
"""LOINC code of a blood group → which groups it says (ABO, RhD)."""

_SAID: Final = ("value-concept", "component-value-concept", "value-string")
_ERROR: Final = "entered-in-error"
_LEFT_OUT: Final = frozenset({"id", "meta", "text"})
"""What may change without changing what is said of the person: its labels, its narrative."""

Values = Mapping[str, Any]
"""The search values of an item, as the index keeps them."""


def values_of(raw: bytes) -> Values:
    """Read the search values of an entry."""
    found: dict[str, Any] = msgspec.msgpack.decode(raw)
    return found


def indexed(resource: dict[str, Any]) -> Values:
    """Give the search values that a resource has or would have."""
    return values_of(search.index(resource))


def facets(type_: str, values: Values) -> frozenset[str]:
    """Say which blood groups an item tells; none for anything else, and for what was entered in error."""
    if type_ != "Observation" or _ERROR in _codes(values, "status"):
        return frozenset()
    codes = _codes(values, "code", LOINC) | _codes(values, "component-code", LOINC)
    return frozenset().union(*(FACETS[code] for code in codes if code in FACETS))


def severe(type_: str, values: Values) -> bool:
    """Say whether an item is a severe allergy that stands: of high criticality, not entered in error."""
    return (
        type_ == "AllergyIntolerance"
        and "high" in _codes(values, "criticality")
        and _ERROR not in _codes(values, "verification-status")
    )


def protected(type_: str, values: Values) -> bool:
    """Say whether an item is one that nobody changes alone."""
    return bool(facets(type_, values)) or severe(type_, values)


def same_group(one: Values, other: Values) -> bool:
    """Say whether two blood groups were told in the same words: a second determination that agrees."""
    same_codes = _codes(one, "code") == _codes(other, "code")
    return same_codes and all(_plain(one, name) == _plain(other, name) for name in _SAID)


def digest(resource: Mapping[str, Any]) -> bytes:
    """Digest what a resource says of the person (SHA-256): without its id, labels and narrative."""
    said = {name: value for name, value in resource.items() if name.lstrip("_") not in _LEFT_OUT}
    return sha256(json.dumps(said, sort_keys=True, ensure_ascii=True, default=str).encode()).digest()


def _codes(values: Values, name: str, system: str = "") -> set[str]:
    tokens: Iterable[Any] = values.get(name, ())
    return {
        str(one[1])
        for one in tokens
        if isinstance(one, list) and len(one) > 1 and one[1] and (not system or one[0] in {system, None})
    }


def _plain(values: Values, name: str) -> list[str]:
    """Give what stands for a parameter in one order: codes without their display, texts as folded."""
    rows: Iterable[Any] = values.get(name, ())
    return sorted(str(row[:2] if name != "value-string" else row[:1]) for row in rows)


def provenance(target: str, agents: Iterable[tuple[str, str, str]], recorded: str) -> dict[str, Any]:
    """Say who proposed and who confirmed a change (R4 provenance.html): `Type/id`, agents, an instant.

    An agent is its part (code of provenance-participant-type), the id of the actor and their name.
    """
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": recorded,
        "agent": [
            {"type": {"coding": [{"system": _PARTS, "code": part}]}, "who": _who(actor, name)}
            for part, actor, name in agents
        ],
    }


_PARTS: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def _who(actor: str, name: str) -> dict[str, Any]:
    kind, _, value = actor.partition(":")
    system = rpps.SYSTEM if kind == "rpps" else "urn:serment:actor"
    said: dict[str, Any] = {"identifier": {"system": system, "value": value if kind == "rpps" else actor}}
    return said | ({"display": name} if name else {})
