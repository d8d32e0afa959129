"""One consultation as it was typed: its fields read, what is wrong with them, what is worth a second look.

Numbers are taken as people write them (`36,8`, `12/8`, `120/80`). What cannot be read is an error, said
beside its field; a value outside what is plausible is a warning and never stops anybody: a premature baby and
a patient of 280 kg exist. Pure: no clock, nothing is written here. The resources: `consultation_resources`.

Order: what is measured, what was typed, reading it, errors, warnings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

Fields = Mapping[str, Sequence[str]]
"""What was typed, by the names of the fields."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that is measured: LOINC, UCUM and its usual sign, the span of what is plausible."""

    name: str
    loinc: str
    ucum: str
    unit: str
    low: Decimal
    high: Decimal


def _kind(name: str, loinc: str, ucum: str, unit: str, low: str, high: str) -> Kind:
    return Kind(name, loinc, ucum, unit, Decimal(low), Decimal(high))


PRESSURE: Final = "pressure"
PRESSURE_CODE: Final = "85354-9"
SYSTOLIC: Final = _kind("systolic", "8480-6", "mm[Hg]", "mmHg", "60", "250")
DIASTOLIC: Final = _kind("diastolic", "8462-4", "mm[Hg]", "mmHg", "30", "150")
KINDS: Final = (
    _kind("weight", "29463-7", "kg", "kg", "0.5", "250"),
    _kind("height", "8302-2", "cm", "cm", "25", "220"),
    _kind("pulse", "8867-4", "/min", "/min", "30", "220"),
    _kind("temperature", "8310-5", "Cel", "°C", "33", "42.5"),
    _kind("saturation", "59408-5", "%", "%", "60", "100"),
)
"""What one number says (R4 observation-vitalsigns.html); the bounds are ours: beyond them one looks twice."""

MEASURED: Final = ("weight", "height", PRESSURE, "pulse", "temperature", "saturation")
"""Names of the fields, in the order of the page."""

_CENTIMETRES: Final = Decimal(30)
"""A pressure whose both numbers are below was said in centimetres of mercury, as people do: 12/8."""

_PRESSURE = re.compile(r"([0-9]{1,3}(?:[.,][0-9])?)\s*[/\-]\s*([0-9]{1,3}(?:[.,][0-9])?)")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})?")
MOST_MEASURED: Final = 10_000

SECRETS: Final = frozenset({"", "patient", "representatives"})
CRITICALITIES: Final = frozenset({"", "low", "high", "unable-to-assess"})
MOST_LINES: Final = 30
MOST_LINE: Final = 500


@dataclass(frozen=True, slots=True)
class Pressure:
    """A blood pressure in mmHg."""

    systolic: Decimal
    diastolic: Decimal


