"""Who else handles data: programs and their processors, addresses, identity providers. No secret."""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import people_of
from serment.model import Instant
from serment.people import clients, providers
from serment.people.clients import Client
from serment.people.people import People
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.subscriptions import addresses
from serment.web.officer.office import around, officer_here, read_of
from serment.web.shell import page
from serment.web.written import long_day
from serment.words import Language, say

DAY: Final = 24 * 3600 * 1000
SOON: Final = 60 * DAY
"""For how long (ms) before its end a contract is said to end soon."""
REREAD: Final = 365 * DAY
"""After how long (ms) clauses are to be read again."""


async def processors(request: Request) -> Response:
    """Show who answers for each program, and to which addresses something may leave."""
    house, asking = officer_here(request)
    people = people_of(request)
    shown = await run_in_threadpool(_shown, house, people, asking)
    return page(request, "officer/processors.html", **shown, **around(request, house, asking))


def _shown(house: House, people: People, asking: Asking) -> dict[str, Any]:
    read_of(people, asking, clients.DRAWER, providers.DRAWER)
    used = people.programs.grants.last_used(asking)
    found = sorted(people.programs.clients.all(asking), key=lambda one: one.name.casefold())
    return {
        "programs": [_program(one, used.get(one.id, 0), asking) for one in found],
        "addresses": addresses.listed(house.passage),
        "providers": people.providers.all(asking),
    }


def _program(one: Client, used: int, asking: Asking) -> dict[str, Any]:
    language, processor = asking.language, one.processor
    kind, state = state_of(one, asking.now)
    return {
        "name": one.name,
        "processor": processor.name,
        "purpose": processor.purpose,
        "country": processor.country,
        "contact": processor.contact,
        "clauses": processor.clauses,
        "basis": processor.basis,
        "reviewed": long_day(processor.reviewed, language),
        "until": long_day(one.ended or processor.until, language),
        "scopes": one.scopes,
        "used": _used(used, language),
        "state": say(f"officer.stands-{state}", language),
        "kind": kind,
    }


def state_of(one: Client, now: Instant) -> tuple[str, str]:
    """Say how a program stands: the kind of its mark, and the end of the sentence's id."""
    if not one.stands(now):
        return "bad", "over"
    if one.processor.until - now < SOON:
        return "warn", "soon"
    return ("warn", "review") if now - one.processor.reviewed > REREAD else ("good", "well")


def _used(used: int, language: Language) -> str:
    return long_day(used, language) if used else say("officer.used-never", language)
