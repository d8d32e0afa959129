"""Curves as geometry: where the points, the line, the band of usual values and the axes of a picture stand.

A template draws them as SVG with presentation attributes and classes only. Values of one unit make one
picture; two units never share one. A line is broken where nothing was measured: at a value that is missing,
and where more than `GAP` times the middle interval passed. What is out of range has a shape of its own, so
that no colour is needed to see it. A bound (`<5`) stands at its number, with a shape of its own too.

Order: what goes in, what comes out, drawing, gaps, axes. Pure: no value is converted or judged here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Final

WIDTH: Final = 480
HEIGHT: Final = 240
LEFT: Final = 46
RIGHT: Final = 14
TOP: Final = 14
BOTTOM: Final = 30
"""The picture and its margins, in units of its view box."""

GAP: Final = 3
"""A line is broken where more than so many times the middle interval passed without a measure."""

FEWEST: Final = 3
"""Intervals from which on there is a middle one: with fewer, nothing says what is usual."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measure: when (ms), its value, None for one that is missing.

    `standing` is inside, high, low, outside or unknown; `bound` is a comparator (`<`, `<=`, `>=`, `>`) or "".
    `low` and `high` are the ends of its own range of usual values, None where that is open.
    """

    at: int
    value: float | None
    standing: str = "unknown"
    bound: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A point that is drawn: its middle, its shape as path data ("" for a round dot), whether it is apart."""

    x: float
    y: float
    shape: str
    out: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the band of usual values."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and the number (value) or instant (ms) that stands there."""

    place: float
    value: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line of a picture: its unbroken stretches as path data, its gaps, its marks."""

    stretches: list[str]
    gaps: list[str]
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a template draws. `lines` are in the order that was given; `across` are ticks of time."""

    lines: list[Drawn] = field(repr=False)
    bands: list[Band]
    up: list[Tick]
    across: list[Tick]
    by_year: bool

    @property
    def broken(self) -> bool:
        """Whether a line has a gap."""
        return any(line.gaps for line in self.lines)


def picture(lines: Sequence[Sequence[Point]]) -> Picture | None:
    """Draw lines of one unit on one picture; None when none has a value. Points may come in any order."""
    ordered = [sorted(line, key=lambda point: point.at) for line in lines]
    known = [point for line in ordered for point in line if point.value is not None]
    if not known:
        return None
    scale = _Scale.of(known)
    bands = _bands(ordered[0], scale) if len(ordered) == 1 else []
    across, by_year = _instants(scale.first, scale.last)
    return Picture(
        [_drawn(line, scale) for line in ordered],
        bands,
        [Tick(scale.y(value), value) for value in _steps(scale.low, scale.high)],
        [Tick(scale.x(at), at) for at in across],
        by_year,
    )


# Drawing.


@dataclass(frozen=True, slots=True)
class _Scale:
    """How instants and values become places."""

    first: int
    last: int
    low: float
    high: float

    @classmethod
    def of(cls, points: Sequence[Point]) -> _Scale:
        """Make room for every value, and for what is usual as far as it is near."""
        values = [point.value for point in points if point.value is not None]
        low, high = min(values), max(values)
        reach = (high - low) or abs(high) * 0.2 or 1.0
        ends = [end for point in points for end in (point.low, point.high) if end is not None]
        near = [end for end in ends if low - 2 * reach <= end <= high + 2 * reach]
        low, high = min([low, *near]), max([high, *near])
        room = ((high - low) or reach) * 0.08
        bottom = 0.0 if low >= 0 and low - room < 0 else low - room
        return cls(min(point.at for point in points), max(point.at for point in points), bottom, high + room)

    def x(self, at: int) -> float:
        """Give the place of an instant; a single instant stands in the middle."""
        span = self.last - self.first
        share = (at - self.first) / span if span else 0.5
        return round(LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16), 1)

    def y(self, value: float) -> float:
        """Give the place of a value, kept within the picture."""
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - min(1.0, max(0.0, share)) * (HEIGHT - TOP - BOTTOM), 1)


