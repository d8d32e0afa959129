"""A professional's own list: what was done under their name lately, and nobody else's."""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of, language_of
from serment.errors import RefusedError
from serment.ledger.entry import Interaction
from serment.record.acts import WORKING, Line
from serment.web.entry.signing import when
from serment.web.shell import page, who_of
from serment.words import Language, catalogue, say

SHOWN: Final = 200

ON_ONESELF: Final = frozenset({Interaction.SIGN_IN, Interaction.SIGN_OUT, Interaction.ACCOUNT})
"""What somebody did to their own way in: no record, no purpose of care."""


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
    return page(request, "entry/acts.html", rows=rows, older=older, **who_of(request, house, asking))


def _row(line: Line, language: Language) -> dict[str, Any]:
    did = f"web.acts.did-{line.interaction}"
    on_records = line.interaction not in ON_ONESELF
    return {
        "when": when(line.t),
        "what": say(did if did in catalogue() else "web.acts.did-other", language),
        "count": _count(line.count, language) if on_records and line.count else "",
        "why": _why(line.purpose, language) if on_records else "",
        "denied": line.denied,
    }


def _count(count: int, language: Language) -> str:
    return say("web.acts.one", language) if count == 1 else say("web.acts.many", language, count=count)


def _why(purpose: str, language: Language) -> str:
    """Say a purpose to whoever acted; the ledger's own words say it to the patient."""
    for sentence in (f"web.acts.purpose-{purpose}", f"ledger.purpose-{purpose}"):
        if sentence in catalogue():
            return say(sentence, language)
    return purpose
