"""The reception: where a secretary arrives. The cursor stands in the search; then today, then what waits."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import RefusedError
from serment.record.asking import Asking
from serment.record.house import House
from serment.web.everyone.training import reminder
from serment.web.finding import Found, find
from serment.web.forms import page_form
from serment.web.secretary.agenda import of_day
from serment.web.secretary.desk import RECEPTION, bounds, desk_of, today_of
from serment.web.shell import asks_part, go_to, page, who_of
from serment.web.written import long_day


async def reception(request: Request) -> Response:
    """Show the search, today's appointments, and what waits."""
    here = desk_of(request)
    return here if isinstance(here, Response) else await _shown(request, *here, Found())


async def look_for(request: Request) -> Response:
    """Find people as a name is typed; a full form that finds one person opens their page."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    form = await page_form(request, house)
    found = await find(house, asking, form.get("typed", "").strip())
    if asks_part(request):
        template = "secretary/reception.html"
        return page(request, template, found.status, part="found", **_found(found, asking))
    if found.people is not None and len(found.people) == 1:
        return go_to(_desk(found.people[0])["record"])
    return await _shown(request, house, asking, found)


async def _shown(request: Request, house: House, asking: Asking, found: Found) -> Response:
    today = today_of(asking.now)
    return page(
        request,
        "secretary/reception.html",
        found.status,
        day=long_day(bounds(today)[0], asking.language),
        lines=await of_day(house, asking, today),
        back=RECEPTION,
        training=await reminder(request, asking),
        duplicates=await _waiting(house, asking),
        **_found(found, asking),
        **who_of(request, house, asking),
    )


def _found(found: Found, asking: Asking) -> dict[str, Any]:
    people = None if found.people is None else [_desk(one) for one in found.people]
    return {"typed": found.typed, "people": people, "said": found.said(asking.language)}


def _desk(one: dict[str, str]) -> dict[str, str]:
    """Lead to somebody's page at the desk in place of their record."""
    return {**one, "record": one["record"].replace("/record/", f"{RECEPTION}/person/", 1)}


async def _waiting(house: House, asking: Asking) -> int | None:
    """Count the suspected duplicates; None for who does not sort identities."""
    try:
        return await house.merging.waiting(asking)
    except RefusedError:
        return None
