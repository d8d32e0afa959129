"""Coming in by a one-time code, going out, and being led to where one wanted to go."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door import browser
from serment.door.asking import cookie_secret, house_of, session_of
from serment.errors import MethodError, ProofAgainError, SignInError
from serment.web.forms import page_form
from serment.web.navigation import DESK, HOME
from serment.web.shell import go_to


async def enter(request: Request) -> Response:
    """Exchange a one-time code for a cookie; the code is gone from the address."""
    house = house_of(request)
    if request.method == "HEAD":
        raise MethodError("api.method")  # whoever only looks whether a link is alive does not spend it
    try:
        secret = await run_in_threadpool(
            house.sessions.exchange, request.path_params["code"], house.passage.clock()
        )
    except SignInError:
        raise SignInError("web.code-spent") from None
    session = house.sessions.open(secret, house.passage.clock())
    return browser.signed_in(request, go_to(session.to), secret)


async def sign_out(request: Request) -> Response:
    """End the session."""
    house = house_of(request)
    await page_form(request, house)
    await run_in_threadpool(house.sessions.end, cookie_secret(request))
    answer = go_to("/sign-in", did="out")
    browser.drop(request, answer, browser.SESSION)
    return answer


async def home(request: Request) -> Response:
    """Lead whoever is signed in to where they wanted to go; nobody is led to sign in."""
    try:
        session = session_of(request, house_of(request))
    except ProofAgainError:
        raise
    except SignInError:
        return go_to("/sign-in")
    desk = DESK.get(session.actor.kind, HOME.to)
    return go_to(session.to if session.to != "/" else desk)
