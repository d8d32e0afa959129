"""What the lists of a record tell: pages by filter, series, what stands and what is over, treatments.

Each gives lines for `twins.told`: equal records, one of them with more that is hidden, tell the same.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterator
from typing import Any

from serment.errors import SermentError
from serment.fhir.measures import decoded
from serment.model import Category
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.pages.charting import Chart
from serment.record.pages.leafing import LISTED, Wish

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DAY = 86_400_000
START = 1_767_225_600_000
"""The first of January 2026: the items of the twins follow, some days apart."""


def _wishes(house: House, shown: Chart) -> Iterator[Wish]:
    """Give wishes of every kind; authors and series are those that the page itself gave."""
    yield Wish()
    yield Wish(start=1, most=2)
    for category in (Category.PROBLEMS, Category.LABS, Category.VITALS, Category.TREATMENTS):
        yield Wish(categories=frozenset({category}))
    yield Wish(types=frozenset({"Observation"}), most=1)
    yield Wish(since=START + 4 * DAY)
    yield Wish(until=START + 6 * DAY)
    for words in ("version", "ver 1", "8867", "nothing"):
        yield Wish(words=words)
    resources = [decoded(line.body) for lines in shown.groups.values() for line in lines]
    for token in sorted({house.leafing.series_of(one) for one in resources} - {""}):
        yield Wish(series=token)
    yield Wish(author="000000000000")


async def leaves(house: House, asking: Asking, patient: str, say: Any) -> None:
    """Say what every list of a record gives."""
    leafing = house.leafing
    try:
        shown = await leafing.leaves(asking, patient, Wish())
    except SermentError as error:
        say("? ", "leaves", type(error).__name__, error)
        return
    for place, wish in enumerate(_wishes(house, shown)):
        await _said(say, ("leaves", place), leafing.leaves(asking, patient, wish))
    await _said(say, ("series",), leafing.series(asking, patient, LISTED, 2))
    await _said(say, ("courses",), leafing.courses(asking, patient))
    for category in (Category.PROBLEMS, Category.ALLERGIES):
        await _said(say, ("standing", category), leafing.standing(asking, patient, category))


async def _said(say: Any, what: tuple[Any, ...], asked: Awaitable[Chart]) -> None:
    say("? ", *what)
    chart = await asked
    say(*what, chart.ground.rule, sorted(chart.totals.items()))
    for name, lines in sorted(chart.groups.items()):
        say("  ", name, [_ID.sub("", one.body.decode("latin-1")) for one in lines])
