"""The entries of a bundle as the exact bytes that stand in it, and what names each in its source.

A bundle is cut first by a fast reader that keeps the bytes of every resource; each resource is then
read strictly, alone. A bundle that the fast reader does not take as it stands, or that could say two
things (a key twice), is read strictly as a whole, which says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from serment.fhir import document as documents
from serment.fhir import transaction
from serment.intake.import_.sources import MOST_FILE

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What the fast reader says of bytes that only the strict one can judge."""

_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})$")


class _Head(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    id: str = ""


class _Entry(msgspec.Struct, rename="camel"):
    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Bundle(msgspec.Struct, rename="camel"):
    resource_type: str
    type: str = ""
    entry: list[_Entry] = []


_bundle = msgspec.json.Decoder(_Bundle)
_head = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Found:
    """One entry. `key` names the resource in its source for ever; `raw` is None when there is no resource."""

    type: str
    key: str = field(repr=False)
    full_url: str = field(repr=False)
    raw: bytes | None = field(repr=False)


def read(raw: bytes) -> list[Found] | None:
    """Give the entries in their order; None when the file holds something else than a bundle.

    Raises the errors of `fhir` when it is not strict JSON, or not a bundle of R4.
    """
    fast = _fast(raw)
    if fast is not None:
        return fast
    document = documents.read(raw, MOST_FILE)
    if document.type != "Bundle":
        return None
    return [
        _found(entry.full_url, entry.resource, repr((place, entry.method, entry.url)))
        for place, entry in enumerate(transaction.entries(document))
    ]


def named(raw: bytes) -> tuple[str, str] | None:
    """Give type and old id ("" when it has none) of one resource; None when it cannot be read fast."""
    try:
        head = _head.decode(raw)
    except _UNREADABLE:
        return None
    return head.resource_type, head.id


def identifiers(raw: bytes) -> dict[str, Any]:
    """Read a directory entry for what others may call it; empty when it cannot be read."""
    try:
        value = msgspec.json.decode(raw)
    except _UNREADABLE:
        return {}
    return value if isinstance(value, dict) else {}


def digest_of(raw: bytes) -> str:
    """Name a resource that has no id by its bytes: the same bytes meet themselves."""
    return "sha256:" + sha256(raw).hexdigest()


def _fast(raw: bytes) -> list[Found] | None:
    try:
        bundle = _bundle.decode(raw)
    except _UNREADABLE:
        return None
    if bundle.resource_type != "Bundle" or bundle.type not in transaction.BUNDLE_TYPES:
        return None
    if not _says_one_thing(raw, bundle.entry):
        return None
    return [
        _found(entry.full_url, bytes(entry.resource) or None, repr(place))
        for place, entry in enumerate(bundle.entry)
    ]


def _says_one_thing(raw: bytes, entries: Sequence[_Entry]) -> bool:
    """Say whether no key that the fast reader looks at can stand twice: as many as there are values."""
    resources = sum(bytes(entry.resource)[:1] == b"{" for entry in entries)
    return (
        raw.count(b'"entry"') == bool(entries)
        and raw.count(b'"resource"') == resources
        and raw.count(b'"fullUrl"') <= len(entries)
    )


def _found(full_url: str, raw: bytes | None, otherwise: str) -> Found:
    if raw is None:
        return Found("", digest_of((otherwise + full_url).encode()), full_url, None)
    type_, old = named(raw) or ("", "")
    return Found(type_, old or _last_part(full_url, type_) or digest_of(raw), full_url, raw)


def _last_part(url: str, type_: str) -> str:
    """Reduce an absolute address to the id that it ends in: both name the same resource."""
    tail = _TAIL.search(url)
    return tail[2] if tail is not None and tail[1] == type_ else url
