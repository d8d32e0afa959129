"""Invented people: identity traits that hold together, by household.

Family names are made of a stem and an ending, so that none is somebody's but all read as French;
given names follow the generation. The matricule is a *test* INS (OID 1.2.250.1.213.1.4.10): sex,
year, month and place of birth are those of the person, and its key is true. Telephone numbers are
in the ranges kept for fiction, mail addresses under `.example`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from serment.identity import ins
from serment.identity.names import normalise

_STATUSES = ("QUAL",) * 16 + ("RECUP", "VALI", "VALI", "PROV")


@cache
def _stuff() -> dict[str, Any]:
    """Read `names.toml`."""
    return tomllib.loads(files(__package__).joinpath("names.toml").read_text("utf-8"))


def draws(seed: int | str) -> Random:
    """Give the generator of a seed: invented people are no secret, they must come again the same."""
    return Random(seed)  # noqa: S311 - draws of a demonstration, never a key or a token


@dataclass(frozen=True, slots=True)
class Traits:
    """One invented person. Dates are calendar dates; `given` is the birth list; `mobile` may be ""."""

    key: str
    sex: str
    birth_date: date
    birth_name: str
    used_name: str
    given: tuple[str, ...]
    place_code: str
    place: str
    matricule: str
    line: str
    mobile: str
    mail: str
    status: str

    @property
    def name(self) -> str:
        """Give the name that people use: first given name and used name."""
        return f"{self.given[0]} {self.used_name}"

    def age(self, today: date) -> int:
        """Count full years on `today`."""
        birthday = (today.month, today.day) < (self.birth_date.month, self.birth_date.day)
        return today.year - self.birth_date.year - birthday


@dataclass(frozen=True, slots=True)
class Household:
    """People under one roof: adults first, then children. Two adults are a couple."""

    adults: tuple[Traits, ...]
    children: tuple[Traits, ...]

    @property
    def members(self) -> tuple[Traits, ...]:
        """List everybody, adults first."""
        return self.adults + self.children


@dataclass
class Register:
    """Gives out people: no key, matricule or family name is given twice. Order of calls is the seed's."""

    rng: Random
    today: date
    count: int = 0

    def __post_init__(self) -> None:
        self._matricules: set[str] = set()
        self._families = self._shuffled()

    def household(self, adult_ages: tuple[int, ...], child_ages: tuple[int, ...]) -> Household:
        """Make one household: a woman then a man when two adults, one used name, one address.

        Children are girls and boys in turn, the first a girl.
        """
        family = next(self._families)
        line = f"{self.rng.randint(1, 98)} rue {self.rng.choice(_stuff()['streets'])}"
        sexes = ("female", "male") if len(adult_ages) > 1 else (self.rng.choice(("female", "male")),)
        adults = tuple(
            self._person(sex, age, self._birth_name(sex, family, couple=len(adult_ages) > 1), family, line)
            for sex, age in zip(sexes, adult_ages, strict=True)
        )
        children = tuple(
            self._person(("female", "male")[order % 2], age, family, family, line)
            for order, age in enumerate(child_ages)
        )
        return Household(adults, children)

    def households(self, people: int) -> Iterator[Household]:
        """Make households of every kind until `people` are given out; the last one may be cut to a single."""
        until = self.count + people
        while self.count < until:
            adults, children = self._ages()
            left = until - self.count
            yield self.household(adults[:left], children[: max(0, left - len(adults))])

    def _ages(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Draw the ages of one household: alone, a couple, or parents with children."""
        draw = self.rng.random()
        if draw < 0.35:
            return (self.rng.randint(19, 93),), ()
        elder = self.rng.randint(24, 88)
        pair = (elder, min(95, max(20, elder + self.rng.randint(-3, 6))))
        if draw < 0.6 or not 24 <= elder <= 55:
            return pair, ()
        oldest = min(17, elder - 22)
        ages = sorted((self.rng.randint(0, oldest) for _ in range(self.rng.randint(1, 3))), reverse=True)
        return (pair if draw < 0.9 else pair[:1]), tuple(ages)

    def _birth_name(self, sex: str, family: str, *, couple: bool) -> str:
        """Give the name of birth: most wives use their husband's and keep their own on the register."""
        return next(self._families) if couple and sex == "female" and self.rng.random() < 0.8 else family

    def _person(self, sex: str, age: int, birth_name: str, used_name: str, line: str) -> Traits:
        self.count += 1
        birth_date = self._born(age)
        code, place = self.rng.choice(_stuff()["places"])
        generation = 0 if age > 75 else 1 if age > 52 else 2 if age > 24 else 3
        names = _stuff()["given"][sex][generation].split()
        given = tuple(self.rng.sample(names, self.rng.randint(1, 3)))
        digits = f"{self.rng.randrange(10_000):04d}"
        return Traits(
            key=f"p{self.count:04d}",
            sex=sex,
            birth_date=birth_date,
            birth_name=birth_name,
            used_name=used_name,
            given=given,
            place_code=code,
            place=place,
            matricule=self._matricule(sex, birth_date, code),
            line=line,
            mobile=f"06 39 98 {digits[:2]} {digits[2:]}" if age > 11 else "",
            mail=f"p{self.count:04d}@courriel.example" if 15 < age < 80 else "",
            status=self.rng.choice(_STATUSES),
        )

    def _born(self, age: int) -> date:
        """Draw a birth date that makes somebody `age` years old today."""
        latest = date(self.today.year - age, self.today.month, min(self.today.day, 28))
        return latest - timedelta(days=self.rng.randint(40, 360))

    def _matricule(self, sex: str, birth_date: date, place_code: str) -> str:
        """Make a test matricule coherent with the traits, its order number free."""
        while True:
            order = self.rng.randint(1, 990)
            number = f"{1 if sex == 'male' else 2}{birth_date:%y%m}{place_code}{order:03d}"
            if number not in self._matricules:
                self._matricules.add(number)
                return number + ins.key(number)

    def _shuffled(self) -> Iterator[str]:
        """Give family names in a random order, without prefix first, then with."""
        plain = [
            stem + ending for stem in _stuff()["stems"].split() for ending in _stuff()["endings"].split()
        ]
        prefixes: list[str] = _stuff()["prefixes"]
        self.rng.shuffle(plain)
        for place, name in enumerate(plain):
            yield _joined(prefixes[place % len(prefixes)], name)
        for place, name in enumerate(plain):
            yield f"{name}-{plain[(place * 7 + 3) % len(plain)]}"


def _joined(prefix: str, name: str) -> str:
    """Put a prefix before a family name: "de" elides before a vowel, "Le" is left out there."""
    if normalise(name)[0] not in "AEIOU":
        return prefix + name
    return {"de ": "d'", "Le ": ""}.get(prefix, prefix) + name
