"""References are checked for form, never for existence (R4 references.html).

Whether a target exists would tell what the writer may not see, so nothing here looks anything up.
A reference is relative (`Type/id`, with a version or not), absolute, a `urn:`, or the fragment of a
contained resource. A conditional one (`Patient?identifier=…`) is for the sender of a transaction to
resolve: it names nothing that can be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from serment.errors import InvalidResourceError
from serment.fhir import search
from serment.fhir.search_values import folded_code

LOGICAL: Final = "~"
"""What begins the name of something by its identifier: no reference does."""

_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")
_ABSOLUTE = re.compile(
    r"(?:https?://[^\s/]\S*|urn:uuid:[0-9a-fA-F-]{36}|urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+)"
)
_FRAGMENT = re.compile(r"#(?:[A-Za-z0-9.-]{1,64})?")


def check_references(resource: Mapping[str, Any]) -> None:
    """Refuse a resource that holds a malformed reference. Raises `InvalidResourceError` with its place."""
    if all(map(well_formed, written(resource))):
        return  # as nearly always: the places are worked out for a fault only
    for path, link in _links(resource, str(resource.get("resourceType", ""))):
        if not well_formed(link):
            raise InvalidResourceError("fhir.malformed-reference", path)


def well_formed(link: str) -> bool:
    """Say whether a reference has one of the forms of R4 that can be kept."""
    local = _LOCAL.fullmatch(link)
    if local is not None:
        return local[1] in search.resource_types()
    return bool(_ABSOLUTE.fullmatch(link) or _FRAGMENT.fullmatch(link))


def _is_uri(holder: Mapping[str, Any], path: str) -> bool:
    """Say whether `reference` is a plain uri here: in an Expression, a DetectedIssue or an education."""
    return path == "DetectedIssue" or path.startswith("Immunization.education[") or "language" in holder


def written(resource: Mapping[str, Any]) -> Iterator[str]:
    """Walk every member that is called `reference`, plain uris among them."""
    waiting: list[Any] = [resource]
    while waiting:
        node = waiting.pop()
        if type(node) is list:
            waiting += node
            continue
        for key, child in node.items() if isinstance(node, Mapping) else ():
            if type(child) is dict or type(child) is list:
                waiting.append(child)
            elif key == "reference" and type(child) is str:
                yield child


def logical(resource: Mapping[str, Any]) -> Iterator[str]:
    """Walk every reference that is logical only (`Reference.identifier`, no literal); name what it means."""
    waiting: list[Any] = [child for child in resource.values() if type(child) in (dict, list)]
    while waiting:
        node = waiting.pop()
        if type(node) is list:
            waiting += node
            continue
        for key, child in node.items() if isinstance(node, Mapping) else ():
            if key == "identifier" and isinstance(child, dict) and isinstance(child.get("value"), str):
                if "reference" not in node:
                    yield named_as(str(child.get("system") or ""), child["value"])
            elif type(child) in (dict, list):
                waiting.append(child)


def named_as(system: str, value: str) -> str:
    """Name something by an identifier, as these are compared: `~system`, a line end, the value folded."""
    return f"{LOGICAL}{system}\n{folded_code(system or None, value)}"


def _links(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Walk every `Reference.reference` with its place; the place names elements only, never a value."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key == "reference" and isinstance(child, str) and not _is_uri(value, path):
                yield f"{path}.reference", child
            elif isinstance(child, dict | list):
                yield from _links(child, f"{path}.{key}")
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from _links(child, f"{path}[{place}]")
