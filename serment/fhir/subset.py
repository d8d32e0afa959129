"""Part of a resource: `_summary` and `_elements` (R4 search.html#summary, #elements).

Members are dropped from the bytes that are stored; what stays, stays as it was written, every digit of a
number included. Mandatory and modifier elements always stay, asked or not: an answer without its
`status` would read as a fact where the item was entered in error. `meta` says `SUBSETTED`. Which element is
mandatory, a modifier or in the summary stands in `data/summary.json.gz`, made by
`tools/build_fhir_summary.py` from the official definitions. Order: the table, what stays, cutting. Pure.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from serment.fhir.document import members_at
from serment.fhir.json import Member, array_items, skipped
from serment.fhir.schema import choice_names

MANDATORY, MODIFIER, SUMMARY = 1, 2, 4
ALWAYS: Final = frozenset({"resourceType", "id", "meta"})
SUBSETTED: Final = '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'

Shape = Mapping[str, Any]
"""Member → flags, or `[flags, shape of its children]`."""
Keep = Callable[[str], bool]


@cache
def _table() -> dict[str, Shape]:
    packed = (files(__package__) / "data" / "summary.json.gz").read_bytes()
    table: dict[str, Shape] = json.loads(gzip.decompress(packed))
    return table


@cache
def element_names(resource_type: str) -> frozenset[str]:
    """Give the names by which members of a type are asked; a choice without its type."""
    return frozenset(map(_element, _table().get(resource_type, {})))


def _element(member: str) -> str:
    """Give the element that a member writes: `valueQuantity` → `value`, `_birthDate` → `birthDate`."""
    return choice_names().get(member, member).removesuffix("[x]").removeprefix("_")


def _flags(shape: Shape, member: str) -> int:
    found = shape.get(member.removeprefix("_"), 0)
    return int(found[0] if isinstance(found, list) else found)


def _below(shape: Shape, member: str) -> Shape | None:
    found = shape.get(member)
    return found[1] if isinstance(found, list) else None


def summarised(resource_type: str, body: bytes, summary: str) -> bytes:
    """Give the part that `_summary` asks: `true`, `text` or `data`."""
    shape = _table()[resource_type]
    if summary == "data":
        return _cut(body, lambda member: member not in {"text", "_text"})
    if summary == "text":
        return _cut(body, lambda member: member == "text" or bool(_flags(shape, member) & ~SUMMARY))
    return _cut(body, lambda member: bool(_flags(shape, member)), shape)


def elements(resource_type: str, body: bytes, names: Sequence[str]) -> bytes:
    """Give the members asked, with those that always stay."""
    shape, asked = _table()[resource_type], frozenset(names)
    return _cut(body, lambda member: _element(member) in asked or bool(_flags(shape, member) & ~SUMMARY))


def _cut(body: bytes, keep: Keep, shape: Shape | None = None) -> bytes:
    """Drop the members that are not kept, those of nested elements by `shape`; mark what is left."""
    text = body.decode()
    kept = []
    for member in members_at(text, skipped(text, 0)).values():
        if member.key == "meta":
            kept.append(_marked(text, member))
        elif member.key in ALWAYS or keep(member.key):
            kept.append(_written(text, member, _below(shape, member.key) if shape else None))
    return f"{{{','.join(kept)}}}".encode()


def _written(text: str, member: Member, below: Shape | None) -> str:
    """Give a member as it stands, without what its shape leaves out."""
    if below is None:
        return text[member.start : member.end]
    return f"{text[member.start : member.value_start]}{_value(text, member.value_start, member.end, below)}"


def _value(text: str, start: int, end: int, shape: Shape) -> str:
    if text[start] == "[":
        items = (_value(text, at, to, shape) for at, to in array_items(text, start))
        return f"[{','.join(items)}]"
    if text[start] != "{":
        return text[start:end]
    kept = [
        _written(text, member, _below(shape, member.key))
        for member in members_at(text, start).values()
        if _flags(shape, member.key)
    ]
    return f"{{{','.join(kept)}}}"


def _marked(text: str, meta: Member) -> str:
    """Give `meta` with the tag that says that this is a part (search.html#elements)."""
    here = members_at(text, meta.value_start)
    if "tag" not in here:
        comma = "," if here else ""
        start = meta.value_start + 1
        return f'{text[meta.start : start]}"tag":[{SUBSETTED}]{comma}{text[start : meta.end]}'
    tag = here["tag"]
    first = skipped(text, tag.value_start + 1)
    comma = "" if text[first] == "]" else ","
    return f"{text[meta.start : first]}{SUBSETTED}{comma}{text[first : meta.end]}"
