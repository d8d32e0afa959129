"""Coming in by an identity provider: away, back, and the choice of an exercise.

The browser keeps a sealed ticket meanwhile: `Lax`, since it comes back from another site, and only below
`/openid`. The session's own cookie is `Strict`, so that the way back ends on a page of ours that leads on:
a redirect would still count as the other site's. No address of ours ever holds a code once it was answered.
"""

from __future__ import annotations

import hmac
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.door import browser
from serment.door.asking import house_of, language_of, nobody_of, people_of
from serment.errors import MalformedError, MethodError, SignInError
from serment.model import Function
from serment.people.accounts import Exercise
from serment.people.arriving import CHOICE_MS, Arrived, Choice
from serment.people.openid import FLOW_MS
from serment.people.signing import Where
from serment.record.asking import Asking
from serment.web.pages import HEADERS, form_of, page
from serment.words import Language, say

TICKET: Final = "serment-openid"
BELOW: Final = "/openid"


async def leave(request: Request) -> Response:
    """Send the browser to a provider; `to` is the page wanted afterwards."""
    _plain(request)
    name, to = request.path_params["provider"], request.query_params.get("to", "/")
    arriving = people_of(request).arriving
    url, ticket = await run_in_threadpool(arriving.leave, _asking(request), name, to=to)
    answer = RedirectResponse(url, 303, HEADERS)
    _keep(request, answer, ticket, FLOW_MS, "lax")
    return answer


async def back(request: Request) -> Response:
    """Take the browser back: a session, or the choice of an exercise."""
    _plain(request)
    given = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise SignInError("people.openid-refused")  # one answer with two codes is two answers
    arriving = people_of(request).arriving
    name, ticket = request.path_params["provider"], _ticket(request)
    found = await run_in_threadpool(arriving.back, _asking(request), name, ticket, given, _where(request))
    return _entered(request, found) if isinstance(found, Arrived) else _asked(request, found)


async def choose(request: Request) -> Response:
    """Begin the session in the exercise that was chosen."""
    form, ticket = await form_of(request), _ticket(request)
    key = house_of(request).sessions.form_key(ticket)
    if not hmac.compare_digest(form.get("csrf", "").encode(), key.encode()):
        raise MalformedError("web.form-stale")
    arriving = people_of(request).arriving
    exercise, where = form.get("exercise", ""), _where(request)
    found = await run_in_threadpool(arriving.choose, _asking(request), ticket, exercise, where)
    answer = RedirectResponse(found.to, 303, HEADERS)
    return _signed_in(request, answer, found)


async def ended(request: Request) -> Response:
    """Hear from a provider that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""
    form = await form_of(request)
    name, token = request.path_params["provider"], form.get("logout_token", "")
    await run_in_threadpool(people_of(request).arriving.ended, _asking(request), name, token)
    return Response(status_code=200, headers=HEADERS)


def _asking(request: Request) -> Asking:
    return nobody_of(request, house_of(request))


def _where(request: Request) -> Where:
    return browser.where_of(request, house_of(request))


def _plain(request: Request) -> None:
    """Refuse whoever only looks whether a link is alive: it would begin or spend a sign-in."""
    if request.method == "HEAD":
        raise MethodError("api.method")


def _ticket(request: Request) -> str:
    ticket = request.cookies.get(TICKET, "")
    if not ticket:
        raise SignInError("people.openid-stale")
    return ticket


def _keep(request: Request, answer: Response, ticket: str, lasts: int, site: str) -> None:
    answer.set_cookie(
        TICKET,
        ticket,
        max_age=lasts // 1000,
        path=BELOW,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax" if site == "lax" else "strict",
    )


def _entered(request: Request, arrived: Arrived) -> Response:
    """Show a page that leads on by itself: from here on the browser sends what is `Strict`."""
    return _signed_in(request, page(request, "openid_entered.html", to=arrived.to), arrived)


def _signed_in(request: Request, answer: Response, arrived: Arrived) -> Response:
    """Give the browser its session, and take the ticket back."""
    answer.delete_cookie(TICKET, path=BELOW)
    return browser.signed_in(request, answer, arrived.secret)


def _asked(request: Request, choice: Choice) -> Response:
    language = language_of(request)
    exercises = [{"id": one.id, "label": _label(one, language)} for one in choice.exercises]
    key = house_of(request).sessions.form_key(choice.ticket)
    answer = page(request, "openid_choice.html", name=choice.account.name, exercises=exercises, csrf=key)
    _keep(request, answer, choice.ticket, CHOICE_MS, "strict")
    return answer


def _label(exercise: Exercise, language: Language) -> str:
    """Say an exercise as people do: what they are there, and where."""
    function = Function(exercise.function)
    what = say(f"web.role-{exercise.kind}", language)
    if function is not Function.NONE:
        what = say(f"ledger.function-{function.value}", language)
    where = exercise.label or exercise.structure
    return f"{what} · {where}" if where else what
