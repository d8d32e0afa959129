"""The officer's page: the ledger verified, the disk searched on a demo store. No care content."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of, language_of
from serment.errors import RefusedError
from serment.model import ActorKind
from serment.record import alarms
from serment.record.house import House
from serment.web.shell import page, who_of
from serment.words import say


async def officer(request: Request) -> Response:
    """Verify the ledger and, on a demo store, search the disk for names. No care content."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind is not ActorKind.OFFICER:
        raise RefusedError("record.not-found")
    report = await run_in_threadpool(_verified, house)
    disk = await run_in_threadpool(request.app.state.search_disk)
    ledger = {"good": report.ok, "size": report.size, "faults": len(report.faults)}
    standing = await run_in_threadpool(alarms.standing, house.passage)
    said = [say(alarm, language_of(request)) for alarm in standing]
    who = who_of(request, house, asking)
    strangers = house.strangers.all
    return page(
        request, "officer/security.html", ledger=ledger, disk=disk, alarms=said, strangers=strangers, **who
    )


def _verified(house: House) -> Any:
    house.proving.checkpoint()
    report = house.proving.verify()
    if not report.ok:
        house.passage.alarms.ring(alarms.INTEGRITY)
    return report
