"""The strings under which a person may be found, before they become tokens.

Compound only (HOUSE section 5): `ins|<oid>|<matricule>` and `dob|<birth date>|<sound of the family name>`;
and for duplicates (ADR 46), so that a record whose name changed, or whose name or date was mistyped, is
still met: `call|<birth date>|<sound of the first given name>`, `born|<birth date>|<initials of both>` and
`near|<two of year, month and day>|<sound of the family name>|<initial of the first given name>`. They are
plaintext and identify somebody: the caller turns each into a truncated HMAC under the installation's person
key and drops it. They are never stored, logged or shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from serment.errors import RequestError
from serment.identity import ins, likeness, names
from serment.identity.likeness import Person


def person_keys(patient: Mapping[str, Any]) -> list[str]:
    """List the keys of a Patient resource, each once, in a stable order.

    Every INS, past ones too; birth date (as precise as received) with each family name, birth name
    and used name alike. What cannot be read is left out: a received resource is never refused here.
    """
    found = {f"ins|{oid}|{matricule}": None for oid, matricule in ins.matricules(patient)}
    birth_date = patient.get("birthDate")
    if isinstance(birth_date, str) and birth_date:
        found |= {f"dob|{birth_date}|{heard}": None for heard in _sounds(patient)}
    return list(found | _compounds(likeness.person_of(patient)))


def duplicate_keys(patient: Mapping[str, Any]) -> list[str]:
    """List the keys under which another record of the same person may stand, each once, the surest first.

    Its own keys, then those that it would have with another of its given names first, with names in each
    other's place, or day and month.
    """
    person = likeness.person_of(patient)
    born = person.birth_date
    families, given = _heard(person.families), _heard(person.given)
    found = dict.fromkeys(person_keys(patient))
    for called in person.given[1:]:
        found |= _compounds(replace(person, given=(called,)))
    if len(born) == FULL:
        found |= {f"dob|{born}|{heard}": None for heard in given}
        found |= {f"call|{born}|{heard}": None for heard in families}
        year, month, day = born.split("-")
        if day <= "12" and day != month:
            found |= {f"dob|{year}-{day}-{month}|{heard}": None for heard in families}
    found |= _compounds(replace(person, families=person.given[:1], given=person.families[:1]))
    return list(found)


FULL = len("YYYY-MM-DD")


def search_keys(birth_date: str, family: str) -> list[str]:
    """Give the keys of a search by birth date (`YYYY-MM-DD`) and birth or used name.

    Raises `RequestError` on a date that is not one, or a name without letters.
    """
    return [f"dob|{_day(birth_date)}|{names.sound(family)}"]


def search_key_ins(system: str, value: str) -> str:
    """Give the key of a search by INS (`system` with or without `urn:oid:`).

    The matricule's key is not checked here, so that a person received with a wrong one can still be
    found; `ins.check` is for typed input. Raises `RequestError` on another authority.
    """
    if not ins.is_ins(system):
        raise RequestError("identity.ins-authority", expected=", ".join(ins.MATRICULES))
    return f"ins|{ins.bare(system)}|{ins.compact(value)}"


def _compounds(person: Person) -> dict[str, None]:
    """Give the compounds for duplicates; a person without a full birth date or a given name has none."""
    born, called = person.birth_date, person.given[:1]
    if len(born) != FULL or not called:
        return {}
    year, month, day = born.split("-")
    found = [f"call|{born}|{heard}" for heard in _heard(called)]
    for family in person.families:
        found.append(f"born|{born}|{family[0]}{called[0][0]}")
        heard = likeness.heard(family)
        parts = (f"{year}-{month}", f"{year}--{day}", f"-{month}-{day}")
        found += [f"near|{part}|{heard}|{called[0][0]}" for part in parts]
    return dict.fromkeys(found)


def _heard(written: Iterable[str]) -> list[str]:
    return [likeness.heard(one) for one in written]


def _day(birth_date: str) -> str:
    """Refuse what is not a full calendar date in the extended form."""
    try:
        return date.fromisoformat(birth_date).isoformat()
    except ValueError:
        raise RequestError("identity.birth-date") from None


def _sounds(patient: Mapping[str, Any]) -> Iterator[str]:
    listed = patient.get("name")
    for name in listed if isinstance(listed, list) else ():
        family = name.get("family") if isinstance(name, dict) else None
        if isinstance(family, str):
            try:
                yield names.sound(family)
            except RequestError:
                continue
