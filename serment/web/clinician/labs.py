"""Results and vital signs: each series with its newest value, a curve and the table that says the same.

A series is what one code measures; a curve holds one unit of it, so that two units never share one. Values
are shown with the digits, the range and the flag that came with them; one that was entered in error is in the
table, said to be so, and on no curve.

Order: the pages, a series, its rows, its curves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError
from serment.fhir import measures
from serment.fhir.measures import Measure, Standing
from serment.fhir.summary import summary
from serment.model import Category
from serment.record.pages.charting import Chart, Line
from serment.record.pages.leafing import ITEMS, Wish
from serment.web import charts
from serment.web.charts import Picture, Point
from serment.web.clinician.fields import number, word
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.why import closed
from serment.web.shell import page
from serment.web.written import day_of
from serment.words import Language, say

SECTIONS: Final = {"labs": Category.LABS, "vitals": Category.VITALS}
EACH: Final = 8
"""Measures of each series on the page of all."""

MOST: Final = 400
"""Measures that the page of one series shows."""

_NOT_MEANT: Final = frozenset({"entered-in-error", "cancelled"})


async def labs(request: Request) -> Response:
    """Show every series of laboratory results."""
    return await _all(request, "labs")


async def vitals(request: Request) -> Response:
    """Show every series of vital signs."""
    return await _all(request, "vitals")


async def lab(request: Request) -> Response:
    """Show one series of laboratory results."""
    return await _one(request, "labs")


async def vital(request: Request) -> Response:
    """Show one series of vital signs."""
    return await _one(request, "vitals")


async def _all(request: Request, section: str) -> Response:
    opened = await opening(request)
    try:
        chart = await opened.house.leafing.series(
            opened.asking, opened.patient, frozenset({SECTIONS[section]}), EACH
        )
    except NotFoundError:
        return closed(opened)
    found = [series(opened, token, lines, chart.totals[token]) for token, lines in chart.groups.items()]
    found.sort(key=lambda one: one.title.casefold())
    return page(request, "clinician/labs.html", section=section, all=found, **_around(opened, chart, section))


async def _one(request: Request, section: str) -> Response:
    opened = await opening(request)
    token = str(request.path_params["series"])
    wish = Wish(frozenset({"Observation"}), frozenset({SECTIONS[section]}), series=token, most=MOST)
    try:
        chart = await opened.house.leafing.leaves(opened.asking, opened.patient, wish)
    except NotFoundError:
        return closed(opened)
    lines = chart.groups[ITEMS]
    one = series(opened, token, lines, chart.totals[ITEMS])
    return page(request, "clinician/lab.html", section=section, one=one, **_around(opened, chart, section))


def _around(opened: Opening, chart: Chart, section: str) -> dict[str, Any]:
    person = None if chart.person is None else chart.person.body
    language = opened.language
    return {
        "written": lambda value: number(Decimal(f"{value:.6g}"), language),
        "moment": lambda at, by_year: axis_said(round(at), by_year=by_year, language=language),
        "most": MOST,
        **framed(opened, person, section),
    }


def axis_said(at: int, *, by_year: bool, language: Language) -> str:
    """Say an instant (ms) on the axis of time: its year, or its day."""
    day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
    return day[:4] if by_year else day_of(day, language)


# A series.


@dataclass(frozen=True, slots=True)
class Row:
    """One value in the table: everything that is on a curve, and what is on none."""

    to: str
    date: str
    name: str = field(repr=False)
    value: str = field(repr=False)
    standing: str
    usual: str = field(repr=False)
    state: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: its unit, the names of its lines, the picture, what it says in a sentence."""

    unit: str
    names: list[str] = field(repr=False)
    picture: Picture
    said: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Series:
    """One code over time, newest first."""

    token: str
    title: str = field(repr=False)
    rows: list[Row] = field(repr=False)
    curves: list[Curve] = field(repr=False)
    total: int


