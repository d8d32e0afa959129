"""A resource as it came: the text, what it says, and where each member stands.

Bytes in, bytes out: what was received is what is stored and served. The server writes three values
only (`id`, `meta.versionId`, `meta.lastUpdated`, FHIR R4 2.26.3) and splices them into the text;
nothing is ever re-serialised, so numbers, order, white space and unknown extensions stand.
Order: the document, reading, spans of nested values, splicing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from serment.errors import InvalidResourceError, MalformedError
from serment.fhir.json import (
    MAX_BYTES,
    Member,
    array_items,
    check_limits,
    decoded,
    object_members,
    skipped,
    value_start,
)

Edit = tuple[int, int, str]
"""Replace `text[start:end]` by the string."""


@dataclass(frozen=True, slots=True)
class Document:
    """One resource read strictly. Its content is left out of `repr`.

    `value` holds `Decimal` for numbers written with a point or an exponent; `members` gives for each
    top-level member the span of the text from the first character of its key to the last of its value.
    """

    type: str
    text: str = field(repr=False)
    value: dict[str, Any] = field(repr=False)
    members: dict[str, tuple[int, int]] = field(repr=False)

    def spliced(self, logical_id: str, version: int, updated: str) -> bytes:
        """Give the bytes with the server's id, version and instant; every other byte stands.

        `updated` is a FHIR instant. The other members of `meta` (profile, security, tag, …) stay as
        they are. Members that are absent are put right after `resourceType`. Raises
        `InvalidResourceError` when `meta` is not an object.
        """
        values = {"versionId": _quoted(str(version)), "lastUpdated": _quoted(updated)}
        edits: list[Edit] = []
        fresh = ""
        if "id" in self.members:
            start, end = self.members["id"]
            edits.append((value_start(self.text, start), end, _quoted(logical_id)))
        else:
            fresh += f',"id":{_quoted(logical_id)}'
        if "meta" in self.members:
            edits += _meta_edits(self, values)
        else:
            fresh += f',"meta":{{{_joined(values)}}}'
        after = self.members["resourceType"][1]
        return edited(self.text, [*edits, (after, after, fresh)]).encode()


def read(raw: bytes, limit: int = MAX_BYTES) -> Document:
    """Read one resource.

    Raises `TooLargeError` (over `limit` bytes, more than 64 levels) and `MalformedError` (not UTF-8, a
    byte order mark, not strict JSON, a key twice at any level, not an object with `resourceType`).
    """
    text = decoded(raw, limit)
    start = skipped(text, 0)
    if text[start : start + 1] != "{":
        raise MalformedError("fhir.not-a-resource")
    members, end = object_members(text, start)
    if skipped(text, end) != len(text):
        raise MalformedError("fhir.not-json", position=end)
    value = {member.key: member.value for member in members}
    if len(value) != len(members):
        raise MalformedError("fhir.duplicate-key")
    check_limits(text, value)
    kind = value.get("resourceType")
    if not isinstance(kind, str):
        raise MalformedError("fhir.not-a-resource")
    return Document(kind, text, value, {member.key: (member.start, member.end) for member in members})


def spans_of_array(document: Document, name: str) -> list[tuple[int, int]]:
    """Give the span in `document.text` of every item of the top-level array `name`.

    Empty when the member is absent. Raises `InvalidResourceError` when it is no array.
    """
    if name not in document.members:
        return []
    if not isinstance(document.value[name], list):
        raise InvalidResourceError("fhir.not-an-array", f"{document.type}.{name}")
    return array_items(document.text, value_start(document.text, document.members[name][0]))


def members_at(text: str, start: int) -> dict[str, Member]:
    """Give the members of the object at `start`, in a text that `read` took. Numbers stay text."""
    members, _ = object_members(text, start, again=True)
    return {member.key: member for member in members}


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Apply edits that do not overlap; everything else stands."""
    pieces: list[str] = []
    at = 0
    for start, end, replacement in sorted(edits):
        pieces += (text[at:start], replacement)
        at = end
    return "".join((*pieces, text[at:]))


def _meta_edits(document: Document, values: dict[str, str]) -> list[Edit]:
    """Replace the server's two members of `meta` where they stand, add them first where they do not."""
    meta = document.value["meta"]
    if not isinstance(meta, dict):
        raise InvalidResourceError("fhir.not-an-object", f"{document.type}.meta")
    start = value_start(document.text, document.members["meta"][0])
    here = members_at(document.text, start)
    edits = [(here[key].value_start, here[key].end, value) for key, value in values.items() if key in here]
    fresh = _joined({key: value for key, value in values.items() if key not in here})
    comma = "," if fresh and here else ""
    return [*edits, (start + 1, start + 1, fresh + comma)]


def _joined(values: dict[str, str]) -> str:
    return ",".join(f'"{key}":{value}' for key, value in values.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
