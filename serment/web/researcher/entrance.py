"""The researcher's page: what the exit to research will do and ask for. No data, and none to be had yet."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of
from serment.errors import RefusedError
from serment.model import ActorKind
from serment.web.shell import page, who_of


async def research(request: Request) -> Response:
    """Say what there will be. Raises `RefusedError` for anybody but a researcher."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind is not ActorKind.RESEARCHER:
        raise RefusedError("everyone.research-only")
    return page(request, "researcher/entrance.html", **who_of(request, house, asking))
