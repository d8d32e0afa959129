"""How alike two people's traits are, field by field: the levels that weights are given to.

A level is a word (`same`, `heard`, `close` …), "" when one side does not say. Names are compared as
strict traits (`names.normalise`) without their signs, birth and used names alike: which of the two a
received resource gives is not always said. Nothing here knows a weight or draws a conclusion.

Order: what is known of one person, reading it, the levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from serment.errors import RequestError
from serment.identity import ins, names, places, traits
from serment.identity.reading import dicts

SAME, HEARD, CLOSE, LISTED, SWAPPED, OTHER, UNSAID = (
    "same", "heard", "close", "listed", "swapped", "other", "",
)  # fmt: skip
NEAR, YEAR = "near", "year"

ALIKE = 0.88
"""Two names whose Jaro-Winkler similarity is at least this are close."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is compared of one person; none of it is shown by `repr`.

    `families` and `given` are letters only, capitals; `birth_date` is `YYYY-MM-DD` or less precise, "" when
    unknown; `place` a five-character code of the place of birth; `matricules` are (OID, matricule).
    """

    families: tuple[str, ...] = field(default=(), repr=False)
    given: tuple[str, ...] = field(default=(), repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    place: str = field(default="", repr=False)
    matricules: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    past: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    @classmethod
    def of(
        cls,
        families: Iterable[str],
        given: Iterable[str],
        birth_date: str = "",
        sex: str = "",
        place: str = "",
        matricules: Iterable[tuple[str, str]] = (),
        past: Iterable[tuple[str, str]] = (),
    ) -> Person:
        """Make a person from traits as they are written; what cannot be read is left out."""
        known = sex if sex in {"male", "female"} else ""
        code = place if len(place) == 5 and place != places.UNKNOWN else ""
        before = frozenset(past)
        listed = [word for one in given for word in one.split()]
        return cls(_letters(families), _letters(listed), birth_date, known, code,
                   frozenset(matricules) - before, before)  # fmt: skip


def person_of(patient: Mapping[str, Any]) -> Person:
    """Read a Patient resource. What has not the shape of FHIR is left out: nothing is refused here."""
    listed = list(dicts(patient.get("name")))
    old = [one for one in dicts(patient.get("identifier")) if one.get("use") == "old"]
    return Person.of(
        (one["family"] for one in listed if isinstance(one.get("family"), str)),
        (word for one in listed for word in _texts(one.get("given"))),
        _text(patient.get("birthDate")),
        _text(patient.get("gender")),
        traits.of(patient).birth_place,
        ins.matricules(patient),
        ins.matricules({"identifier": old}),
    )


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _letters(written: Iterable[str]) -> tuple[str, ...]:
    """Keep each readable name once, in its order."""
    return tuple(dict.fromkeys(filter(None, map(_plain, written))))


@lru_cache(maxsize=8192)
def _plain(name: str) -> str:
    try:
        normal = names.normalise(name)[: names.LONGEST]
    except RequestError:
        return ""
    return normal.replace("-", " ").replace("'", " ").strip()


# Levels.


def family(one: Person, other: Person) -> str:
    """Compare family names: any of one side with any of the other."""
    if not one.families or not other.families:
        return UNSAID
    if swapped(one, other):
        return SWAPPED
    return best_of(one.families, other.families)


def given(one: Person, other: Person) -> str:
    """Compare given names: the first ones, then any of the list (a second one may be the used one)."""
    if not one.given or not other.given:
        return UNSAID
    if swapped(one, other):
        return SWAPPED
    first = _pair(one.given[0], other.given[0])
    if first != OTHER:
        return first
    mine, theirs = (frozenset(person.given) for person in (one, other))
    return LISTED if mine & theirs else OTHER


def swapped(one: Person, other: Person) -> bool:
    """Say whether family and given names stand in each other's place, and do not as they are."""
    if set(one.families) & set(other.families) or not (one.given and other.given):
        return False
    crossed = (best_of(one.families, other.given), best_of(one.given, other.families))
    return SAME in crossed and OTHER not in crossed


def best_of(some: Sequence[str], others: Sequence[str]) -> str:
    """Give the best level of any two names."""
    found = {_pair(one, other) for one in some for other in others}
    return next(level for level in (SAME, HEARD, CLOSE, OTHER) if level in found)


