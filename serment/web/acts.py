"""A professional's own list: what was done under their name lately, and nobody else's."""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of, language_of
from serment.errors import RefusedError
from serment.record.acts import WORKING, Line
from serment.web.pages import page, who_of
from serment.web.signing import when
from serment.words import Language, catalogue, say

SHOWN: Final = 200


async def acts(request: Request) -> Response:
    """Show what the person who is signed in did in the last thirty days. A patient has the ledger itself."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind not in WORKING:
        raise RefusedError("record.not-found")
    lines = await run_in_threadpool(house.acting.of, asking)
    language = language_of(request)
    rows = [_row(line, language) for line in lines[:SHOWN]]
    older = max(0, len(lines) - SHOWN)
    return page(request, "acts.html", rows=rows, older=older, **who_of(request, house, asking))


def _row(line: Line, language: Language) -> dict[str, Any]:
    did = f"web.acts.did-{line.interaction}"
    purpose = f"ledger.purpose-{line.purpose}"
    return {
        "when": when(line.t),
        "what": say(did if did in catalogue() else "web.acts.did-other", language),
        "count": line.count,
        "why": say(purpose, language) if purpose in catalogue() else line.purpose,
        "denied": line.denied,
    }
