"""Who comes to these pages: the security officer and the DPO, each to all of them but where a page says less.

No page of this folder opens a record: what they show is of the installation's own.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request

from serment.door.asking import cookie_of, house_of
from serment.errors import RefusedError
from serment.ledger.entry import Interaction
from serment.model import ActorKind
from serment.people.people import People
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.registry import TYPE
from serment.web.shell import who_of

PAGES: Final = (
    ("/officer", "officer.status"),
    ("/officer/policy", "officer.policy"),
    ("/officer/processors", "officer.processors"),
    ("/officer/keys", "officer.keys"),
    ("/officer/sessions", "officer.sessions"),
    ("/officer/declared", "officer.declared"),
    ("/officer/activity", "officer.activity"),
    ("/officer/training", "officer.trained"),
    ("/officer/requests", "errands.officer-tab"),
    ("/officer/privacy", "officer.privacy"),
)
"""The pages in the order of their tabs: address and sentence."""


def officer_of(request: Request, house: House) -> Asking:
    """Say which officer asks. Raises `RefusedError` for anybody else, and what `cookie_of` raises."""
    asking = cookie_of(request, house)
    if asking.actor.kind is not ActorKind.OFFICER:
        raise RefusedError("officer.only")
    return asking


def officer_here(request: Request) -> tuple[House, Asking]:
    """Give the open house and the officer who asks. Raises as `officer_of` does."""
    house = house_of(request)
    return house, officer_of(request, house)


def around(request: Request, house: House, asking: Asking) -> dict[str, Any]:
    """Give what every page of this folder carries: who, and the tabs."""
    here = request.url.path
    tabs = [
        {"to": to, "says": says, "here": here == to or (to != "/officer" and here.startswith(f"{to}/"))}
        for to, says in PAGES
    ]
    return {**who_of(request, house, asking), "tabs": tabs}


def read_of(people: People, asking: Asking, *drawers: str) -> None:
    """Write down that an officer reads drawers of the register, before they are shown. Blocks."""
    references = [f"{TYPE}/{drawer}" for drawer in drawers]
    people.registry.traced(asking, Interaction.TRACE_READ, references)
