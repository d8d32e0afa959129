"""Where my data went: copies, prints, notices, declarations, programs; to whom, when, how much."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.ledger.visits import departures
from serment.record.pages.retracing import Sought
from serment.web.patient.mine import mine
from serment.web.patient.telling import day_of_instant, departed
from serment.web.written import long_day

MOST: Final = 200


async def where(request: Request) -> Response:
    """Show what left the record, one stretch of the list, newest first."""
    mine_ = mine(request)
    token = request.query_params.get("from", "")
    retracing = mine_.house.retracing
    sought = retracing.opened(mine_.asking, mine_.patient, token) if token else Sought(exits=True)
    told = await retracing.stretch(mine_.asking, mine_.patient, sought, most=MOST)
    left = departures(told.bodies, day_of_instant)
    reader = mine_.asking.actor.id
    return mine_.page(
        "where.html",
        left=[departed(one, reader, mine_.language) for one in left],
        until=long_day(told.oldest, mine_.language) if told.oldest else "",
        later=bool(token),
        patient=mine_.patient,
        older=f"/me/where?from={told.next}" if told.next else "",
    )
