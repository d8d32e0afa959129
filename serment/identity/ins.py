"""The national health identity number: INS matricule and its authority.

A matricule is a NIR or a NIA: 13 characters and a key of two digits, 97 - (N mod 97), where the
Corsican departments 2A and 2B count as 19 and 18 (rules C; vectors of `test_vectors_identity.json`).
The number alone means nothing without the OID of the authority that gave it, and FR Core uses one
OID for the NIR of the *insured person* too (type NH, often a parent's): `matricules` reads the type.

Order: keys, authorities (the rows of `ins_oids.csv`, their `verified` flag kept), the check of what
a person typed, what a received resource carries, notes. Typed input is refused on a wrong key; a received
number is never refused here, because official example data hold wrong keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from serment.errors import RequestError
from serment.identity.reading import dicts
from serment.identity.tables import rows

NIR = "1.2.250.1.213.1.4.8"
NIA = "1.2.250.1.213.1.4.9"
NIR_TEST = "1.2.250.1.213.1.4.10"
NIR_DEMO = "1.2.250.1.213.1.4.11"

INSURED = "NH"
"""Type of the number of the insured person (v2-0203, as FR Core has it)."""

MATRICULES = (NIR, NIA, NIR_TEST, NIR_DEMO)
_FICTITIOUS = (NIR_TEST, NIR_DEMO)
_FIRST_DIGITS = {"M": "137", "F": "248"}
"""First digit by sex: 1 and 2; 3 and 4 while a foreign registration runs; 7 and 8 for a NIA (rules C)."""
_SHAPE = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Authority:
    """One row of `ins_oids.csv`. `verified` is the source's own word; anything but "yes" is not."""

    oid: str
    short_name: str
    meaning: str
    type_code: str
    use: str
    verified: str
    source: str


def key(number: str) -> str:
    """Compute the two digits that close the 13 characters of `number`.

    Raises `ValueError` when `number` is not 12 digits and a Corsican letter, or 13 digits.
    """
    department = {"2A": "19", "2B": "18"}.get(number[5:7], number[5:7])
    return f"{97 - int(number[:5] + department + number[7:]) % 97:02d}"


def compact(matricule: str) -> str:
    """Drop the blanks that cards and forms print between the groups; capitals."""
    return "".join(matricule.split()).upper()


def bare(oid: str) -> str:
    """Give an OID without its `urn:oid:` prefix; the letters of a URN's prefix have no case (RFC 8141)."""
    typed = oid.strip()
    return typed[8:] if typed[:8].lower() == "urn:oid:" else typed


def is_matricule(matricule: str) -> bool:
    """Tell whether 15 characters have the shape of a matricule and the right key."""
    return _SHAPE.fullmatch(matricule) is not None and key(matricule[:13]) == matricule[13:]


def check(matricule: str, oid: str) -> None:
    """Refuse a matricule as a person typed it.

    `oid` with or without `urn:oid:`. Raises `RequestError`: unknown authority (the retired INS-C
    too), wrong length, characters or key. The message never repeats the number.
    """
    if bare(oid) not in MATRICULES:
        raise RequestError("identity.ins-authority", expected=", ".join(MATRICULES))
    typed = compact(matricule)
    if len(typed) != 15:
        raise RequestError("identity.ins-length")
    if _SHAPE.fullmatch(typed) is None:
        raise RequestError("identity.ins-characters")
    if key(typed[:13]) != typed[13:]:
        raise RequestError("identity.ins-key")


@cache
def authorities() -> Mapping[str, Authority]:
    """Read `ins_oids.csv`: OID → row, flags as they stand there."""
    return {
        row["oid"]: Authority(
            oid=row["oid"],
            short_name=row["short_name"],
            meaning=row["meaning"],
            type_code=row["hl7_type_code_fr_core"],
            use=row["identifier_use"],
            verified=row["verified"],
            source=row["source"],
        )
        for row in rows("ins_oids.csv")
    }


def is_ins(oid: str) -> bool:
    """Tell whether `oid` names an authority whose numbers are INS matricules today."""
    return bare(oid) in MATRICULES


def is_fictitious(oid: str) -> bool:
    """Tell whether `oid` marks test or demonstration people, who never mix with real ones."""
    return bare(oid) in _FICTITIOUS


def matricules(patient: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """List the INS of a Patient resource as (OID, matricule), past ones too (RNIV rule 25).

    One typed as the number of the insured person (NH) under the same OID is left out: it may be a
    parent's. Any other type, and none, is taken at the word of its system.
    """
    for identifier in dicts(patient.get("identifier")):
        system, value = identifier.get("system"), identifier.get("value")
        if isinstance(system, str) and isinstance(value, str) and is_ins(system) and _typed_ins(identifier):
            yield bare(system), compact(value)


def _typed_ins(identifier: Mapping[str, Any]) -> bool:
    """Tell whether the number is the person's own: any type but that of the insured person's (NH)."""
    kind = identifier.get("type")
    codes = [c.get("code") for c in dicts(kind.get("coding"))] if isinstance(kind, dict) else []
    return not codes or any(code != INSURED for code in codes)


def carried(value: object) -> Iterator[tuple[str, str]]:
    """List every INS that stands anywhere in a resource as (OID, matricule), however deep."""
    if isinstance(value, list):
        for item in value:
            yield from carried(item)
    elif isinstance(value, dict):
        yield from matricules({"identifier": [value]})
        for inner in value.values():
            if isinstance(inner, dict | list):
                yield from carried(inner)


def incoherences(matricule: str, sex: str, birth_date: str) -> tuple[str, ...]:
    """Say where a matricule does not go with the traits: sentence ids of notes, never a ground to refuse.

    A changed sex, a birth registered late or a provisional number make true identities incoherent (rules C).
    `sex` is M or F, `birth_date` `YYYY-MM-DD`; what is not known is not compared.
    """
    year, month = birth_date[2:4], birth_date[5:7]
    notes = []
    if sex and matricule[:1] not in _FIRST_DIGITS[sex]:
        notes.append("identity.note-sex")
    if year and matricule[1:3] != year:
        notes.append("identity.note-year")
    if month and "01" <= matricule[3:5] <= "12" and matricule[3:5] != month:
        notes.append("identity.note-month")
    return tuple(notes)


def follows(old: tuple[str, str], new: tuple[str, str]) -> bool:
    """Say whether (OID, matricule) `new` may follow `old`: the same, or a NIR after a NIA (rule 26)."""
    return old == new or (old[0] == NIA and new[0] == NIR)
