"""Are two records one person? Weights of Fellegi and Sunter over the levels of `likeness`.

`duplicates.csv` holds, for each field and level, how often it is met between two records of one person
(m) and of two people (u), and the weight log2(m/u); `tools/fit_duplicates.py` fits it. A common family
name that agrees says less: `family_names.csv` gives the share of people who bear it.

Three answers. `certain`: the same INS on both. `suspected`: a person looks at it. `other`: two people, or
nothing to say so. Two different INS are never anything but `other`, and neither are two people born on one
day under one name whose given names or sexes differ: twins.

Pure; nothing here reads a store, and nothing here merges anything.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from math import log2
from typing import Final

from serment.identity import ins, likeness
from serment.identity.likeness import HEARD, OTHER, SAME, UNSAID, Person

CERTAIN: Final = "certain"
SUSPECTED: Final = "suspected"
APART: Final = "other"

FIELDS: Final[dict[str, Callable[[Person, Person], str]]] = {
    "family": likeness.family,
    "given": likeness.given,
    "birth_date": likeness.birth_date,
    "sex": likeness.sex,
    "place": likeness.place,
}
"""What is weighed, in the order of the table."""

THRESHOLD: Final = 19.0
"""Bits of evidence from which two records are suspected to be one person (ADR 46)."""

UNKNOWN_DAY: Final = 5.0
"""Bits that one birth date says less when it is a 1 January: about 30 times as many are written so."""

RAREST: Final = 1e-5
"""Share of a family name that the table does not list."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer, the evidence for it (bits), and the level of each field that both sides say."""

    verdict: str
    weight: float
    levels: dict[str, str]


def compare(one: Person, other: Person) -> Comparison:
    """Compare two people's traits."""
    levels = {name: level(one, other) for name, level in FIELDS.items()}
    said = {name: level for name, level in levels.items() if level != UNSAID}
    weight = sum(weights()[name, level] for name, level in said.items()) + _commonness(one, other, said)
    weight -= (
        UNKNOWN_DAY if said.get("birth_date") == SAME and one.birth_date.endswith(likeness.NO_DAY) else 0
    )
    return Comparison(_verdict(one, other, said, weight), weight, said)


def _verdict(one: Person, other: Person, said: dict[str, str], weight: float) -> str:
    if differ(one, other):
        return APART
    if one.matricules & other.matricules:
        return CERTAIN
    # The same INS once borne is evidence, not proof: a matricule that was withdrawn may have been wrong.
    if (one.matricules | one.past) & (other.matricules | other.past):
        return SUSPECTED
    if twins(said) or "birth_date" not in said or not {"family", "given"} & said.keys():
        return APART
    return SUSPECTED if weight >= THRESHOLD else APART


def differ(one: Person, other: Person) -> bool:
    """Say whether two people bear two different INS: never one person, whatever else agrees.

    A matricule may follow another (NIA, then NIR): one side then keeps the other's among its past ones.
    """
    if not one.matricules or not other.matricules or one.matricules & other.matricules:
        return False
    return not (one.matricules <= other.past or other.matricules <= one.past)


def contradict(one: Person, other: Person) -> bool:
    """Say whether all that is said of two people's INS, compared by somebody or not, is of two people.

    Enough to merge nobody: a number that was received may be wrong, and somebody looks at it first.
    """
    here, there = one.matricules | one.past, other.matricules | other.past
    if not here or not there or here & there:
        return False
    return not any(ins.follows(*pair) or ins.follows(*reversed(pair)) for pair in product(here, there))


def twins(said: dict[str, str]) -> bool:
    """Say whether two people read as twins: one family and one day, another given name or another sex.

    Evidence adds up as if fields were independent; of twins they are not, so that no weight may outvote it.
    """
    together = said.get("birth_date") == SAME and said.get("family") in {SAME, HEARD}
    apart = said.get("given") == OTHER or (said.get("sex") == OTHER and said.get("given") != SAME)
    return together and apart


def _commonness(one: Person, other: Person, said: dict[str, str]) -> float:
    """Take back what a common family name weighs too much (term frequency, Winkler 2000)."""
    if said.get("family") != SAME:
        return 0.0
    share = min(shares().get(name, RAREST) for name in set(one.families) & set(other.families))
    return min(0.0, log2(_mean_share() / share))


@cache
def weights() -> dict[tuple[str, str], float]:
    """Read the table: (field, level) → bits."""
    rows = csv.DictReader(_lines("duplicates.csv"))
    return {(row["field"], row["level"]): float(row["weight"]) for row in rows}


@cache
def shares() -> dict[str, float]:
    """Read the family names that many bear: name → share of people."""
    return {
        row["name"]: float(row["per_million"]) / 1e6 for row in csv.DictReader(_lines("family_names.csv"))
    }


@cache
def _mean_share() -> float:
    """Give the chance that two people bear one name, as the table of weights has it."""
    row = next(
        row
        for row in csv.DictReader(_lines("duplicates.csv"))
        if (row["field"], row["level"]) == ("family", SAME)
    )
    return float(row["u"])


def _lines(name: str) -> list[str]:
    text = files(__package__).joinpath(name).read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