def series(opened: Opening, token: str, lines: list[Line], total: int) -> Series:
    """Say one series: its rows and its curves."""
    language = opened.language
    found = [_found(line) for line in lines]
    title = summary(found[0].resource, language).title if found else ""
    record = f"/record/{opened.patient}/item"
    rows = [
        _row(f"{record}/{one.line.reference}", one, value, language)
        for one in found
        for value in one.measured
    ]
    meant = [value for one in found if one.status not in _NOT_MEANT for value in one.measured]
    return Series(token, title, rows, _curves(meant, language), total)


@dataclass(frozen=True, slots=True)
class _Found:
    """One Observation of a series, read once."""

    line: Line
    resource: dict[str, Any] = field(repr=False)
    measured: list[Measure] = field(repr=False)

    @property
    def status(self) -> str:
        """Give the status of the Observation."""
        return str(self.resource.get("status", ""))


def _found(line: Line) -> _Found:
    resource = measures.decoded(line.body)
    return _Found(line, resource, measures.measures(resource))


# Rows.


def _row(to: str, found: _Found, one: Measure, language: Language) -> Row:
    status = found.status
    return Row(
        to,
        day_of(summary(found.resource, language).date, language),
        one.name,
        value_said(one, language),
        one.standing.value,
        _usual(one, language),
        "" if status in {"final", ""} else word("status", status, language),
        _standing_said(one.standing, language),
    )


def value_said(one: Measure, language: Language) -> str:
    """Say a value with its unit; of one that is missing, why, when that is said."""
    if one.value is not None:
        return f"{one.comparator}{number(one.value, language)} {one.unit}".strip()
    if one.text:
        return one.text
    why = f" ({word('dataAbsentReason', one.absent, language)})" if one.absent else ""
    return say("chart.no-value", language) + why


def _standing_said(standing: Standing, language: Language) -> str:
    if standing in {Standing.UNKNOWN, Standing.INSIDE}:
        return ""
    return say(f"chart.standing-{standing}", language)


def _usual(one: Measure, language: Language) -> str:
    if one.usual is None:
        return ""
    low, high = one.usual.low, one.usual.high
    if low is not None and high is not None:
        return f"{number(low, language)} – {number(high, language)}"
    if low is not None:
        return f"≥ {number(low, language)}"
    return f"≤ {number(high, language)}" if high is not None else ""


# Curves.


def _curves(values: list[Measure], language: Language) -> list[Curve]:
    """Draw a curve for each unit, with a line for each name; a missing value breaks the lines of its name."""
    found = [one for one in values if one.when is not None]
    units = dict.fromkeys(one.unit for one in found if one.value is not None)
    return [curve for unit in units if (curve := _curve(unit, found, language)) is not None]


def _curve(unit: str, found: list[Measure], language: Language) -> Curve | None:
    here = [one for one in found if one.value is not None and one.unit == unit]
    names = list(dict.fromkeys(one.name for one in here))
    lines = [[_point(one) for one in here if one.name == name] + _missing(found, name) for name in names]
    picture = charts.picture(lines)
    return None if picture is None else Curve(unit, names, picture, _described(here, unit, language))


def _described(here: list[Measure], unit: str, language: Language) -> str:
    """Say a curve in a sentence, for who does not see it."""
    values = [one.value for one in here if one.value is not None]
    out = sum(one.standing in {Standing.HIGH, Standing.LOW, Standing.OUTSIDE} for one in here)
    return say(
        "chart.curve-said",
        language,
        count=len(values),
        low=number(min(values), language),
        high=number(max(values), language),
        unit=unit,
        out=out,
    )


def _missing(found: list[Measure], name: str) -> list[Point]:
    """Give the measures without a value that break the line of a name: its own, and those of the whole."""
    return [_point(one) for one in found if one.value is None and not one.text and one.name in {name, ""}]


def _point(one: Measure) -> Point:
    usual = one.usual
    return Point(
        one.when[0] if one.when is not None else 0,
        _float(one.value),
        one.standing.value,
        one.comparator,
        None if usual is None else _float(usual.low),
        None if usual is None else _float(usual.high),
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
