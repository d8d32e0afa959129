"""How much was done in each month: counts that tell nothing of anybody."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.record.probes.activity import SMALLEST, Activity, Month
from serment.web.officer.office import around, officer_here
from serment.web.shell import page
from serment.web.written import month, number
from serment.words import Language, say


async def activity(request: Request) -> Response:
    """Show the months that are over, newest first."""
    house, asking = officer_here(request)
    found = await run_in_threadpool(Activity(house.passage).months, asking.now)
    return page(
        request,
        "officer/activity.html",
        months=[_line(one, asking.language) for one in found],
        smallest=number(SMALLEST, asking.language),
        **around(request, house, asking),
    )


def _line(one: Month, language: Language) -> dict[str, object]:
    few = say("officer.activity-few", language, smallest=number(SMALLEST, language))
    counts = [few if count is None else number(count, language) for count in one.counts.values()]
    return {"month": month(one.first, language), "counts": counts}
