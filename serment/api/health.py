"""Health for whoever watches the process: alive, and ready. Neither tells a version or a name."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from serment.door.asking import house_of
from serment.errors import SermentError

NO_STORE = {"cache-control": "no-store"}


async def livez(_request: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n", headers=NO_STORE)


async def readyz(request: Request) -> Response:
    """Say whether records can be opened now: custody unlocked, store readable, room on the disk."""
    try:
        house = house_of(request)
        with house.passage.store.snapshot() as snapshot:
            snapshot.ledger_size()
        house.custody.state()
    except SermentError as error:
        return PlainTextResponse(f"{error.sentence}\n", 503, NO_STORE)
    return PlainTextResponse("ready\n", headers=NO_STORE)
