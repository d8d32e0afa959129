"""Where somebody arrives: who they are here, in which exercise, and what they may open.

Nothing is decided here: a link leads to a page that asks the decision like any other. The page of whoever
acts for another is the same whatever is hidden from them.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import MET, cookie_of, house_of, language_of, people_of
from serment.model import ActorId, ActorKind, Function
from serment.people.accounts import Account, Exercise, by_actor
from serment.record.asking import Asking
from serment.record.entrance.sessions import Session
from serment.web.entry.signing import label, when
from serment.web.everyone.training import reminder
from serment.web.finding import Found, find
from serment.web.forms import page_form
from serment.web.shell import page, who_of
from serment.words import say

FINDERS: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
"""To whom the page offers to find people by name; who really may is decided at each search."""


async def home(request: Request) -> Response:
    """Show where one is; find people as their name was typed, for who works here."""
    house = house_of(request)
    asking = cookie_of(request, house)
    found = Found()
    if request.method == "POST":
        found = await find(house, asking, (await page_form(request, house)).get("typed", ""))
    return page(
        request,
        "entry/home.html",
        found.status,
        finds=asking.actor.kind in FINDERS,
        typed=found.typed,
        found=found.people,
        said=found.said(language_of(request)),
        may=say(_may(asking), language_of(request)),
        training=await reminder(request, asking),
        **await run_in_threadpool(_standing, request, asking),
        **who_of(request, house, asking),
    )


def _may(asking: Asking) -> str:
    """Name the sentence that says what somebody may open."""
    if asking.actor.function is Function.DPO:
        return "web.home.may-dpo"
    return f"web.home.may-{asking.actor.kind.value}"


def _standing(request: Request, asking: Asking) -> dict[str, Any]:
    """Say in which exercise the session is, what goes with it, and where it leads."""
    session: Session = request.scope[MET]
    language, kind = language_of(request), asking.actor.kind
    links = []
    if kind is ActorKind.PATIENT:
        links = [("/me", say("web.me.title", language))]
    elif kind is ActorKind.OFFICER:
        links = [("/officer", say("web.officer.title", language))]
    if not session.bound.account:
        return {"exercise": "", "facts": [], "ways": links}
    account = people_of(request).accounts.get(asking, session.bound.account)
    exercise = account.exercise(session.bound.exercise)
    if exercise is None:  # taken away since: the session ends at the next request
        return {"exercise": "", "facts": [], "ways": links}
    if kind is ActorKind.PROXY and exercise.patient:
        links = [(f"/record/{exercise.patient}", say("web.home.record-of", language, name=exercise.label))]
    facts = list(_facts(request, asking, account, exercise))
    return {"exercise": label(exercise, language), "facts": facts, "ways": links}


def _facts(request: Request, asking: Asking, account: Account, exercise: Exercise) -> list[str]:
    """Say whom a locum replaces and until when, who answers for a trainee, that there are other exercises."""
    language, said = language_of(request), []
    if exercise.replaces and exercise.end is not None:
        dates = {"start": when(exercise.start)[:10], "end": when(exercise.end)[:10]}
        name = _name(request, asking, exercise.replaces)
        said.append(say("web.home.replaces", language, name=name, **dates))
    if exercise.supervisor:
        name = _name(request, asking, exercise.supervisor)
        said.append(say("web.home.under", language, name=name))
    if len(account.standing(asking.now)) > 1:
        said.append(say("web.home.others", language))
    return said


def _name(request: Request, asking: Asking, actor: str) -> str:
    """Give the name of somebody who works here; their number when they have no account."""
    account = people_of(request).accounts.find(asking, by_actor(ActorId(actor)))
    return account.name if account is not None else actor.partition(":")[2]
