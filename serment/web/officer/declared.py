"""How many acts of care each professional declared for themselves in thirty days, and for which reasons.

Never whose record: the patient's own list has the act itself. A count stops no care; somebody asks why.
"""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.record.asking import Asking
from serment.record.care.declaring import QUESTIONED, Declared, Declaring
from serment.web.officer.office import around, officer_here
from serment.web.shell import page
from serment.web.written import instant, number
from serment.words import say


async def declared(request: Request) -> Response:
    """Show the counts, the most first."""
    house, asking = officer_here(request)
    found = await run_in_threadpool(Declaring(house.passage).counted, asking)
    return page(
        request,
        "officer/declared.html",
        lines=[_line(one, asking) for one in found],
        most=number(QUESTIONED, asking.language),
        **around(request, house, asking),
    )


def _line(one: Declared, asking: Asking) -> dict[str, Any]:
    language = asking.language
    reasons = sorted(one.reasons.items(), key=lambda counted: -counted[1])
    said = (f"{say(f'ledger.reason-{reason}', language)} ({count})" for reason, count in reasons)
    return {
        "name": one.name,
        "count": number(one.count, language),
        "last": instant(one.last, language),
        "reasons": ", ".join(said),
        "questioned": one.questioned,
    }
