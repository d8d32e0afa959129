"""Who somebody is, as much as finding them shows: names, birth date, sex, identity status (pure).

Nothing else of a Patient comes here: no matricule, no address, no place of birth. The names are as they
were received; `sounds` are heard once, when the row is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from serment.errors import RequestError
from serment.identity import names
from serment.identity.status import status

_BIRTH_FIRST: Final = {"official": 0, "maiden": 1, "": 2, "usual": 3}
_LATER: Final = 4
_DATE_LENGTHS: Final = {len("1975"): 1, len("1975-05"): 2, len("1975-05-12"): 3}


class Who(msgspec.Struct, array_like=True, frozen=True):
    """One person. `patient` is the id of their Patient, `used` is "" when it is the birth name.

    `birth_date` is `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or "". `regime` and `structure` are those of the record:
    by them it is decided who may find the person.
    """

    patient: str
    birth: str
    used: str
    given: str
    birth_date: str
    sex: str
    status: str
    regime: str
    structure: str
    sounds: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Who(…)"


def who_of(patient: Mapping[str, Any], id_: str, regime: str, structure: str) -> Who:
    """Read who a Patient resource is about. What cannot be read is left out: nothing received is refused."""
    listed = patient.get("name")
    said = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    said.sort(key=lambda name: _BIRTH_FIRST.get(str(name.get("use", "")), _LATER))
    families = _each(name.get("family") for name in said)
    given = _each(one for name in said for one in _list(name.get("given")))
    birth, used = (*families, "", "")[:2]
    return Who(
        id_,
        birth,
        used,
        " ".join(given)[: names.LONGEST],
        _date(patient.get("birthDate")),
        str(patient.get("gender", "")),
        status(patient),
        regime,
        structure,
        tuple(_sounds(families[:2])),
    )


def number_of(birth_date: str) -> int:
    """Write a birth date as a number, `YYYYMMDD`; parts that are not said are 0."""
    return int(birth_date.replace("-", "").ljust(8, "0")) if birth_date else 0


def date_of(number: int) -> str:
    """Write such a number as a birth date again."""
    digits = f"{number:08d}"
    parts = [part for part in (digits[:4], digits[4:6], digits[6:]) if int(part)]
    return "-".join(parts)


def _each(values: Iterator[Any]) -> list[str]:
    """Keep the texts, each once (however it is written), without the signs that separate them in memory."""
    found: dict[str, str] = {}
    for value in values:
        if isinstance(value, str) and value.strip():
            shown = "".join(c for c in value if c.isprintable())[: names.LONGEST]
            found.setdefault(_plain(shown), shown)
    return list(found.values())


def _plain(name: str) -> str:
    try:
        return names.normalise(name)
    except RequestError:
        return name


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _date(value: Any) -> str:
    right = isinstance(value, str) and len(value) in _DATE_LENGTHS and value.replace("-", "").isdecimal()
    return value if right and value.isascii() else ""


def _sounds(families: list[str]) -> Iterator[str]:
    for family in families:
        try:
            yield names.sound(family)
        except RequestError:
            continue
