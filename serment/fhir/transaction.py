"""Bundles: the entries as they came, and the links between them.

Order: entries of a bundle, references of a value, relinking. A resource inside a bundle is handed
on as the exact bytes sent. Links are replaced in the text, where a Reference (or an attachment's
url) stands, and nowhere else (FHIR R4 3.1.0.11.2). Nothing here resolves, reads or writes anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from serment.errors import InvalidResourceError
from serment.fhir.document import Document, Edit, edited
from serment.fhir.json import Member, object_members, skipped, value_start

BUNDLE_TYPES = frozenset({"batch", "transaction", "collection", "searchset", "history", "document"})
PLACEHOLDERS = ("urn:uuid:", "urn:oid:")

_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(?:[ \t\n\r]*(:))?', re.DOTALL)
_LINK = re.compile(r'"(reference|url)"[ \t\n\r]*:[ \t\n\r]*("([^"\\]*(?:\\.[^"\\]*)*)")', re.DOTALL)
_ESCAPED_LETTER = re.compile(r"\\u00[67]")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")
_LINK_KEYS = ("reference", "url")
_LINKED_BY_URL = (*PLACEHOLDERS, "Binary/")


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One entry of a bundle: the request that it carries ("" when absent) and the resource's bytes."""

    full_url: str = field(repr=False)
    method: str
    url: str = field(repr=False)
    if_match: str
    if_none_exist: str = field(repr=False)
    if_none_match: str
    if_modified_since: str
    resource: bytes | None = field(repr=False)


def entries(document: Document) -> list[BundleEntry]:
    """Give the entries of a bundle in their order.

    Raises `InvalidResourceError` when the document is no Bundle, is of a type that is not read entry by
    entry, or holds an entry of another shape than FHIR's.
    """
    if document.type != "Bundle" or _string(document.value, "type", "Bundle") not in BUNDLE_TYPES:
        raise InvalidResourceError("fhir.not-a-bundle", "Bundle.type")
    values = document.value.get("entry", [])
    if not isinstance(values, list):
        raise InvalidResourceError("fhir.not-an-array", "Bundle.entry")
    if not values:
        return []
    found: list[BundleEntry] = []
    at = value_start(document.text, document.members["entry"][0])
    for index, value in enumerate(values):
        path = f"Bundle.entry[{index}]"
        if not isinstance(value, dict):
            raise InvalidResourceError("fhir.not-an-object", path)
        members, end = object_members(document.text, skipped(document.text, at + 1), again=True)
        found.append(_entry(document.text, members, value, path))
        at = skipped(document.text, end)
    return found


def _entry(text: str, members: list[Member], value: dict[str, Any], path: str) -> BundleEntry:
    request = value.get("request", {})
    if not isinstance(request, dict):
        raise InvalidResourceError("fhir.not-an-object", f"{path}.request")
    if not isinstance(value.get("resource", {}), dict):
        raise InvalidResourceError("fhir.not-an-object", f"{path}.resource")
    resource = [text[one.value_start : one.end].encode() for one in members if one.key == "resource"]
    return BundleEntry(
        _string(value, "fullUrl", path),
        _string(request, "method", f"{path}.request"),
        _string(request, "url", f"{path}.request"),
        _string(request, "ifMatch", f"{path}.request"),
        _string(request, "ifNoneExist", f"{path}.request"),
        _string(request, "ifNoneMatch", f"{path}.request"),
        _string(request, "ifModifiedSince", f"{path}.request"),
        resource[0] if resource else None,
    )


def _string(value: dict[str, Any], name: str, path: str) -> str:
    found = value.get(name, "")
    if not isinstance(found, str):
        raise InvalidResourceError("fhir.not-a-string", f"{path}.{name}")
    return found


def references(value: Any) -> Iterator[str]:
    """Walk every `Reference.reference` of a value, contained resources included, in document order.

    All forms come: relative, absolute, `urn:uuid:`, `#fragment` and conditional (`Patient?identifier=…`).
    """
    if isinstance(value, dict):
        for key, child in value.items():
            if key == "reference" and isinstance(child, str):
                yield child
            else:
                yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def attached(document: Mapping[str, Any]) -> list[str]:
    """List the addresses of a DocumentReference's attachments."""
    contents = [one for one in document.get("content", []) if isinstance(one, dict)]
    urls = [one["attachment"].get("url") for one in contents if isinstance(one.get("attachment"), dict)]
    return [url for url in urls if isinstance(url, str)]


def conditional(reference: str) -> tuple[str, str] | None:
    """Give type and query of a conditional reference (FHIR R4 3.1.0.11.2), or None for another form."""
    match = _CONDITIONAL.fullmatch(reference)
    return (match[1], match[2]) if match else None


def relink(raw: bytes, links: Mapping[str, str]) -> tuple[bytes, int]:
    """Replace the links of one resource that `read` took; every other byte stands.

    `links` maps a reference as it is written (`urn:uuid:…`, absolute or relative) to what stands in its
    place. A url that is exactly such a `urn:`, or `Binary/…`, is replaced too: that is how an attachment
    names its Binary. Gives the bytes and how many references still begin with `urn:uuid:` or `urn:oid:`.
    """
    text = raw.decode("utf-8")
    edits: list[Edit] = []
    unresolved = 0
    for key, start, end, link in _written_links(text):
        if link in links and (key == "reference" or link.startswith(_LINKED_BY_URL)):
            edits.append((start, end, json.dumps(links[link], ensure_ascii=False)))
        elif key == "reference" and link.startswith(PLACEHOLDERS):
            unresolved += 1
    return edited(text, edits).encode(), unresolved


def links(raw: bytes) -> Iterator[str]:
    """Walk the links that `relink` looks up, as they are meant. Raises `ValueError` where it does."""
    for _, _, _, link in _written_links(raw.decode("utf-8")):
        yield link


def _written_links(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Walk the strings that are values of a key `reference` or `url`: key, start, end, meaning.

    Text inside a string (a narrative that quotes JSON) is never taken for a key: there every quote
    follows a backslash. Keys that may be written with escapes are found by the slower walk.
    """
    if _ESCAPED_LETTER.search(text):
        yield from _tokens(text)
        return
    for found in _LINK.finditer(text):
        if text[found.start() - 1] != "\\":
            yield found[1], found.start(2), found.end(), _unescaped(found[3])


def _tokens(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Do the same string by string: a quote outside a string always opens one."""
    key, key_end = "", 0
    for token in _STRING.finditer(text):
        if token[2]:
            key, key_end = _unescaped(token[1]), token.end()
        elif key in _LINK_KEYS and not text[key_end : token.start()].strip():
            yield key, token.start(), token.end(), _unescaped(token[1])


def _unescaped(written: str) -> str:
    return str(json.loads(f'"{written}"')) if "\\" in written else written
