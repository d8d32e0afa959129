"""The INS Datamatrix, as two public decoders read it (ANS_Datamatrix_INS 2.2 itself was not read).

A header of 26 characters, then fields: a tag, a value, and GS (0x1D) after a value shorter than its field
may be. Fields come in any order and each once: a hostile label puts digits in a name to forge a second tag,
so nothing is ever looked for by its tag. Only the unsigned variant is known; scanning one proves nothing
about who bears it (collection method CB).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from serment.errors import RequestError
from serment.identity import birth_dates, ins, names, places
from serment.identity.traits import Traits, typed

_HEADER: Final = "IS01" + "0" * 22
_GS: Final = "\x1d"
_FIELDS: Final[Mapping[str, tuple[int, int]]] = {
    "S1": (15, 15),
    "S2": (19, 20),
    "S3": (1, names.LONGEST),
    "S4": (1, names.LONGEST),
    "S5": (1, 1),
    "S6": (10, 10),
    "S7": (5, 5),
}
"""Tag → shortest and longest value: matricule, OID, given names, birth name, sex, birth date, place."""

_OPTIONAL: Final = "S7"


def read(text: str) -> tuple[tuple[str, str], Traits]:
    """Read a label: (OID, matricule) and the five traits, an absent place as unknown.

    Raises `RequestError`: another marker or version, a field unknown, repeated or missing, a value of a wrong
    size, a wrong key, an unknown authority, an impossible date.
    """
    found = _fields(text)
    matricule, oid = found["S1"], found["S2"]
    ins.check(matricule, oid)
    day = "-".join(reversed(found["S6"].split("-")))
    place = found.get(_OPTIONAL, places.UNKNOWN)
    if not all(_is_name(found[tag]) for tag in ("S3", "S4")):
        raise RequestError("identity.datamatrix")
    said = Traits(found["S4"], found["S3"], birth_dates.check(day), found["S5"], place)
    return (ins.bare(oid), matricule), typed(said)


def _fields(text: str) -> dict[str, str]:
    if not text.startswith(_HEADER):
        raise RequestError("identity.datamatrix")
    found: dict[str, str] = {}
    at = len(_HEADER)
    while at < len(text):
        tag = text[at : at + 2]
        if tag not in _FIELDS or tag in found:
            raise RequestError("identity.datamatrix")
        found[tag], at = _value(text, at + 2, *_FIELDS[tag])
    if not _FIELDS.keys() - {_OPTIONAL} <= found.keys():
        raise RequestError("identity.datamatrix")
    return found


def _value(text: str, at: int, least: int, most: int) -> tuple[str, int]:
    """Take the value at a place, and say where the next tag begins."""
    value = text[at : at + most].partition(_GS)[0]
    end = at + len(value)
    closed = end >= len(text) or text[end] == _GS or len(value) == most
    if not least <= len(value) or not closed:
        raise RequestError("identity.datamatrix")
    return value, end + (text[end : end + 1] == _GS)


def _is_name(value: str) -> bool:
    """Say whether a value holds what a register's name may: a digit there is a tag that somebody forged."""
    return not any(c.isdigit() for c in value)
