"""The holder's first page: who opened the record, what is new, what there is to do. Three answers, no more.

Two passages: one stretch of the list of acts, one look at what is new. Each is traced as the holder's own.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from babel import dates
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import MET
from serment.ledger.entry import Body
from serment.model import ActorId
from serment.record.gate import Item
from serment.record.pages.charting import Pick, Picked, Table, latest
from serment.record.pages.overview import BESIDE, NO_NEWS
from serment.record.pages.retracing import Sought, Told
from serment.web.clinician.lines import news
from serment.web.patient.mine import Mine, mine
from serment.web.patient.telling import callers
from serment.web.written import LOCALES, long_day
from serment.words import Language

LOOKS_BACK: Final = 6
"""Months that the first sentence looks back, the present one not counted."""
NAMED: Final = 3
"""People whom the first sentence names; the list below it names them all."""
MOST_NEW: Final = 8
NEW: Final = "new"
YESTERYEAR: Final = 90 * 24 * 3600 * 1000
"""Milliseconds for which things are new to somebody who comes for the first time."""


async def me(request: Request) -> Response:
    """Show who opened the record, what is new since the last visit, what there is to do."""
    mine_ = mine(request)
    since = months_back(mine_.asking.now)
    told = await mine_.house.retracing.stretch(
        mine_.asking, mine_.patient, Sought(since=since), most=2_000, walk=2_000
    )
    before = _last_visit(mine_, told)
    chart = await mine_.house.charting.page(mine_.asking, mine_.patient, _new_since(mine_, before))
    asked = await asyncio.to_thread(mine_.house.inbox.to_do, mine_.asking, mine_.patient)
    people = callers(told.bodies, mine_.asking.actor.id, mine_.language)
    return mine_.page(
        "me.html",
        first=_first(mine_, people, told.oldest if told.next else since),
        people=people,
        emergency=any(one["emergency"] for one in people),
        news=[news(one, mine_.language) for one in chart.groups.get(NEW, [])],
        more=max(0, chart.totals.get(NEW, 0) - MOST_NEW),
        before=long_day(before, mine_.language) if before else "",
        to_do=len(asked),
    )


def months_back(now: int) -> int:
    """Give the beginning of the month from which the first page looks (ms), by the clock of this house."""
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone()
    months = today.year * 12 + today.month - 1 - LOOKS_BACK
    first = today.replace(
        year=months // 12, month=months % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return int(first.timestamp() * 1000)


def _first(mine_: Mine, people: list[dict[str, Any]], since: int) -> str:
    """Write the first sentence of the page: how many people, since when, who."""
    when = _month(since, mine_.asking.now, mine_.language)
    if not people:
        return mine_.say("patient.opened-nobody", since=when)
    names = [f"{one['who']}, {one['role']}" if one["role"] else str(one["who"]) for one in people]
    listed = ("\u00a0; " if mine_.language is Language.FR else "; ").join(names[:NAMED])
    if len(people) == 1:
        return mine_.say("patient.opened-one", since=when, who=listed)
    if len(people) <= NAMED:
        return mine_.say("patient.opened-some", since=when, count=_spelled(mine_, len(people)), who=listed)
    others = len(people) - NAMED
    return mine_.say(
        "patient.opened-many", since=when, count=_spelled(mine_, len(people)), who=listed, others=others
    )


def _spelled(mine_: Mine, count: int) -> str:
    return mine_.say(f"patient.number-{count}") if count <= 9 else str(count)


def _month(at: int, now: int, language: Language) -> str:
    """Write a month as a sentence does, with its year when that is another one."""
    day, today = (datetime.fromtimestamp(one / 1000, UTC).astimezone().date() for one in (at, now))
    pattern = "MMMM" if day.year == today.year else "MMMM y"
    return str(dates.format_date(day, pattern, locale=LOCALES[language]))


def _last_visit(mine_: Mine, told: Told) -> int:
    """Say when the person was last here (ms) before this session; 0 when the list does not say."""
    session = mine_.request.scope[MET]

    def own(body: Body) -> bool:
        return body.event.actor == mine_.asking.actor.id and body.event.t < session.started

    return max((body.event.t for body in told.bodies if own(body)), default=0)


def told_of(item: Item, reader: ActorId) -> bool:
    """Say whether something is news: written by somebody else, and not the bytes of what is told already."""
    return item.unit.author != reader and item.entry.type not in BESIDE


def _new_since(mine_: Mine, before: int) -> Pick:
    since = before or mine_.asking.now - YESTERYEAR

    def pick(table: Table) -> Picked:
        items = table.since(since, NO_NEWS)
        fresh = [item for item in items if told_of(item, mine_.asking.actor.id)]
        return Picked({NEW: latest(fresh, MOST_NEW)}, {NEW: len(fresh)})

    return pick
