"""A population whose truth is known: who is who among records with the mistakes of a front desk.

Deterministic by seed. Each record is a FHIR Patient with the number of its person beside it. People are
singles, siblings, twins, namesakes (born on the same day or not), fathers and sons of one name, married
women under two names, migrants born "on 1 January" whose names are written in several ways. A second record
of somebody has typing errors, names or day and month in each other's place, a maiden or a married name
alone, what was not asked left out.

Family names: the shares of `serment/identity/family_names.csv`, then invented names by Zipf's law. Nothing
here is somebody's.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import Any

from serment.demo.traits import draws
from serment.identity import ins
from serment.identity.traits import BIRTH_PLACE, INSEE_CODE

OID = "urn:oid:1.2.250.1.213.1.4.10"
TODAY = date(2026, 11, 1)

GIVEN = {
    "female": """Marie Jeanne Françoise Monique Catherine Nathalie Isabelle Jacqueline Anne Sylvie Martine
        Madeleine Nicole Suzanne Hélène Christine Louise Valérie Sophie Caroline Camille Julie Sandrine Céline
        Aurélie Emma Léa Chloé Manon Inès Sarah Laura Pauline Charlotte Marion Clara Lucie Mathilde Emmanuelle
        Virginie Corinne Laurence Patricia Brigitte Annie Michèle Denise Yvonne Germaine Marcelle Paulette
        Fatima Aïcha Khadija Amina Mariam Awa Linh Ana Carmen Elena Anne-Marie Marie-Claire Marie-Thérèse
        Jade Alice Lina Rose Mila Anna Juliette Zoé Agathe Romane Victoria Margaux Élise Noémie Justine""",
    "male": """Jean Pierre Michel André Philippe Alain Bernard Jacques Daniel Patrick Louis Henri René Marcel
        Robert Claude Georges Roger Paul François Christophe Nicolas Stéphane Laurent David Julien Thomas
        Alexandre Kévin Antoine Maxime Romain Quentin Hugo Lucas Théo Nathan Enzo Gabriel Raphaël Arthur Jules
        Adam Léo Ethan Clément Baptiste Simon Mathieu Vincent Olivier Éric Pascal Thierry Didier Serge Gilles
        Mohamed Ahmed Ali Mamadou Ibrahima Abdoulaye Karim Youssef Minh José Manuel António Jean-Pierre
        Jean-Claude Jean-Marc Jean-Luc Tom Noah Sacha Mathis Valentin Benjamin Guillaume Sébastien Cédric""",
}
SPELLINGS = {
    "Mohamed": "Mohammed Muhammad Mohammad", "Ahmed": "Ahmad", "Youssef": "Yousef Yusuf Joseph",
    "Fatima": "Fatma Fatimah", "Aïcha": "Aisha Aichatou", "Khadija": "Khadidja Kadidja",
    "Abdoulaye": "Abdoulay Abdulaye", "Ibrahima": "Ibrahim", "Mariam": "Mariame Maryam", "António": "Antonio",
    "TRAORE": "TRAORÉ TRAOURE", "DIALLO": "DIALO", "BENALI": "BEN-ALI BENNALI", "HADDAD": "HADAD",
    "PEREIRA": "PERREIRA", "FERREIRA": "FERREYRA", "DA SILVA": "DASILVA", "FERNANDES": "FERNANDEZ",
    "NGUYEN": "N'GUYEN",
}  # fmt: skip
ABROAD = ["99352", "99350", "99351", "99139", "99326", "99335", "99243", "99134", "99401", "99213"]
MIGRANT_NAMES = [
    "DIALLO",
    "TRAORE",
    "BENALI",
    "HADDAD",
    "NGUYEN",
    "PEREIRA",
    "DA SILVA",
    "FERREIRA",
    "FERNANDES",
]
MIGRANT_GIVEN = {
    "female": ["Fatima", "Aïcha", "Khadija", "Amina", "Mariam", "Awa", "Linh", "Ana"],
    "male": [
        "Mohamed",
        "Ahmed",
        "Ali",
        "Mamadou",
        "Ibrahima",
        "Abdoulaye",
        "Karim",
        "Youssef",
        "José",
        "António",
    ],
}


@dataclass(frozen=True, slots=True)
class Errors:
    """How often a second record has each mistake: shares of such records."""

    family: float = 0.12
    given: float = 0.08
    spelt: float = 0.25
    swapped: float = 0.03
    day_month: float = 0.02
    date: float = 0.03
    maiden_or_married: float = 0.5
    second_given: float = 0.02
    no_place: float = 0.35
    no_sex: float = 0.02
    no_date: float = 0.002
    ins: float = 0.4

    def worse(self, times: float) -> Errors:
        """Give the same mistakes, so many times as often (the share that bears an INS stays)."""
        more = {name: min(0.9, getattr(self, name) * times) for name in _MISTAKES}
        return replace(self, **more)


_MISTAKES = tuple(one.name for one in fields(Errors))[:-1]
_NONE = Errors(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
FITTING, HELD_OUT = Errors(), Errors().worse(1.3)


@dataclass(frozen=True, slots=True)
class One:
    """One person as the register of births has them, and the name they use since."""

    number: int
    sex: str
    family: str
    given: tuple[str, ...]
    born: date
    place: str
    used: str = ""
    migrant: bool = False
    twin: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: whose it is, who their twin is (0 for none), and the Patient resource."""

    person: int
    twin: int
    patient: dict[str, Any] = field(repr=False)


