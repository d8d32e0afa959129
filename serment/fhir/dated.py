"""The instant that an item speaks of, from its search values: when it was measured, prescribed, begun. Pure.

A list for people is put in this order, not in that of writing: what was scanned yesterday may be ten years
old. The order of the names is that of `fhir/summary`, which writes the same date.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from serment.fhir import search
from serment.fhir.match import decoder

FIRST: Final = (
    "onset-date",
    "onset",
    "authoredon",
    "authored-on",
    "authored",
    "date",
    "recorded-date",
    "effective",
    "effective-time",
    "whenprepared",
    "occurrence",
    "issued",
    "created",
    "period",
)
"""Date parameters of R4 that say what a resource speaks of, the most telling first."""


def moment(type_: str, updated: int, values: bytes) -> int:
    """Give the beginning (ms) of what an item speaks of; when it says none, `updated`.

    Raises `IntegrityError` on values of another format.
    """
    codes = _codes(type_)
    if not codes or not values:
        return updated
    found = decoder(codes)(values)
    for place in range(len(codes)):
        there = getattr(found, f"p{place}")
        if there:
            return int(there[0][0])
    return updated


@cache
def _codes(type_: str) -> tuple[str, ...]:
    known = search.searched(type_)
    return tuple(code for code in FIRST if code in known and known[code].type == "date")
