"""Who saw my data: every act of the list, put together by visit, emergency access first.

Nothing heavy runs before it is asked for: a page reads one stretch of the list, and the check of the whole
list is a button. What is sought (a period, one person) never names anybody in an address: it is sealed.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.ledger.sentences import line
from serment.ledger.visits import visits
from serment.paper.access_list import Seen, access_list
from serment.paper.press import press
from serment.record.outward.proof_of_list import proof_of_list
from serment.record.pages.retracing import Sought
from serment.web.forms import page_form
from serment.web.patient.mine import Mine, mine
from serment.web.patient.paper import subject_of
from serment.web.patient.telling import day_of_instant, told
from serment.web.shell import HEADERS
from serment.web.written import instant, long_day

DAY: Final = 24 * 3600 * 1000
PERIODS: Final = {"month": 31 * DAY, "half": 183 * DAY, "year": 366 * DAY, "all": 0}
"""Periods to choose from, in ms; 0: since the record began."""
FIRST: Final = "half"


async def who(request: Request) -> Response:
    """Show who did what, one stretch of the list, newest first and emergency access before all else."""
    mine_ = mine(request)
    sought, period = _sought(mine_)
    told_ = await mine_.house.retracing.stretch(mine_.asking, mine_.patient, sought)
    reader = mine_.asking.actor.id
    shown = [told(one, reader, mine_.language) for one in visits(told_.bodies, day_of_instant)]
    others = [one for one in shown if one["actor"] != reader]
    for one in others:
        one["only"] = _only(mine_, one["actor"], sought)
    return mine_.page(
        "who.html",
        visits=others,
        own_visits=[one for one in shown if one["actor"] == reader],
        emergency=sum(1 for one in others if one["emergency"]),
        period=period,
        periods=[(name, mine_.say(f"patient.period-{name}")) for name in PERIODS],
        person=others[0]["who"] if sought.person and others else "",
        later=sought.place is not None,
        until=long_day(told_.oldest, mine_.language) if told_.oldest else "",
        older=f"/me/who?from={told_.next}" if told_.next else "",
    )


async def check(request: Request) -> Response:
    """Hold the whole list against what was signed, when it is asked for, and say what that tells."""
    mine_ = mine(request)
    await page_form(request, mine_.house)
    found = await mine_.house.auditing.verify(mine_.asking, mine_.patient)
    return mine_.page(
        "checked.html",
        entries=found.entries,
        size=found.size,
        walked=found.walked,
        at=instant(mine_.asking.now, mine_.language),
    )


async def as_paper(request: Request) -> Response:
    """Give the list as a PDF, with what was signed of it as a code to keep."""
    mine_ = mine(request)
    await page_form(request, mine_.house)
    subject = await subject_of(mine_)
    bodies = await mine_.house.proving.trail(mine_.asking, mine_.patient)
    found = await mine_.house.auditing.verify(mine_.asking, mine_.patient)
    lines = [_seen(mine_, body) for body in bodies[:MOST_ON_PAPER]]
    note = found.note.decode()
    sheet = access_list(subject, lines, mine_.today, mine_.asking.now, mine_.language, note)
    content = await run_in_threadpool(press, sheet)
    return _file(content, "application/pdf", mine_.say("patient.file-list"), "pdf")


async def with_proof(request: Request) -> Response:
    """Give the list with what proves each line, to be checked elsewhere and later."""
    mine_ = mine(request)
    await page_form(request, mine_.house)
    content = await proof_of_list(mine_.house, mine_.asking, mine_.patient)
    return _file(content, "application/json", mine_.say("patient.file-list"), "json")


MOST_ON_PAPER: Final = 2_000


def _file(content: bytes, media_type: str, name: str, extension: str) -> Response:
    disposition = f'attachment; filename="{name}.{extension}"'
    return Response(content, 200, {**HEADERS, "content-disposition": disposition}, media_type=media_type)


def _seen(mine_: Mine, body: Any) -> Seen:
    said = line(body.event, mine_.language, reader=mine_.asking.actor.id, late=bool(body.late))
    who_ = f"{said.who} ({said.role})" if said.role else said.who
    return Seen(instant(said.when_ms, mine_.language), who_, said.what, said.why, said.emergency)


def _sought(mine_: Mine) -> tuple[Sought, str]:
    """Read what is sought: a sealed stretch, or a period by its name. Raises `MalformedError`."""
    token = mine_.request.query_params.get("from", "")
    if token:
        return mine_.house.retracing.opened(mine_.asking, mine_.patient, token), ""
    period = mine_.request.query_params.get("period", FIRST)
    period = period if period in PERIODS else FIRST
    back = PERIODS[period]
    return Sought(since=mine_.asking.now - back if back else 0), period


def _only(mine_: Mine, actor: str, sought: Sought) -> str:
    """Give the address of one person's acts alone; "" when only theirs are shown already."""
    if sought.person or not actor:
        return ""
    token = mine_.house.retracing.sealed(mine_.asking, mine_.patient, Sought(person=actor))
    return f"/me/who?from={token}"