@dataclass(frozen=True, slots=True)
class Consultation:
    """What somebody wrote, read and checked. `renewed` and `known_problem` are references (`Type/id`)."""

    reason: str = field(default="", repr=False)
    note: str = field(default="", repr=False)
    measures: Mapping[str, Decimal] = field(default_factory=dict, repr=False)
    pressure: Pressure | None = field(default=None, repr=False)
    problem: str = field(default="", repr=False)
    known_problem: str = field(default="", repr=False)
    allergy: str = field(default="", repr=False)
    criticality: str = ""
    reaction: str = field(default="", repr=False)
    vaccine: str = field(default="", repr=False)
    lot: str = field(default="", repr=False)
    renewed: tuple[str, ...] = field(default=(), repr=False)
    medicines: tuple[str, ...] = field(default=(), repr=False)
    letter: str = field(default="", repr=False)
    letter_to: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    secret: str = ""

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to save."""
        said = (self.reason, self.note, self.measures, self.pressure, self.problem, self.known_problem)
        more = (self.allergy, self.vaccine, self.renewed, self.medicines, self.letter, self.certificate)
        return not any(said) and not any(more)


Errors = dict[str, str]
"""Name of a field ("" for the whole page) → id of the sentence that says what to do."""


# Reading it.


def read(fields: Fields) -> tuple[Consultation, Errors]:
    """Read the fields of the page, and say what is wrong with them."""
    errors: Errors = {}
    lines = tuple(one.strip() for one in _text(fields, "medicines").splitlines() if one.strip())
    said = Consultation(
        **{name: _text(fields, name) for name in _TEXTS},
        measures=_measures(fields, errors),
        pressure=_pressure(_text(fields, PRESSURE), errors),
        renewed=tuple(dict.fromkeys(one for one in fields.get("renew", ()) if one)),
        medicines=lines,
    )
    errors |= _missing(said)
    return said, errors


_TEXTS: Final = (
    "reason",
    "note",
    "problem",
    "known_problem",
    "allergy",
    "criticality",
    "reaction",
    "vaccine",
    "lot",
    "letter",
    "letter_to",
    "certificate",
    "secret",
)


def _text(fields: Fields, name: str) -> str:
    """Give a field as it is kept: without what stands around it, nor signs that no text of a person holds."""
    said = fields.get(name, ("",))
    kept = "".join(one for one in (said[0] if said else "") if one in "\n\t" or ord(one) >= ord(" "))
    return kept.strip()


def number(text: str) -> Decimal | None:
    """Read a number as people write it; None for anything else, and for one that is not above zero."""
    plain = text.replace(",", ".").replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    found = Decimal(plain) if _NUMBER.fullmatch(plain) else Decimal(0)
    return found if 0 < found < MOST_MEASURED else None


def _measures(fields: Fields, errors: Errors) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for kind in KINDS:
        text = _text(fields, kind.name).removesuffix(kind.unit).strip()
        if text:
            value = number(text)
            if value is None:
                errors[kind.name] = "consultation.not-a-number"
            else:
                found[kind.name] = value
    return found


def _pressure(text: str, errors: Errors) -> Pressure | None:
    if not text:
        return None
    match = _PRESSURE.fullmatch(text.removesuffix("mmHg").strip())
    pair = [number(one) for one in match.groups()] if match else []
    high, low = pair if len(pair) == 2 else (None, None)
    if high is None or low is None or low >= high:
        errors[PRESSURE] = "consultation.not-a-pressure"
        return None
    tens = 10 if high < _CENTIMETRES and low < _CENTIMETRES else 1
    return Pressure(high * tens, low * tens)


# Errors.


def _missing(said: Consultation) -> Errors:
    """Say what is there without what it needs, or is not one of the choices."""
    wrong = {
        "allergy": (bool(said.reaction or said.criticality) and not said.allergy, "consultation.no-allergy"),
        "criticality": (said.criticality not in CRITICALITIES, "consultation.no-choice"),
        "vaccine": (bool(said.lot) and not said.vaccine, "consultation.no-vaccine"),
        "letter": (bool(said.letter_to) and not said.letter, "consultation.no-letter"),
        "secret": (said.secret not in SECRETS, "consultation.no-choice"),
        "medicines": (_too_much(said.medicines), "consultation.too-many-lines"),
    }
    return {name: sentence for name, (stands, sentence) in wrong.items() if stands}


def _too_much(lines: Sequence[str]) -> bool:
    return len(lines) > MOST_LINES or any(len(one) > MOST_LINE for one in lines)


# Warnings.


def unlikely(said: Consultation) -> list[tuple[Kind, Decimal]]:
    """Give the values that are worth a second look: kept as they are, and told."""
    pairs = [(kind, said.measures[kind.name]) for kind in KINDS if kind.name in said.measures]
    if said.pressure is not None:
        pairs += [(SYSTOLIC, said.pressure.systolic), (DIASTOLIC, said.pressure.diastolic)]
    return [(kind, value) for kind, value in pairs if not kind.low <= value <= kind.high]
