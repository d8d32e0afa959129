"""The counter: a code on paper, typed on the practice's tablet, opens a narrow session that leaves nothing.

Handing a code over is a gesture of somebody who works there; typing it is nobody's yet. The session ends when
its person says so, unused after five minutes, or after thirty; its answers are kept by no browser, and what
the browser had is cleared (W3C Clear Site Data). No page here advises making anything reachable from outside.

Order: handing a code over, typing it, ending.
"""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door import browser
from serment.door.asking import cookie_of, house_of, language_of, nobody_yet, people_of
from serment.errors import NotFoundError, RequestError, SignInError, TooManyError
from serment.model import ActorKind, PatientId
from serment.paper.counter_code import counter_code
from serment.paper.press import press
from serment.people.counter import CHECKED
from serment.record.asking import Asking
from serment.record.house import House
from serment.web.finding import said_of
from serment.web.forms import form_of, page_form
from serment.web.patient.telling import time_of
from serment.web.shell import HEADERS, go_to, page, who_of
from serment.words import say

AT_WORK: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
CLEARED: Final = '"cache", "cookies", "storage"'
GROUP: Final = 5
"""Signs of a code that stand together on paper."""


# Handing a code over.


async def hand_over(request: Request) -> Response:
    """Show how the identity is checked, take it, and show the code once."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind not in AT_WORK:
        raise NotFoundError("record.not-found")
    patient = PatientId(str(request.path_params["id"]))
    if request.method != "POST":
        return await _hand_over_page(request, house, asking, patient)
    form = await page_form(request, house)
    try:
        code = await people_of(request).counter.hand_over(asking, patient, form.get("checked", ""))
    except RequestError as error:
        return await _hand_over_page(request, house, asking, patient, error)
    written = "-".join(code.text[at : at + GROUP] for at in range(0, len(code.text), GROUP))
    if form.get("as") == "paper":
        sheet = counter_code(written, time_of(code.until), asking.now, asking.language)
        content = await run_in_threadpool(press, sheet)
        shown = {**HEADERS, "content-disposition": 'inline; filename="code.pdf"'}
        return Response(content, 200, shown, media_type="application/pdf")
    return page(
        request,
        "everyone/counter_code.html",
        code=written,
        until=time_of(code.until),
        name=await _name(house, asking, patient),
        **who_of(request, house, asking),
    )


async def _hand_over_page(
    request: Request, house: House, asking: Asking, patient: str, error: RequestError | None = None
) -> Response:
    language = asking.language
    return page(
        request,
        "everyone/counter_hand_over.html",
        200 if error is None else error.status,
        name=await _name(house, asking, patient),
        to=f"/record/{patient}/counter",
        checks=[(one, say(f"counter.check-{one}", language)) for one in CHECKED],
        error="" if error is None else error.said(language),
        **who_of(request, house, asking),
    )


async def _name(house: House, asking: Asking, patient: str) -> str:
    """Name the person where the asker may see who they are, so that the code goes to nobody else; else ""."""
    named = await house.worklists.named(asking, [patient])
    return said_of(named[patient], asking.language)["name"] if patient in named else ""


# Typing it.


async def counter(request: Request) -> Response:
    """Show where a code is typed; take it, and lead to the person's own pages."""
    if request.method != "POST":
        return page(request, "everyone/counter.html", error="")
    browser.from_our_page(request)
    house = house_of(request)
    form = await form_of(request)
    where = browser.where_of(request, house)
    try:
        secret = await people_of(request).counter.open(
            nobody_yet(request, house), form.get("code", ""), where
        )
    except (SignInError, TooManyError) as error:
        said = error.said(language_of(request))
        return page(request, "everyone/counter.html", error.status, error=said)
    before = browser.cookie(request, browser.SESSION)
    if before:  # whatever session the tablet still carried: the next person is somebody else
        await run_in_threadpool(house.sessions.end, before)
    return browser.signed_in(request, go_to("/me"), secret)


# Ending.


async def end(request: Request) -> Response:
    """End the session of a person who has finished."""
    house = house_of(request)
    await page_form(request, house)
    return await _over(request, house)


async def over(request: Request) -> Response:
    """Where the tablet goes by itself when nobody has touched it: the session ends, nothing stays."""
    return await _over(request, house_of(request))


async def _over(request: Request, house: House) -> Response:
    """End a session at the counter, and no other; clear what the browser has of it."""
    secret, device = (browser.cookie(request, one) for one in (browser.SESSION, browser.DEVICE))
    answer: Response = page(request, "everyone/counter_over.html")
    try:
        session = house.sessions.peek(secret, house.passage.clock(), device) if secret else None
    except SignInError:  # it has ended already
        session = None
    if session is not None and not session.bound.at_counter:
        return answer
    if session is not None:
        await run_in_threadpool(house.sessions.end, secret)
    answer.headers["clear-site-data"] = CLEARED
    browser.drop(request, answer, browser.SESSION)
    browser.drop(request, answer, browser.DEVICE)
    return answer
