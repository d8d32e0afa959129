"""What an Observation measures, for a curve and the table beside it (FHIR R4 observation.html).

Numbers keep the digits that were received (`Decimal`); nothing is rounded, converted or judged. Whether a
value is out of range is what the resource says (`interpretation`), else what its own range says of it.
Order: one measured value, reading a resource, ranges, units as people write them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

import msgspec

from serment.fhir import dates

_decoder = msgspec.json.Decoder(float_hook=Decimal)

_HIGH: Final = frozenset({"H", "HH", "HU", ">", "HX"})
_LOW: Final = frozenset({"L", "LL", "LU", "<", "LX"})
_OUTSIDE: Final = frozenset({"A", "AA", "POS", "DET", "IND"})
_INSIDE: Final = frozenset({"N", "NEG", "ND"})

_NORMAL_RANGES: Final = frozenset({"normal", "recommended", ""})
"""Meanings of a reference range that a band may show (referencerange-meaning); others are states."""


class Standing(StrEnum):
    """Where a value stands towards what is usual; `UNKNOWN` when nothing says it."""

    INSIDE = "inside"
    HIGH = "high"
    LOW = "low"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Usual:
    """A reference range in the unit of its value; None where it is open."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One value: what it is of, when (ms, as `dates.parse`), and what was found.

    `name` is "" for the value of the Observation itself, else the name of a component. `value` is None when
    none was found; `absent` is then the code that says why, or "". `text` is a value that is no number.
    """

    when: dates.Range | None
    name: str = field(repr=False)
    value: Decimal | None = field(repr=False)
    unit: str = field(repr=False)
    comparator: str = field(default="", repr=False)
    standing: Standing = field(default=Standing.UNKNOWN, repr=False)
    usual: Usual | None = field(default=None, repr=False)
    absent: str = field(default="", repr=False)
    text: str = field(default="", repr=False)


def decoded(body: bytes) -> dict[str, Any]:
    """Read a resource that the record gave; numbers with a point are `Decimal`."""
    value: dict[str, Any] = _decoder.decode(body)
    return value


def measures(resource: dict[str, Any]) -> list[Measure]:
    """Read every value of an Observation: its own, then those of its components."""
    when = moment(resource)
    own = _measure(resource, "", when)
    components = [
        _measure(part, _name(part.get("code")), when)
        for part in _objects(resource.get("component"))
        if _name(part.get("code"))
    ]
    return components if components and own.value is None and not own.text else [own, *components]


def moment(resource: dict[str, Any]) -> dates.Range | None:
    """Say when an Observation is of: its time, the beginning of its period, else when it was issued."""
    period = resource.get("effectivePeriod")
    start = period.get("start") if isinstance(period, dict) else None
    for text in (
        resource.get("effectiveDateTime"),
        resource.get("effectiveInstant"),
        start,
        resource.get("issued"),
    ):
        try:
            if isinstance(text, str):
                return dates.parse(text)
        except ValueError:
            continue
    return None


def _measure(part: dict[str, Any], name: str, when: dates.Range | None) -> Measure:
    quantity = part.get("valueQuantity")
    quantity = quantity if isinstance(quantity, dict) else {}
    value = _number(quantity.get("value", part.get("valueInteger")))
    comparator = str(quantity.get("comparator", ""))
    usual = usual_of(part, quantity)
    return Measure(
        when,
        name,
        value,
        unit_of(quantity),
        comparator,
        _standing(part, value, comparator, usual),
        usual,
        _code(part.get("dataAbsentReason")) if value is None else "",
        _said(part) if value is None else "",
    )


def _said(part: dict[str, Any]) -> str:
    """Give a value that is words."""
    said = part.get("valueString", part.get("valueDateTime", part.get("valueTime")))
    if isinstance(said, str):
        return said
    return _name(part.get("valueCodeableConcept"))


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= 30 else None


# Ranges.


def usual_of(part: dict[str, Any], quantity: dict[str, Any]) -> Usual | None:
    """Give the reference range of a value, in its unit: the first that is of what is usual. None: none."""
    for span in _objects(part.get("referenceRange")):
        if _code(span.get("type")) not in _NORMAL_RANGES or span.get("appliesTo") or span.get("age"):
            continue
        ends = [span.get(name) for name in ("low", "high")]
        numbers = [_end(end, quantity) for end in ends]
        if any(number is not None for number in numbers):
            return Usual(*numbers)
    return None


def _end(end: Any, quantity: dict[str, Any]) -> Decimal | None:
    """Give one end of a range; one in another unit than the value is none."""
    if not isinstance(end, dict):
        return None
    told = {unit_of(end), str(end.get("code", ""))} - {""}
    here = {unit_of(quantity), str(quantity.get("code", ""))} - {""}
    return _number(end.get("value")) if not told or told & here else None


def _standing(part: dict[str, Any], value: Decimal | None, comparator: str, usual: Usual | None) -> Standing:
    codes = {_code(one) for one in _objects(part.get("interpretation"))}
    for known, standing in ((_HIGH, Standing.HIGH), (_LOW, Standing.LOW), (_OUTSIDE, Standing.OUTSIDE)):
        if codes & known:
            return standing
    if codes & _INSIDE:
        return Standing.INSIDE
    return Standing.UNKNOWN if value is None or usual is None else _held(value, comparator, usual)


def _held(value: Decimal, comparator: str, usual: Usual) -> Standing:
    """Hold a value against its range; a bound (`<5`) says only what it excludes."""
    below, above = comparator in {"<", "<="}, comparator in {">", ">="}
    if (
        usual.low is not None
        and not above
        and (value <= usual.low if comparator == "<" else value < usual.low)
    ):
        return Standing.LOW
    if (
        usual.high is not None
        and not below
        and (value >= usual.high if comparator == ">" else value > usual.high)
    ):
        return Standing.HIGH
    open_below, open_above = below and usual.low is not None, above and usual.high is not None
    return Standing.UNKNOWN if open_below or open_above else Standing.INSIDE


# Units and words.

_WRITTEN: Final = {
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "[degF]": "°F",
    "[iU]/L": "UI/L",
    "m[iU]/L": "mUI/L",
    "m[IU]/L": "mUI/L",
    "{score}": "",
    "1": "",
}
"""UCUM codes that people write otherwise than by the rules below."""

_POWERS: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_TEN: Final = re.compile(r"10[*^](-?[0-9]+)")
_SQUARE: Final = re.compile(r"(?<=[a-z])([23])(?![0-9])")
_MICRO: Final = re.compile(r"(?<![A-Za-z])u(?=[A-Za-z])")
_NOTE: Final = re.compile(r"\{([^}]*)\}")


def unit_of(quantity: dict[str, Any]) -> str:
    """Write the unit of a Quantity as people do: its own text, else its UCUM code in plain signs."""
    unit = quantity.get("unit")
    if isinstance(unit, str) and unit.strip():
        written = unit.strip()
        return _WRITTEN.get(written, written)
    code = quantity.get("code")
    return written_unit(code) if isinstance(code, str) else ""


def written_unit(code: str) -> str:
    """Write a UCUM code (unitsofmeasure.org) in plain signs: `10*9/L` is 10⁹/L, `umol/L` is µmol/L."""
    if code in _WRITTEN:
        return _WRITTEN[code]
    text = _TEN.sub(lambda found: "10" + found[1].translate(_POWERS), code)
    text = (
        _NOTE.sub(lambda found: found[1].replace("_", " "), text).replace("[iU]", "UI").replace("[IU]", "UI")
    )
    text = _MICRO.sub("µ", text)
    return _SQUARE.sub(lambda found: found[1].translate(_POWERS), text)


def _name(concept: Any) -> str:
    """Give the words of a concept: its text, else the display or code of the first coding."""
    if not isinstance(concept, dict):
        return ""
    if isinstance(concept.get("text"), str):
        return str(concept["text"])
    for coding in _objects(concept.get("coding")):
        said = coding.get("display", coding.get("code"))
        if isinstance(said, str):
            return said
    return ""


def _code(concept: Any) -> str:
    """Give the first code of a concept, "" when there is none."""
    codings = _objects(concept.get("coding")) if isinstance(concept, dict) else iter(())
    return next((str(one["code"]) for one in codings if isinstance(one.get("code"), str)), "")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())
