"""Health for whoever watches the process: alive, and ready. Neither tells a version or a name.

Ready is 200 as long as records can be opened, those whose keys are at hand at least; then a second line
counts the alarms that stand, which the officer's page says in words. It is 503, with the id of one
sentence, while nothing can be served: locked, or the database does not answer.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from serment.door.asking import house_of
from serment.errors import SermentError

NO_STORE = {"cache-control": "no-store"}


async def livez(_request: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n", headers=NO_STORE)


async def readyz(request: Request) -> Response:
    """Say whether records can be opened now, and how many alarms stand."""
    try:
        house = house_of(request)
        with house.passage.store.snapshot() as snapshot:
            snapshot.ledger_size()
        alarms = await run_in_threadpool(house.lookout.count)
    except SermentError as error:
        return PlainTextResponse(f"{error.sentence}\n", 503, NO_STORE)
    return PlainTextResponse(f"ready\nalarms: {alarms}\n", headers=NO_STORE)
