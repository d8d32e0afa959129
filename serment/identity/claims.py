"""What Pro Santé Connect says of a professional, read strictly (pure; rules D).

`SubjectNameID` is the national identifier (IDNPS): "8" and an RPPS with a true check digit. `SubjectRefPro`
lists the exercises: profession, category (C civil, M military, E in training), the places of each. PSC says
who somebody is and which profession they may exercise; it does not say where they may act here: that is
the word of the structure that enrolled them (ADR 50). `Acces_Regulation_Medicale` opens the regulation door
(VRAI) or does not.

Order: the nouns, reading, which functions a profession may have. What is not understood is refused; nothing
here quotes a claim in an error.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from serment.errors import SignInError
from serment.identity import rpps
from serment.model import Function

IN_TRAINING: Final = "E"
_CATEGORIES: Final = frozenset({"C", "E", "M"})
_TRAINED: Final = frozenset({Function.TRAINEE, Function.LOCUM})
_MOST: Final = 64
"""Exercises, and places of one, that are read: more is hostile."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One exercise as claimed: codes of TRE_G15 and of the categories, FINESS numbers of its places."""

    profession: str
    category: str
    speciality: str = ""
    places: frozenset[str] = frozenset()

    def allows(self, profession: str, function: Function) -> bool:
        """Say whether somebody with this exercise may be enrolled so: an intern never as a specialist."""
        if profession != self.profession or function not in functions().get(profession, frozenset()):
            return False
        return self.category != IN_TRAINING or function in _TRAINED


@dataclass(frozen=True, slots=True)
class Professional:
    """A professional as Pro Santé Connect tells them. `level` says how they signed in there."""

    rpps: str = field(repr=False)
    exercises: tuple[Claimed, ...]
    regulation: bool = False
    level: str = ""

    def allows(self, profession: str, function: Function) -> bool:
        """Say whether one of their exercises allows an enrolment."""
        return any(one.allows(profession, function) for one in self.exercises)


def professional(claims: Mapping[str, Any]) -> Professional:
    """Read the UserInfo of Pro Santé Connect.

    Raises `SignInError` for another register than RPPS, a wrong check digit, claims of another shape, and
    somebody without any exercise.
    """
    number = _rpps(claims.get("SubjectNameID"))
    exercises = tuple(_exercise(one) for one in _list(_object(claims.get("SubjectRefPro")).get("exercices")))
    if not exercises:
        raise SignInError("identity.claims-none")
    regulation = claims.get("Acces_Regulation_Medicale") == "VRAI"
    return Professional(number, exercises, regulation, _text(claims.get("Palier_Authentification", "")))


def _rpps(said: object) -> str:
    """Read the RPPS inside a national identifier. An official example with a wrong key is refused too."""
    identifier = _text(said)
    number = identifier[1:]
    if not identifier.startswith("8") or not rpps.is_rpps(number) or not number.isascii():
        raise SignInError("identity.claims-rpps")
    return number


def _exercise(said: object) -> Claimed:
    one = _object(said)
    category = _text(one.get("codeCategorieProfessionnelle"))
    if category not in _CATEGORIES:
        raise SignInError("identity.claims")
    places = (_text(_object(place).get("numeroFinessSite", "")) for place in _list(one.get("activities", [])))
    return Claimed(
        _text(one.get("codeProfession")),
        category,
        _text(one.get("codeSavoirFaire", "")),
        frozenset(place for place in places if place),
    )


def _object(said: object) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise SignInError("identity.claims")
    return said


def _list(said: object) -> list[Any]:
    if not isinstance(said, list) or len(said) > _MOST:
        raise SignInError("identity.claims")
    return said


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise SignInError("identity.claims")
    return said


@cache
def functions() -> Mapping[str, frozenset[Function]]:
    """Give the functions that each profession may have here. A code that is not listed has none."""
    text = files("serment.identity").joinpath("profession_functions.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["code"]: frozenset(Function(one) for one in row["functions"].split()) for row in rows}
