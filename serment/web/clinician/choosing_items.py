"""The items of a record to choose from, for a print or a link: what the reader may see, newest first."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from serment.errors import NotFoundError
from serment.fhir.summary import summary
from serment.record.pages.leafing import ITEMS, Wish
from serment.web.clinician.frame import Opening
from serment.web.written import day_of

SHOWN: Final = 60


async def offered(
    opened: Opening, chosen: frozenset[str] = frozenset()
) -> tuple[bytes | None, list[dict[str, Any]]]:
    """Give the person and the lines to tick. Raises `NotFoundError` when nothing may be seen."""
    chart = await opened.house.leafing.leaves(opened.asking, opened.patient, Wish(most=SHOWN))
    lines = [
        {
            "item": one.reference,
            "title": said.title,
            "value": said.value,
            "date": day_of(said.date, opened.language),
            "chosen": one.reference in chosen,
        }
        for one in chart.groups.get(ITEMS, [])
        for said in [summary(msgspec.json.decode(one.body), opened.language)]
    ]
    return (None if chart.person is None else chart.person.body), lines


async def person_of(opened: Opening) -> bytes | None:
    """Give the person alone, for the bar. Raises `NotFoundError` when nothing may be seen."""
    chart = await opened.house.charting.page(opened.asking, opened.patient)
    if chart.person is None:
        raise NotFoundError("record.not-found")
    return chart.person.body
