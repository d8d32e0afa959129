"""The JSON of a Binary without its content, and with it again, byte for byte (FHIR R4 2.39).

In this order: the JSON of a raw upload (`described`), taking the content out of a JSON Binary
(`separated`), the shell that keeps its place (`Shell`), links between a document and its Binaries.

Large content stands outside the JSON. What was received as JSON is given back as the same bytes, so
only base64 that has one spelling is taken out (RFC 4648 section 4, padded, no white space); any other
stays where it is. Nothing here stores, decides or serves anything.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from serment.fhir import document as documents
from serment.fhir.document import Document
from serment.fhir.json import value_start
from serment.fhir.transaction import attached

INLINE: Final = 32 * 1024
"""Content of at most this many bytes stays inside the sealed JSON."""

_PLACE: Final = b',"data":""'
_BINARY: Final = re.compile(r"(Binary/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


def described(content_type: str, context: str, id_: str = "") -> bytes:
    """Write the JSON of a raw upload: its type and its security context, and no content."""
    named = {"id": id_} if id_ else {}
    resource = {"resourceType": "Binary", **named, "contentType": content_type}
    return json.dumps({**resource, "securityContext": {"reference": context}}, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Separated:
    """A Binary whose content was taken out: `document` has an empty string in its place."""

    document: Document
    content: bytes = field(repr=False)


def separated(document: Document, least: int = INLINE) -> Separated | None:
    """Take the content out of a valid Binary, when there are more than `least` bytes of it.

    None when there is less, or when its base64 could not be written again as the same characters.
    """
    data = document.value.get("data")
    if document.type != "Binary" or not isinstance(data, str) or len(data) // 4 * 3 <= least:
        return None
    start, end = document.members["data"]
    opening = value_start(document.text, start)
    content = decoded(data)
    if content is None or len(content) <= least or end - opening != len(data) + 2:
        return None
    shell = document.text[: opening + 1] + document.text[end - 1 :]
    return Separated(documents.read(shell.encode()), content)


def decoded(data: str) -> bytes | None:
    """Decode base64 that has one spelling; None for any other."""
    try:
        content = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return None
    return content if base64.b64encode(content).decode() == data else None


def any_bytes(data: str) -> bytes:
    """Decode base64 of any spelling; b"" when it is none."""
    try:
        return base64.b64decode("".join(data.split()))
    except (ValueError, binascii.Error):
        return b""


def first_bytes(data: str, most: int) -> bytes:
    """Decode the beginning of base64 of any spelling; b"" when it is none."""
    head = "".join(data[: most * 2].split())
    return any_bytes(head[: len(head) // 4 * 4])[:most]


@dataclass(frozen=True, slots=True)
class Shell:
    """The JSON of a Binary with its content left out.

    `text[:at]` and `text[at:]` stand before and after the base64; without `text[start:end]` it is
    the resource that has no `data`. Offsets in bytes.
    """

    text: bytes = field(repr=False)
    at: int
    start: int
    end: int

    @property
    def sheet(self) -> bytes:
        """The resource without its content: what lists, histories and bundles show."""
        return self.text[: self.start] + self.text[self.end :]

    def filled(self, content: bytes) -> bytes:
        """Give the JSON with its content in its place."""
        return self.text[: self.at] + base64.b64encode(content) + self.text[self.at :]

    def length(self, size: int) -> int:
        """Give the length of the JSON with `size` bytes of content, in bytes."""
        return len(self.text) + (size + 2) // 3 * 4


def shell(spliced: bytes) -> Shell:
    """Find the place of the content in a Binary that `separated` or `described` made, or make it."""
    document = documents.read(spliced)
    if "data" not in document.members:
        brace = spliced.rindex(b"}")
        text = spliced[:brace] + _PLACE + spliced[brace:]
        return Shell(text, brace + len(_PLACE) - 1, brace, brace + len(_PLACE))
    start, end = document.members["data"]
    later = min((one for one, _ in document.members.values() if one > start), default=None)
    if later is None:
        cut = max((last for _, last in document.members.values() if last < end), default=start), end
    else:
        cut = start, later
    place, first, last = (len(document.text[:one].encode()) for one in (end - 1, *cut))
    return Shell(spliced, place, first, last)


def contents_of(document: Mapping[str, Any], base: str = "") -> list[str]:
    """List the Binaries of this server (`Binary/…`) that a DocumentReference names as its content."""
    local = (url.removeprefix(f"{base}/") if base else url for url in attached(document))
    found = (_BINARY.fullmatch(url) for url in local)
    return list(dict.fromkeys(match[1] for match in found if match))
