"""Open sessions: how many in which role, and for who works here the end of all of theirs.

Who is a patient is not told here, nor what anybody looks at: the officer answers for accounts.
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import fresh_of, people_of
from serment.errors import NotFoundError
from serment.model import ActorKind, Function
from serment.people import accounts
from serment.people.accounts import Account
from serment.people.people import People
from serment.record.acts import WORKING
from serment.record.asking import Asking
from serment.record.entrance.census import PROGRAM, Counts, census
from serment.web.entry.signing import label
from serment.web.forms import page_form
from serment.web.officer.office import around, officer_here, read_of
from serment.web.shell import go_to, page
from serment.words import Language, say

PRIVATE = frozenset({ActorKind.PATIENT, ActorKind.PROXY})
"""Counted together: that somebody has an account here as a patient says that they are one."""


async def sessions(request: Request) -> Response:
    """Show how many sessions are open, and who works here."""
    house, asking = officer_here(request)
    people = people_of(request)
    counts = await run_in_threadpool(census, house.passage, house.sessions, asking.now)
    staff = await run_in_threadpool(staff_shown, people, asking)
    return page(
        request,
        "officer/sessions.html",
        roles=_roles(counts, asking.language),
        staff=[_person(one, asking) for one in staff],
        ended="ended" in request.query_params,
        **around(request, house, asking),
    )


async def end(request: Request) -> Response:
    """End all sessions of somebody who works here, and what programs were let do under their name.

    Raises `ProofAgainError` when the officer's proof is old, `NotFoundError` for anybody else's account.
    """
    house, asking = officer_here(request)
    fresh_of(request, house)
    form = await page_form(request, house)
    await run_in_threadpool(_ended, people_of(request), asking, form.get("who", ""))
    return go_to("/officer/sessions?ended")


def _ended(people: People, asking: Asking, id_: str) -> None:
    account = next((one for one in staff_of(people, asking) if one.id == id_), None)
    if account is None:
        raise NotFoundError("people.unknown")
    people.entering.own.end_all(asking, account)


def staff_shown(people: People, asking: Asking) -> list[Account]:
    """Give the accounts of who works here, by name, once it is written down that they were read."""
    read_of(people, asking, accounts.DRAWER)
    return staff_of(people, asking)


def staff_of(people: People, asking: Asking) -> list[Account]:
    """Give the accounts of who works or worked here, by name: of nobody who is only a patient."""
    found = [one for one in people.accounts.all(asking) if _working(one)]
    return sorted(found, key=lambda one: one.name.casefold())


def roles_of(account: Account, language: Language) -> str:
    """Say in which functions somebody works here, and nothing of what else they are."""
    said = dict.fromkeys(label(one, language) for one in account.exercises if one.kind in WORKING)
    return ", ".join(said)


def _working(account: Account) -> bool:
    return any(one.kind in WORKING for one in account.exercises)


def _person(one: Account, asking: Asking) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "roles": roles_of(one, asking.language),
        "left": one.gone(asking.now),
    }


def _roles(counts: Counts, language: Language) -> list[tuple[str, int]]:
    """Say the counts by role, patients and those near them together."""
    said: dict[str, int] = {}
    for (kind, function), count in counts.items():
        if (kind, function) == PROGRAM:
            name = say("officer.sessions-programs", language)
        elif kind in PRIVATE:
            name = say("officer.sessions-patients", language)
        elif function is not Function.NONE:
            name = say(f"ledger.function-{function.value}", language)
        else:
            name = say(f"web.role-{kind.value}", language)
        said[name] = said.get(name, 0) + count
    return sorted(said.items(), key=lambda one: (-one[1], one[0]))