def _drawn(line: Sequence[Point], scale: _Scale) -> Drawn:
    runs = stretches(line)
    paths = [_path([(scale.x(p.at), scale.y(p.value)) for p in run if p.value is not None]) for run in runs]
    gaps = [_across(before[-1], after[0], scale) for before, after in pairwise(runs)]
    marks = [_mark(point, scale) for run in runs for point in run]
    return Drawn([path for path in paths if path], gaps, marks)


def _across(before: Point, after: Point, scale: _Scale) -> str:
    """Show a gap on the axis of time: no value is drawn where none was measured."""
    base = HEIGHT - BOTTOM
    return f"M{scale.x(before.at)} {base}L{scale.x(after.at)} {base}"


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "" if len(places) < 2 else "M" + "L".join(f"{x} {y}" for x, y in places)


def _mark(point: Point, scale: _Scale) -> Mark:
    x, y = scale.x(point.at), scale.y(point.value or 0.0)
    return Mark(x, y, _shape(point, x, y), point.standing in _SHAPES)


_SHAPES: Final = {
    "high": ((0, -7), (6, 5), (-6, 5)),
    "low": ((0, 7), (6, -5), (-6, -5)),
    "outside": ((0, -7), (7, 0), (0, 7), (-7, 0)),
}
"""Corners around the middle of a mark: pointing up, pointing down, a lozenge."""

_BOUND: Final = ((-5, -5), (5, -5), (5, 5), (-5, 5))
"""Corners of a value of which only a bound is known: a square."""


def _shape(point: Point, x: float, y: float) -> str:
    corners = _SHAPES.get(point.standing, _BOUND if point.bound else ())
    if not corners:
        return ""
    return "M" + "L".join(f"{round(x + right, 1)} {round(y + down, 1)}" for right, down in corners) + "Z"


def _bands(line: Sequence[Point], scale: _Scale) -> list[Band]:
    """Show what is usual: each range holds from midway to the measure before to midway to the one after."""
    known = [point for point in line if point.value is not None]
    edges = [scale.x(p.at) for p in known]
    middles = [LEFT, *[(one + two) / 2 for one, two in pairwise(edges)], WIDTH - RIGHT]
    found: list[Band] = []
    for point, (start, end) in zip(known, pairwise(middles), strict=True):
        if point.low is None and point.high is None:
            continue
        top = scale.y(point.high) if point.high is not None else float(TOP)
        base = scale.y(point.low) if point.low is not None else float(HEIGHT - BOTTOM)
        band = Band(round(start, 1), top, round(end - start, 1), round(base - top, 1))
        before = found[-1] if found else None
        if before is not None and (before.y, before.height) == (band.y, band.height):
            found[-1] = Band(before.x, top, round(before.width + band.width, 1), band.height)
        elif band.height > 0:
            found.append(band)
    return found


# Gaps.


def stretches(line: Sequence[Point]) -> list[list[Point]]:
    """Cut an ordered line where nothing was measured; the points that are missing are left out."""
    known = [point for point in line if point.value is not None]
    passed = [two.at - one.at for one, two in pairwise(known)]
    longest = GAP * median(passed) if len(passed) >= FEWEST else math.inf
    missing = [point.at for point in line if point.value is None]
    found: list[list[Point]] = [[]]
    for place, point in enumerate(known):
        before = known[place - 1] if place else None
        if before is not None and (
            point.at - before.at > longest > 0 or any(before.at <= at <= point.at for at in missing)
        ):
            found.append([])
        found[-1].append(point)
    return [run for run in found if run]


# Axes.


def _steps(low: float, high: float) -> list[float]:
    """Choose three to six round numbers of an axis."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _instants(first: int, last: int) -> tuple[list[int], bool]:
    """Choose instants of the axis of time: years when there are several, else both ends and the middle."""
    years = [_year(year) for year in range(_of(first).year, min(_of(last).year + 2, MAXYEAR))]
    inside = [at for at in years if first <= at <= last]
    if len(inside) >= 2:
        every = math.ceil(len(inside) / 6)
        return inside[::every], True
    if first == last:
        return [first], False
    return [first, (first + last) // 2, last], False


def _of(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _year(year: int) -> int:
    return round(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)
