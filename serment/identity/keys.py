"""The strings under which a person may be found, before they become tokens.

Compound only (HOUSE section 5): `ins|<oid>|<matricule>` and `dob|<birth date>|<sound of the family
name>`. They are plaintext and identify somebody: the caller turns each into a truncated HMAC under
the installation's person key and drops it. They are never stored, logged or shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from serment.errors import RequestError
from serment.identity import ins, names


def person_keys(patient: Mapping[str, Any]) -> list[str]:
    """List the keys of a Patient resource, each once, in a stable order.

    Every INS, past ones too; birth date (as precise as received) with each family name, birth name
    and used name alike. What cannot be read is left out: a received resource is never refused here.
    """
    found = {f"ins|{oid}|{matricule}": None for oid, matricule in ins.matricules(patient)}
    birth_date = patient.get("birthDate")
    if isinstance(birth_date, str) and birth_date:
        found |= {f"dob|{birth_date}|{heard}": None for heard in _sounds(patient)}
    return list(found)


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
