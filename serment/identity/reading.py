"""Reading resources that nobody has checked: lists that may be none, extensions by their address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """Walk the objects of a list that may not be one (received data are not trusted)."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def extensions(holder: Mapping[str, Any], url: str) -> Iterator[dict[str, Any]]:
    """Walk the extensions of one address that an element holds."""
    yield from (one for one in dicts(holder.get("extension")) if one.get("url") == url)


def codes(holder: Mapping[str, Any]) -> Iterator[str]:
    """Read the codes of `valueCoding` or `valueCodeableConcept`: FR Core has used both."""
    concept = holder.get("valueCodeableConcept")
    inside = concept.get("coding") if isinstance(concept, dict) else None
    for coding in dicts([holder.get("valueCoding"), *(inside if isinstance(inside, list) else [])]):
        if isinstance(coding.get("code"), str):
            yield coding["code"]
