"""The programs that a person let in: what each may do, until when, and how it is taken back at once."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.door.asking import cookie_of, house_of, language_of, nobody_yet, people_of
from serment.errors import NotFoundError
from serment.model import ActorId, ActorKind
from serment.people.accounts import by_actor
from serment.people.grants import Grant
from serment.people.programs import Programs
from serment.record.asking import Asking
from serment.web.entry.consenting import described, ticks
from serment.web.entry.signing import when
from serment.web.forms import page_form
from serment.web.shell import HEADERS, page, who_of
from serment.words import Language


async def programs(request: Request) -> Response:
    """Show what the person who is signed in let programs do."""
    house = house_of(request)
    asking, language = cookie_of(request, house), language_of(request)
    found = people_of(request).programs
    nobody = nobody_yet(request, house)
    mine = await run_in_threadpool(found.grants.of, nobody, await _roles(request, asking))
    lines = [await run_in_threadpool(_line, found, nobody, one, language) for one in mine]
    return page(request, "entry/programs.html", programs=lines, **who_of(request, house, asking))


async def take_back(request: Request) -> Response:
    """Take back what was given to a program: nothing of it opens any more."""
    house = house_of(request)
    asking = cookie_of(request, house)
    form = await page_form(request, house)
    grants, roles = people_of(request).programs.grants, await _roles(request, asking)
    await run_in_threadpool(grants.revoke, asking, form.get("which", ""), roles)
    return RedirectResponse("/programs", 303, HEADERS)


async def _roles(request: Request, asking: Asking) -> frozenset[ActorId]:
    """Name the person as grants do, in each of their roles."""
    accounts, name = people_of(request).accounts, by_actor(asking.actor.id)
    account = await run_in_threadpool(accounts.find, asking, name)
    return frozenset({asking.actor.id}) | (account.actors() if account is not None else frozenset())


def _line(found: Programs, asking: Asking, one: Grant, language: Language) -> dict[str, Any]:
    try:
        name = found.clients.get(asking, one.client).name
    except NotFoundError:
        name = one.client
    own = one.kind == ActorKind.PATIENT
    said = [described(scope, language, own=own) for scope in one.scope.split() if ticks(scope)]
    return {"id": one.id, "name": name, "said": said, "since": when(one.made), "until": when(one.until)}
