"""Emergency access in two gestures: choose why, confirm. It lasts an hour, is told at once, and may be ended.

The page that asks reads nothing of the record: it is the same for every record, and for none.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError, RequestError
from serment.model import EmergencyReason, PatientId, Regime
from serment.record.care.urgent import LASTS
from serment.web.clinician.frame import Opening, opening
from serment.web.clinician.why import closed
from serment.web.forms import page_form
from serment.web.shell import go_to, page, who_of
from serment.words import say

REASONS: Final = (EmergencyReason.LIFE_THREAT, EmergencyReason.UNCONSCIOUS, EmergencyReason.ON_CALL)
MINUTES: Final = LASTS // 60_000


async def urgent(request: Request) -> Response:
    """Show the coded reasons, the first gesture; open the record in an emergency by a form, the second."""
    opened = await opening(request)
    return _asked(opened) if request.method != "POST" else await _begin(request, opened)


async def _begin(request: Request, opened: Opening) -> Response:
    """Open the record. What an emergency does not open is as what is not there."""
    form = await page_form(request, opened.house)
    reasons = [one for one in EmergencyReason if one.value in form.every("reason")]
    try:
        await opened.house.urgent.begin(opened.asking, PatientId(opened.patient), reasons)
    except NotFoundError:
        return closed(opened)
    except RequestError as error:
        return _asked(opened, error=error.said(opened.language), status=error.status)
    return go_to(f"/record/{opened.patient}")


async def end(request: Request) -> Response:
    """End an emergency access before its time."""
    opened = await opening(request)
    await page_form(request, opened.house)
    await opened.house.urgent.end(opened.asking, opened.patient)
    return go_to("/today")


def _asked(opened: Opening, *, error: str = "", status: int = 200) -> Response:
    """Ask why. A record shared beyond the structure opens for both reasons of the law together."""
    actor, language = opened.asking.actor, opened.language
    shared = opened.house.passage.regime is Regime.SHARED
    offered = [one for one in REASONS if not (shared and one is EmergencyReason.ON_CALL)]
    offered += [EmergencyReason.REGULATION] if actor.regulation else []
    return page(
        opened.request,
        "clinician/urgent.html",
        status,
        reasons=[(one.value, say(f"ledger.reason-{one.value}", language)) for one in offered],
        both=shared,
        minutes=MINUTES,
        error=error,
        record=f"/record/{opened.patient}",
        **who_of(opened.request, opened.house, opened.asking),
    )
