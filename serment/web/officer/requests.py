"""What people ask of the officers: questions about an access, call-backs, and the clock of corrections.

No care content: a question names an entry of a list of accesses, a correction its day and its time limit.
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError, RequestError
from serment.record.alarms import REQUEST_LATE
from serment.record.asking import Asking
from serment.record.between.inbox import Errand, Pointer, due, late
from serment.record.between.questioning import Queued
from serment.record.house import House
from serment.web.forms import page_form
from serment.web.officer.office import around, officer_here
from serment.web.shell import go_to, page
from serment.web.written import day_of, instant, long_day
from serment.words import Language, say


async def requests(request: Request) -> Response:
    """Show the queue and what is late in it; take an answer, which comes back where it does not pass."""
    house, asking = officer_here(request)
    if request.method != "POST":
        return await _shown(request, house, asking)
    form = await page_form(request, house)
    id_, text = form.get("id", ""), form.get("text", "")
    try:
        await run_in_threadpool(house.questioning.answer, asking, id_, text)
    except NotFoundError:
        raise
    except RequestError as error:
        return await _shown(request, house, asking, (id_, text, error.said(asking.language)))
    return go_to("/officer/requests")


async def _shown(
    request: Request, house: House, asking: Asking, typed: tuple[str, str, str] = ("", "", "")
) -> Response:
    queue = await run_in_threadpool(house.questioning.queue, asking)
    pointers = await run_in_threadpool(house.inbox.queued, asking)
    corrections = [one for one in pointers if one.kind is Errand.CORRECTION and not one.done]
    waiting = [one for one in queue if not one.question.answered]
    overdue = [*(one.pointer for one in waiting), *corrections]
    count = sum(late(one, asking.now) for one in overdue)
    if count:
        house.passage.alarms.ring(REQUEST_LATE)
    return page(
        request,
        "officer/requests.html",
        400 if typed[2] else 200,
        late=count,
        waiting=[_question(one, asking, typed) for one in waiting],
        answered=[_question(one, asking, typed) for one in queue if one.question.answered],
        corrections=[_clock(one, asking) for one in corrections],
        **around(request, house, asking),
    )


def _question(one: Queued, asking: Asking, typed: tuple[str, str, str]) -> dict[str, Any]:
    question, language = one.question, asking.language
    about = question.about
    subject = "subject" if about is None else "about"
    here = typed[0] == one.pointer.id
    return {
        "id": one.pointer.id,
        "who": question.name,
        "what": say(f"errands.{subject}-{question.code}", language),
        "text": question.text,
        "call": say("errands.officer-call", language, phone=question.phone, hours=question.hours)
        if question.phone
        else "",
        "about": ""
        if about is None
        else say(
            "errands.officer-about",
            language,
            who=about.name,
            role=say(f"ledger.function-{about.role}", language),
            when=instant(about.t, language),
        ),
        "emergency": about is not None and about.emergency,
        "day": long_day(question.at, language),
        "due": day_of(due(question.at).isoformat(), language),
        "late": late(one.pointer, asking.now),
        "answer": question.answer,
        "by": question.by,
        "typed": typed[1] if here else "",
        "error": typed[2] if here else "",
    }


def _clock(one: Pointer, asking: Asking) -> dict[str, Any]:
    language: Language = asking.language
    return {
        "said": say(
            "errands.officer-correction",
            language,
            day=long_day(one.at, language),
            due=day_of(due(one.at).isoformat(), language),
        ),
        "late": late(one, asking.now),
    }
