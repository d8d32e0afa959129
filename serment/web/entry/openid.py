"""Coming in by an identity provider: away, back, and the choice of an exercise.

The browser keeps a sealed ticket meanwhile: `Lax` on the way out, since it comes back from another site. The
session's own cookie is `Strict`, so that the way back ends on a page of ours that leads on: a redirect would
still count as the other site's, and whoever was signed in already would look like nobody.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.door import browser
from serment.door.asking import house_of, language_of, nobody_yet, people_of
from serment.errors import MalformedError, MethodError, SignInError
from serment.people.arriving import CHOICE_MS, Choice, Held
from serment.people.openid import FLOW_MS
from serment.record.asking import Asking
from serment.web.entry.joining import INVITATION
from serment.web.entry.signing import end_held, label
from serment.web.forms import form_of
from serment.web.shell import HEADERS, page

TICKET: Final = "serment-openid"
OURS: Final = "same-origin"
"""What a browser says of a link of ours (W3C Fetch Metadata); those that say nothing are older than that."""


async def leave(request: Request) -> Response:
    """Send the browser to a provider; `to` is the page wanted afterwards, `join`: with an invitation."""
    _plain(request)
    given, name = request.query_params, request.path_params["provider"]
    join = browser.cookie(request, INVITATION) if "join" in given else ""
    if join and request.headers.get("sec-fetch-site", OURS) != OURS:
        # Another site's link would bind whoever follows it to the account of an invitation of that site's.
        raise SignInError("people.openid-refused")
    fresh = bool(browser.cookie(request, browser.SESSION))
    away = partial(people_of(request).arriving.leave, to=given.get("to", "/"), join=join, fresh=fresh)
    url, ticket = await run_in_threadpool(away, _asking(request), name)
    answer = RedirectResponse(url, 303, HEADERS)
    browser.keep(request, answer, TICKET, ticket, lax=True, age=FLOW_MS // 1000)
    return answer


async def back(request: Request) -> Response:
    """Take the browser back: it goes on by itself, or chooses an exercise."""
    _plain(request)
    given = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise SignInError("people.openid-refused")  # one answer with two codes is two answers
    arriving = people_of(request).arriving
    name, ticket = request.path_params["provider"], _ticket(request)
    found = await run_in_threadpool(arriving.back, _asking(request), name, ticket, given)
    answer = (
        _asked(request, found) if len(found.exercises) > 1 else page(request, "entry/openid_entered.html")
    )
    browser.keep(request, answer, TICKET, found.ticket, age=CHOICE_MS // 1000)
    return answer


async def go_on(request: Request) -> Response:
    """Begin the session of somebody who has one exercise: the page that `back` shows leads here."""
    _plain(request)
    return await _begun(request, _ticket(request), "")


async def choose(request: Request) -> Response:
    """Begin the session in the exercise that was chosen."""
    form, ticket = await form_of(request), _ticket(request)
    key = house_of(request).sessions.form_key(ticket)
    if not hmac.compare_digest(form.get("csrf", "").encode(), key.encode()):
        raise MalformedError("web.form-stale")
    return await _begun(request, ticket, form.get("exercise", ""))


async def ended(request: Request) -> Response:
    """Hear from a provider that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""
    form = await form_of(request)
    name, token = request.path_params["provider"], form.get("logout_token", "")
    await run_in_threadpool(people_of(request).arriving.ended, _asking(request), name, token)
    return Response(status_code=200, headers=HEADERS)


def _asking(request: Request) -> Asking:
    return nobody_yet(request, house_of(request))


def _plain(request: Request) -> None:
    """Refuse whoever only looks whether a link is alive: it would begin or spend a sign-in."""
    if request.method == "HEAD":
        raise MethodError("api.method")


def _ticket(request: Request) -> str:
    ticket = browser.cookie(request, TICKET)
    if not ticket:
        raise SignInError("people.openid-stale")
    return ticket


async def _begun(request: Request, ticket: str, exercise: str) -> Response:
    """Begin the session, or go on with the one that the browser holds; the ticket is spent."""
    held = Held(*(browser.cookie(request, name) for name in (browser.SESSION, browser.DEVICE)))
    choose = people_of(request).arriving.choose
    where = browser.where_of(request, house_of(request))
    arrived = await run_in_threadpool(choose, _asking(request), ticket, exercise, where, held)
    answer = RedirectResponse(arrived.to, 303, HEADERS)
    if not arrived.secret:
        return answer
    for name in (TICKET, INVITATION):
        browser.drop(request, answer, name)
    await end_held(request)
    return browser.signed_in(request, answer, arrived.secret)


def _asked(request: Request, choice: Choice) -> Response:
    exercises = [{"id": one.id, "label": label(one, language_of(request))} for one in choice.exercises]
    key = house_of(request).sessions.form_key(choice.ticket)
    return page(request, "entry/openid_choice.html", name=choice.account.name, exercises=exercises, csrf=key)