@lru_cache(maxsize=65536)
def _pair(one: str, other: str) -> str:
    if one == other:
        return SAME
    joined, beside = one.replace(" ", ""), other.replace(" ", "")
    if joined == beside or heard(one) == heard(other):
        return HEARD
    mine, theirs = set(one.split()), set(other.split())
    contained = len(mine) != len(theirs) and (mine <= theirs or theirs <= mine)
    alike = contained or one_slip(joined, beside) or similarity(joined, beside) >= ALIKE
    return CLOSE if alike else OTHER


@lru_cache(maxsize=65536)
def heard(name: str) -> str:
    """Give the sound of a name made of letters."""
    return names.sound(name)


def birth_date(one: Person, other: Person) -> str:
    """Compare birth dates: the same, day and month swapped, one element apart, only the year."""
    mine, theirs = one.birth_date, other.birth_date
    if not mine or not theirs:
        return UNSAID
    if mine == theirs:
        return SAME
    here, there = mine.split("-"), theirs.split("-")
    return (
        _apart(here, there)
        if len(here) == len(there) == len(("year", "month", "day"))
        else _year(here, there)
    )


def _apart(here: list[str], there: list[str]) -> str:
    """Compare two full dates that differ."""
    if here == [there[0], there[2], there[1]]:
        return SWAPPED
    apart = [(a, b) for a, b in zip(here, there, strict=True) if a != b]
    if here[1:] == there[1:] == NO_DAY.split("-")[1:]:
        return OTHER
    if len(apart) == 1 and (here[0] == there[0] or _slipped(*apart[0])):
        return NEAR
    return _year(here, there)


def _year(here: list[str], there: list[str]) -> str:
    return YEAR if here[0] == there[0] else OTHER


NO_DAY = "-01-01"
"""What is written of somebody whose day of birth nobody knows: it says the year, and no more."""


def _slipped(year: str, other: str) -> bool:
    """Say whether a year was mistyped: one digit, or the year before or after."""
    digits = sum(a != b for a, b in zip(year, other, strict=False))
    return digits == 1 or (year.isdigit() and other.isdigit() and abs(int(year) - int(other)) == 1)


def sex(one: Person, other: Person) -> str:
    """Compare the sexes of the register."""
    if not one.sex or not other.sex:
        return UNSAID
    return SAME if one.sex == other.sex else OTHER


def place(one: Person, other: Person) -> str:
    """Compare places of birth: the commune, then the department or country (RNIV rule 14)."""
    mine, theirs = one.place, other.place
    if not mine or not theirs:
        return UNSAID
    if mine == theirs:
        return SAME
    return NEAR if _district(mine) == _district(theirs) else OTHER


def _district(code: str) -> str:
    return code if code.startswith("99") else code[: 3 if code.startswith("97") else 2]


def one_slip(one: str, other: str) -> bool:
    """Say whether one letter was left out, added or changed, or two neighbours exchanged."""
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < SHORTEST:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    mine, theirs = one[start:], other[start:]
    if len(mine) == len(theirs):
        return mine[1:] == theirs[1:] or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    return mine[1:] == theirs or mine == theirs[1:]


SHORTEST = 3
"""Letters that a name has at least for a slip in it to be told from another name."""


def similarity(one: str, other: str) -> float:
    """Give the Jaro-Winkler similarity of two strings, 0 to 1 (Winkler 1990)."""
    if not one or not other:
        return 0.0
    reach = max(0, max(len(one), len(other)) // 2 - 1)
    mine, theirs = _met(one, other, reach), _met(other, one, reach)
    if not mine:
        return 0.0
    moved = sum(a != b for a, b in zip(mine, theirs, strict=True)) // 2
    met = len(mine)
    jaro = (met / len(one) + met / len(other) + (met - moved) / met) / 3
    prefix = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return jaro + min(4, prefix) * 0.1 * (1 - jaro)


def _met(one: str, other: str, reach: int) -> list[str]:
    """Give the letters of `one` that `other` has within `reach` places, each taken once."""
    free = list(other)
    found: list[str] = []
    for place, letter in enumerate(one):
        for at in range(max(0, place - reach), min(len(free), place + reach + 1)):
            if free[at] == letter:
                free[at] = ""
                found.append(letter)
                break
    return found