def population(seed: str, records: int, errors: Errors = FITTING, second: float = 0.1) -> list[Entry]:
    """Make so many records, `second` of them a second one of somebody, in an order that the seed shuffles."""
    rng = draws(seed)
    doubles = int(records * second)
    people = list(_people(rng, records - doubles))
    first = replace(_NONE, no_place=errors.no_place, no_sex=errors.no_sex, ins=errors.ins)
    made = [Entry(one.number, one.twin, _recorded(rng, one, first)) for one in people]
    again = rng.sample(people, doubles)
    made += [Entry(one.number, one.twin, _recorded(rng, one, errors)) for one in again]
    rng.shuffle(made)
    return made


def pairs(entries: list[Entry]) -> set[tuple[int, int]]:
    """Give the places of records that are one person's, the lower first."""
    seen: dict[int, int] = {}
    found: set[tuple[int, int]] = set()
    for place, entry in enumerate(entries):
        if entry.person in seen:
            found.add((seen[entry.person], place))
        seen[entry.person] = place
    return found


# People.


@cache
def _families() -> tuple[list[str], list[float]]:
    text = files("serment.identity").joinpath("family_names.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    stuff = tomllib.loads(files("serment.demo").joinpath("names.toml").read_text("utf-8"))
    stems, endings = stuff["stems"].split(), stuff["endings"].split()
    plain = [stem + ending for stem in stems for ending in endings]
    invented = [
        *plain,
        *(
            f"{middle}{name}".capitalize()
            for middle in ("Le", "Bel", "Mont", "Ch", "Gr", "Br", "Tr", "Pl", "Cor", "Dam", "Fon", "Sab")
            for name in plain
        ),
    ]
    draws("family names").shuffle(invented)
    common = [float(row["per_million"]) for row in rows]
    left = 1e6 - sum(common)
    ranks = [1 / (rank + 800) for rank in range(len(invented))]
    rest = [left * one / sum(ranks) for one in ranks]
    return [*(row["name"].title() for row in rows), *invented], list(accumulate([*common, *rest]))


@cache
def _given(sex: str) -> tuple[list[str], list[float]]:
    names = GIVEN[sex].split()
    return names, list(accumulate(1 / (rank + 12) for rank in range(len(names))))


@cache
def _places() -> list[str]:
    codes = [
        f"{department:02d}{commune:03d}"
        for department in range(1, 96)
        if department != 20
        for commune in range(1, 400, 29)
    ]
    return [
        *codes,
        "2A004",
        "2B033",
        "97105",
        "97209",
        "97411",
        *[f"751{ward:02d}" for ward in range(1, 21)] * 6,
    ]


def _people(rng: Random, count: int) -> Iterator[One]:
    number = 0
    while number < count:
        one = _single(rng, number + 1)
        group = _group(rng, one)
        for made in group[: count - number]:
            number += 1
            yield replace(made, twin=made.twin if made.twin <= count else 0)


def _group(rng: Random, one: One) -> list[One]:
    """Give somebody alone or with who could be taken for them."""
    draw, follows = rng.random(), one.number + 1
    if draw < 0.012:
        sex = one.sex if rng.random() < 0.65 else {"male": "female", "female": "male"}[one.sex]
        name = _other_name(rng, sex, one.given[0])
        return [
            replace(one, twin=follows),
            replace(one, number=follows, sex=sex, given=name, used="", twin=one.number),
        ]
    if draw < 0.16:
        apart = one.born + timedelta(days=rng.choice((-1, 1)) * rng.randint(320, 3000))
        sex = rng.choice(("male", "female"))
        return [
            one,
            replace(
                one,
                number=follows,
                sex=sex,
                given=_other_name(rng, sex, one.given[0]),
                born=min(apart, TODAY),
                used="",
            ),
        ]
    if draw < 0.165 and one.sex == "male":
        return [
            one,
            replace(
                one, number=follows, born=min(TODAY, one.born + timedelta(days=rng.randint(8000, 13000)))
            ),
        ]
    if draw < 0.168:
        return [one, replace(one, number=follows, born=_born(rng), place=rng.choice(_places()))]
    if draw < 0.1682:
        return [one, replace(one, number=follows, place=rng.choice(_places()))]
    return [one]


def _single(rng: Random, number: int) -> One:
    sex = rng.choice(("female", "male"))
    if rng.random() < 0.08:
        return _migrant(rng, number, sex)
    families, weights = _families()
    family, married = rng.choices(families, cum_weights=weights, k=2)
    born = _born(rng)
    used = married if sex == "female" and born.year < 2000 and rng.random() < 0.45 else ""
    return One(number, sex, family, _names(rng, sex), born, rng.choice(_places()), used)


def _migrant(rng: Random, number: int, sex: str) -> One:
    born = _born(rng)
    if rng.random() < 0.3:
        born = born.replace(month=1, day=1)
    families, weights = _families()
    family = (
        rng.choice(MIGRANT_NAMES) if rng.random() < 0.2 else rng.choices(families, cum_weights=weights)[0]
    )
    given = rng.choice(MIGRANT_GIVEN[sex])
    return One(number, sex, family.title(), (given,), born, rng.choice(ABROAD), migrant=True)


def _names(rng: Random, sex: str) -> tuple[str, ...]:
    names, weights = _given(sex)
    drawn = rng.choices(names, cum_weights=weights, k=rng.randint(1, 3))
    return tuple(dict.fromkeys(drawn))


def _other_name(rng: Random, sex: str, but: str) -> tuple[str, ...]:
    while True:
        drawn = _names(rng, sex)
        if drawn[0] != but:
            return tuple(one for one in drawn if one != but)


def _born(rng: Random) -> date:
    return TODAY - timedelta(days=int(rng.triangular(0, 36000, 17000)))


# Records.


def _recorded(rng: Random, one: One, errors: Errors) -> dict[str, Any]:
    """Write somebody down with the mistakes that are drawn."""
    family, used, given = one.family, one.used, list(one.given)
    if rng.random() < errors.family:
        family = _mistyped(rng, family)
    if rng.random() < errors.given:
        given[0] = _mistyped(rng, given[0])
    if one.migrant and rng.random() < errors.spelt:
        family, given[0] = _spelt(rng, family), _spelt(rng, given[0])
    if used and rng.random() < errors.maiden_or_married:
        family, used = (used, "") if rng.random() < 0.5 else (family, "")
    if len(given) > 1 and rng.random() < errors.second_given:
        given = given[1:] + given[:1]
    if errors.no_place and rng.random() < 0.4:
        given = given[:1]
    if rng.random() < errors.swapped:
        family, given = given[0], [family, *given[1:]]
    return _patient(rng, one, errors, family, used, given)


def _patient(
    rng: Random, one: One, errors: Errors, family: str, used: str, given: list[str]
) -> dict[str, Any]:
    patient: dict[str, Any] = {"resourceType": "Patient"}
    if rng.random() < errors.ins:
        patient["identifier"] = [{"system": OID, "value": _matricule(one)}]
    patient["name"] = [{"use": "official", "family": family, "given": given}]
    if used:
        patient["name"].append({"use": "usual", "family": used, "given": given[:1]})
    if rng.random() >= errors.no_sex:
        patient["gender"] = one.sex
    if rng.random() >= errors.no_date:
        patient["birthDate"] = _dated(rng, one.born, errors)
    if rng.random() >= errors.no_place:
        code = {"url": INSEE_CODE, "valueCoding": {"code": one.place}}
        patient["extension"] = [{"url": BIRTH_PLACE, "valueAddress": {"extension": [code]}}]
    return patient


def _matricule(one: One) -> str:
    """Make a number that no other person of the population has: the last digits count people."""
    number = f"{1 if one.sex == 'male' else 2}{one.number // 8000 % 100:02d}{one.number // 1000 % 8 + 1:02d}"
    number += f"{one.place}{one.number % 1000:03d}"
    return number + ins.key(number)


def _dated(rng: Random, born: date, errors: Errors) -> str:
    draw = rng.random()
    if draw < errors.day_month and born.day <= 12:
        return f"{born.year}-{born.day:02d}-{born.month:02d}"
    if draw < errors.day_month + errors.date:
        day, month, year = born.day, born.month, born.year
        match rng.choice("dmy") if day < 29 else "d":
            case "d":
                day = day % 28 + 1
            case "m":
                month = month % 12 + 1
            case _:
                year += rng.choice((-10, -1, 1, 10))
        return f"{year}-{month:02d}-{day:02d}"
    return born.isoformat()


def _spelt(rng: Random, name: str) -> str:
    others = SPELLINGS.get(name) or SPELLINGS.get(name.upper())
    return rng.choice(others.split()).title() if others else name


SLIPS = [
    ("ph", "f"), ("eau", "aud"), ("ll", "l"), ("nn", "n"), ("y", "i"), ("th", "t"), ("s", "ss"), ("ai", "é"),
    ("qu", "k"), ("c", "k"), ("et", "ey"), ("z", "s"), ("n", "nn"), ("l", "ll"), ("t", "tt"),
]  # fmt: skip


def _mistyped(rng: Random, name: str) -> str:
    """Write a name as somebody heard it, or with a slip of the hand."""
    heard = [(old, new) for old, new in SLIPS if old in name[1:]]
    if heard and rng.random() < 0.45:
        old, new = rng.choice(heard)
        return name[0] + name[1:].replace(old, new, 1)
    at = rng.randrange(1, max(2, len(name) - 1))
    match rng.choice("drtx"):
        case "d" if len(name) > 4:
            return name[:at] + name[at + 1 :]
        case "r":
            return name[:at] + rng.choice("aeiourstln") + name[at + 1 :]
        case "t" if len(name) > at + 1:
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        case _:
            return name[:at] + name[at] + name[at:]
