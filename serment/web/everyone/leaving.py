"""What leaves this installation, to whom and why, and what cannot: from what is registered today.

Names of programs, addresses and providers are for whoever is signed in; what each exit is for, for anybody.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import language_of, nobody_yet, people_of
from serment.errors import DependencyError
from serment.people.people import People
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.subscriptions import addresses
from serment.web.everyone.visitor import visitor
from serment.web.shell import page, who_of
from serment.words import say

LEAVES: Final = ("people", "programs", "notices", "providers", "insi", "law")
STAYS: Final = ("network", "insurers", "research", "sale", "limit")


async def leaves(request: Request) -> Response:
    """Show every exit with its purpose; to whoever is signed in, what is set up today."""
    met, today = visitor(request), None
    frame: dict[str, Any] = {}
    if met is not None:
        house = met[0]
        today = await run_in_threadpool(_today, house, people_of(request), nobody_yet(request, house))
        frame = who_of(request, *met)
    language = language_of(request)
    return page(
        request,
        "everyone/leaves.html",
        leaves=[say(f"everyone.leaves-{one}", language) for one in LEAVES],
        stays=[say(f"everyone.stays-{one}", language) for one in STAYS],
        today=today,
        **frame,
    )


def _today(house: House, people: People, asking: Asking) -> dict[str, Any] | None:
    """Name what is registered, with its country; None while the register does not open."""
    try:
        clients = [one for one in people.programs.clients.all(asking) if one.stands(asking.now)]
        return {
            "programs": [f"{one.name} ({one.processor.name}, {one.processor.country})" for one in clients],
            "addresses": [f"{one.name} ({one.country})" for one in addresses.listed(house.passage)],
            "providers": [f"{one.label} ({one.country})" for one in people.providers.all(asking)],
            "insi": house.identifying.service is not None,
        }
    except DependencyError:
        return None
