"""Keys, their keeper and the ledger: counts and names, no key and no secret."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import CustodyError, LockedError
from serment.record.house import House
from serment.web.officer.office import around, officer_here
from serment.web.shell import page
from serment.web.written import number
from serment.words import Language, say


async def keys(request: Request) -> Response:
    """Show how custody stands, who can open it, and how far the ledger is signed."""
    house, asking = officer_here(request)
    shown = await run_in_threadpool(_shown, house, asking.language)
    return page(request, "officer/keys.html", **shown, **around(request, house, asking))


def _shown(house: House, language: Language) -> dict[str, Any]:
    with house.passage.store.snapshot() as snapshot:
        size = snapshot.ledger_size()
    ledger = {
        "size": number(size, language),
        "origin": house.proving.origin,
        "key": house.proving.key.public_key.hex(),
    }
    try:
        return {"custody": _custody(house, language), "ledger": {**ledger, **_signed(house, language)}}
    except (CustodyError, LockedError):
        return {"custody": None, "ledger": {**ledger, "signed": "", "root": ""}}


def _custody(house: House, language: Language) -> dict[str, Any]:
    state = house.custody.state()
    counted = {
        name: number(getattr(state, name), language)
        for name in (
            "records",
            "unwrapped",
            "spent",
            "soft",
            "hard",
            "widest",
            "wrong_passphrases",
            "generation",
        )
    }
    return {
        **counted,
        "phase": say(f"officer.custody-{state.phase.value}", language),
        "slots": [slot.name for slot in house.custody.list_slots()],
    }


def _signed(house: House, language: Language) -> dict[str, str]:
    remembered = house.custody.remembered()
    if remembered is None:
        return {"signed": "", "root": ""}
    return {"signed": number(remembered.size, language), "root": remembered.root.hex()}
