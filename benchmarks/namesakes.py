"""Many people with names as common as they are in France: for searches by name, and for the thief who counts.

Deterministic by seed. Family names follow published shares: the most borne name 0.36 % of the people, the
second 0.18 %, the ten first 1.9 %, the hundred first 9 %, a thousand names a quarter of them, 7 000 a half,
47 000 three quarters, some 850 000 in all (INSEE's file of family names as commonly quoted, by Geneanet,
eupedia.com and planet.fr among others). Between two points the share grows with the logarithm of the rank,
evenly among the first hundred. The first names are those of `identity/family_names.csv`, the others are
invented. Birth dates: every day alike up to 75 years of age, then fewer and fewer to 100; one person in fifty
is registered as born on 1 January.

Order: names, dates, people. Nobody here exists.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from math import exp, log
from random import Random
from typing import Final
from uuid import UUID

from benchmarks.identities import GIVEN
from serment.demo.traits import draws
from serment.identity import names
from serment.identity.who import Who

SHARES: Final = (
    (1, 0.0036),
    (2, 0.0054),
    (10, 0.0189),
    (50, 0.06),
    (100, 0.09),
    (1_000, 0.25),
    (7_000, 0.50),
    (47_000, 0.75),
    (850_000, 1.0),
)
"""Rank of a family name, and the share of the people who bear it or a more common one."""

FLAT: Final = 100
"""Up to this rank the names between two points are equally common."""

MIGRANTS: Final = 0.02
"""People registered as born on 1 January."""

THIS_YEAR: Final = 2026
FEWER_FROM: Final = 75
OLDEST: Final = 100

_SYLLABLES: Final = (
    "BA BEL BER BON BOU BRE CA CHA CHE COR DA DE DU FER FLO FON GAL GAR GER GOU GUI HA HER JA JOU KER LA LAN "
    "LE LOU MA MAR MEN MON MOU NA NI PA PE PER PI POU QUE RA RE RI ROU SA SAU SE TA TE TOU TRE VA VER VI VIL"
)
_ENDINGS: Final = "ARD AUD AULT AY EAU EL ET EZ IER IN ON OT OUX UC"


# Names.


@lru_cache(maxsize=1 << 18)
def family_name(rank: int) -> str:
    """Give the family name of a rank, 1 the most common."""
    if rank <= len(_listed()):
        return _listed()[rank - 1]
    syllables, endings = _SYLLABLES.split(), _ENDINGS.split()
    name, left = "", rank
    while left:
        left, syllable = divmod(left, len(syllables))
        name += syllables[syllable]
    return name + endings[rank % len(endings)]


@lru_cache(maxsize=1)
def _listed() -> list[str]:
    text = files("serment.identity").joinpath("family_names.csv").read_text("utf-8")
    return [row["name"] for row in csv.DictReader(line for line in text.splitlines() if line[0] != "#")]


def rank_at(share: float) -> int:
    """Give the rank of the name that the person at this share (0 to 1) of the people bears."""
    place = bisect_right([one for _, one in SHARES], share)
    if place == 0:
        return 1
    (low, before), (high, after) = SHARES[place - 1], SHARES[min(place, len(SHARES) - 1)]
    along = (share - before) / (after - before) if after > before else 0.0
    rank = low + along * (high - low) if high <= FLAT else low * exp(along * log(high / low))
    return min(high, int(rank) + 1)


def share_of(rank: int) -> float:
    """Give the share of the people who bear the name of a rank."""
    if rank == 1:
        return SHARES[0][1]
    place = next(n for n, (last, _) in enumerate(SHARES) if rank <= last)
    (low, before), (high, after) = SHARES[place - 1], SHARES[place]
    part = 1 / (high - low) if high <= FLAT else log(rank / (rank - 1)) / log(high / low)
    return (after - before) * part


# Dates.


def born(rng: Random) -> tuple[int, int, int]:
    """Draw a birth date: year, month, day (a month has 28)."""
    age = int(rng.random() * OLDEST)
    while rng.random() > min(1.0, (OLDEST - age) / (OLDEST - FEWER_FROM)):
        age = int(rng.random() * OLDEST)
    if rng.random() < MIGRANTS:
        return THIS_YEAR - age, 1, 1
    return THIS_YEAR - age, int(rng.random() * 12) + 1, int(rng.random() * 28) + 1


# People.


@dataclass(frozen=True, slots=True)
class Bearer:
    """One person: the ranks of their birth name and of the name they use (0: the same), and the rest."""

    sex: str
    rank: int
    used: int
    given: str = field(repr=False)
    birth_date: str = field(repr=False)

    def ranks(self) -> tuple[int, ...]:
        """Give the ranks of their family names."""
        return (self.rank, self.used) if self.used else (self.rank,)

    def sounds(self) -> tuple[str, ...]:
        """Hear their family names."""
        return tuple(map(_heard, self.ranks()))


@lru_cache(maxsize=1 << 18)
def _heard(rank: int) -> str:
    return names.sound(family_name(rank))


def bearers(seed: str, count: int) -> Iterator[Bearer]:
    """Draw so many people. Every third woman uses another family name than that of her birth."""
    rng = draws(seed)
    for _ in range(count):
        sex = "female" if rng.random() < 0.5 else "male"
        year, month, day = born(rng)
        used = rank_at(rng.random()) if sex == "female" and rng.random() < 1 / 3 else 0
        given = " ".join(_given(rng, sex) for _ in range(2))
        yield Bearer(sex, rank_at(rng.random()), used, given, f"{year}-{month:02}-{day:02}")


def _given(rng: Random, sex: str) -> str:
    """Draw a given name: the first of the list are the most common."""
    listed = _split(sex)
    return listed[int(len(listed) ** rng.random()) - 1]


@lru_cache
def _split(sex: str) -> list[str]:
    return GIVEN[sex].split()


def rows(seed: str, count: int, structure: str) -> Iterator[Who]:
    """Draw people as the register of patients holds them."""
    rng = draws(f"{seed} ids")
    for one in bearers(seed, count):
        yield Who(
            str(UUID(int=rng.getrandbits(128), version=4)),
            family_name(one.rank),
            family_name(one.used) if one.used else "",
            one.given,
            one.birth_date,
            one.sex,
            "VALI",
            "own",
            structure,
            one.sounds(),
        )
