"""Today: where somebody who cares arrives. The cursor stands in the search; then the day, as pointers.

Appointments, results to read, what waits, records opened lately: ids of one's own lists, named in one look
by the decision of this moment. A record that may not be opened any more has no line.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of
from serment.errors import DependencyError, SermentError, TooManyError
from serment.identity.who import Who
from serment.model import ActorKind
from serment.record.asking import Asking
from serment.record.between.inbox import Pointer
from serment.record.between.worklists import Looked, Slot
from serment.record.house import House
from serment.web.clinician.inbox import address
from serment.web.everyone.training import reminder
from serment.web.finding import Found, find, said_of
from serment.web.forms import page_form
from serment.web.shell import asks_part, go_to, page, who_of
from serment.web.written import instant, long_day
from serment.words import Language, say

AT_WORK: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
INBOX: Final = "/inbox"
RECENT: Final = 10
WAITING: Final = 8
"""Lines of one list: more of them stand on its own page."""


@dataclass(frozen=True, slots=True)
class _Day:
    """The pointers of one person's day, and who may be named; `error`: why nothing can be listed now."""

    slots: list[Slot] = field(default_factory=list, repr=False)
    results: list[Pointer] = field(default_factory=list, repr=False)
    waiting: list[Pointer] = field(default_factory=list, repr=False)
    looked: list[Looked] = field(default_factory=list, repr=False)
    named: dict[str, Who] = field(default_factory=dict, repr=False)
    error: SermentError | None = None


async def today(request: Request) -> Response:
    """Show the day of whoever works here; anybody else goes to their own page."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind not in AT_WORK:
        return go_to("/home")
    return await _shown(request, house, asking, Found())


async def look_for(request: Request) -> Response:
    """Find people as a name is typed; a full form that finds one person opens their record."""
    house = house_of(request)
    asking = cookie_of(request, house)
    form = await page_form(request, house)
    found = await find(house, asking, form.get("typed", "").strip())
    if asks_part(request):
        return page(
            request, "clinician/today.html", found.status, part="found", **_found(found, asking.language)
        )
    if found.people is not None and len(found.people) == 1:
        return go_to(found.people[0]["record"])
    return await _shown(request, house, asking, found)


async def _shown(request: Request, house: House, asking: Asking, found: Found) -> Response:
    day, language = await _day(house, asking), asking.language
    return page(
        request,
        "clinician/today.html",
        found.status,
        day=long_day(asking.now, language),
        away="" if day.error is None else day.error.said(language),
        appointments=_appointments(day, language),
        results=_results(day, language),
        waiting=_waiting(day, language),
        lately=_lately(day, language),
        training=await reminder(request, asking),
        inbox=INBOX if any(route.path == INBOX for route in request.app.routes) else "",
        **_found(found, language),
        **who_of(request, house, asking),
    )


def _found(found: Found, language: Language) -> dict[str, Any]:
    return {"typed": found.typed, "people": found.people, "said": found.said(language)}


async def _day(house: House, asking: Asking) -> _Day:
    """Gather the pointers of a day, then name in one look those whom the asker may see.

    What cannot be listed now is said, and never keeps somebody from the search.
    """
    lists, inbox = house.worklists, house.inbox
    try:
        slots = await lists.expected(asking, *_bounds(asking.now))
        looked = (await asyncio.to_thread(lists.looked, asking))[:RECENT]
        waiting = (await asyncio.to_thread(inbox.waiting, asking))[:WAITING]
        results = await lists.to_read(asking, WAITING)
        people = [*(one.patient for one in slots), *(one.patient for one in looked)]
        people += [one.patient for one in (*results, *waiting) if one.patient]
        named = await lists.named(asking, people)
    except (DependencyError, TooManyError) as error:
        return _Day(error=error)
    return _Day(slots, results, waiting, looked, named)


def _bounds(now: int) -> tuple[int, int]:
    """Give the beginning and the end (ms) of the day of an instant, by the clock of this house."""
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone()
    start = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return int(start.timestamp() * 1000), int((start + timedelta(days=1)).timestamp() * 1000)


def _appointments(day: _Day, language: Language) -> list[dict[str, str]]:
    return [
        {"at": _hour(one.start), **said_of(day.named[one.patient], language)}
        for one in day.slots
        if one.patient in day.named
    ]


def _results(day: _Day, language: Language) -> list[dict[str, str]]:
    return [
        {
            **said_of(day.named[one.patient], language),
            "at": instant(one.at, language),
            "to": f"/record/{one.patient}/item/{one.item}",
        }
        for one in day.results
        if one.patient in day.named
    ]


def _waiting(day: _Day, language: Language) -> list[dict[str, str]]:
    """Say what waits: by whose record, and by its kind alone when that may not be opened."""
    return [
        {
            "what": say(f"clinician.waits-{one.kind}", language),
            "name": said_of(day.named[one.patient], language)["name"] if one.patient in day.named else "",
            "to": address(one) if one.patient in day.named else "",
            "at": instant(one.at, language),
        }
        for one in day.waiting
    ]


def _lately(day: _Day, language: Language) -> list[dict[str, str]]:
    return [
        {"at": instant(one.at, language), **said_of(day.named[one.patient], language)}
        for one in day.looked
        if one.patient in day.named
    ]


def _hour(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%H:%M}"
