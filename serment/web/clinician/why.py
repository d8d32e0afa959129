"""Why somebody can, or cannot, see a record, and what they can do about it: one page for every reason.

To a professional "blocked", "opposed", "masked", "no relation" and "no such record" are one page (HOUSE
promise 5), by one sentence and the same ways out; whoever sees the record reads on what ground.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.access.explain import ABSENT, REFUSED
from serment.access.record_facts import ON_CALL, TeamFact
from serment.errors import NotFoundError, RefusedError, RequestError
from serment.model import ActorKind, HeirGround, PatientId
from serment.record.care.declaring import QUESTIONED
from serment.record.pages.charting import Ground
from serment.web.clinician.frame import Opening, framed, hidden_said, opening
from serment.web.forms import page_form
from serment.web.shell import go_to, page, who_of
from serment.web.written import instant, long_day
from serment.words import Language, catalogue, say

CLOSED: Final = "clinician/closed.html"

REASONS: Final = (
    "visit-today",
    "telephone-advice",
    "result-received",
    "letter-received",
    "renewal",
    "covering-colleague",
    "care-coordination",
    "patient-registered",
)
"""The coded reasons of a declared act, the most frequent first; on call stands apart."""

ASKING: Final = "/record/{id}/ask"
"""Where consent is asked of the person."""


async def why(request: Request) -> Response:
    """Say on what ground the record is open; where it is not, what can be done."""
    return await _explained(await opening(request))


async def declare(request: Request) -> Response:
    """Declare one's own act of care by one gesture: a coded reason, 24 hours, told to the patient."""
    opened = await opening(request)
    form = await page_form(request, opened.house)
    reason = form.get("reason", "")
    if not reason:
        return await _explained(opened, 400, error=say("clinician.declare-reason", opened.language))
    try:
        count = await opened.house.choosing.declare_act(opened.asking, PatientId(opened.patient), reason)
    except (RefusedError, RequestError) as error:
        return await _explained(opened, error.status, chosen=reason, error=error.said(opened.language))
    if count < QUESTIONED:
        return go_to(f"/record/{opened.patient}")
    who = who_of(request, opened.house, opened.asking)
    return page(request, "clinician/declared.html", count=count, record=f"/record/{opened.patient}", **who)


async def _explained(opened: Opening, status: int = 200, *, chosen: str = "", error: str = "") -> Response:
    """Show the page of an open record, or that of one that is not; with what was chosen, when it failed."""
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient)
    except NotFoundError:
        return closed(opened, status, chosen=chosen, error=error)
    person = None if chart.person is None else chart.person.body
    return page(
        opened.request,
        "clinician/why.html",
        status,
        ground=ground_said(chart.ground, opened),
        acts=[act_said(act, opened.language) for act in chart.ground.acts],
        hidden=hidden_said(opened),
        chosen=chosen,
        error=error,
        **ways(opened),
        **framed(opened, person, "why"),
    )


def closed(opened: Opening, status: int = 404, *, chosen: str = "", error: str = "") -> Response:
    """Say that nothing of a record is open to who asks, and the ways out: the same whatever the reason."""
    professional = _works(opened)
    return page(
        opened.request,
        CLOSED,
        status,
        sentence=say(REFUSED if professional else ABSENT, opened.language),
        record=f"/record/{opened.patient}",
        grounds=_grounds(opened),
        chosen=chosen,
        error=error,
        **ways(opened),
        **who_of(opened.request, opened.house, opened.asking),
    )


def _grounds(opened: Opening) -> list[tuple[str, str]]:
    """Give the grounds of CSP L1110-4 V, to whoever is near somebody: of any record, and of none."""
    if opened.asking.actor.kind is not ActorKind.PROXY:
        return []
    return [(one.value, say(f"ledger.reason-{one.value}", opened.language)) for one in HeirGround]


async def name_ground(request: Request) -> Response:
    """Name the ground on which somebody near a dead person asks for their record: naming opens nothing."""
    opened = await opening(request)
    form = await page_form(request, opened.house)
    code = form.get("ground", "")
    if opened.asking.actor.kind is not ActorKind.PROXY or code not in set(HeirGround):
        return closed(opened, 400, error=say("clinician.declare-reason", opened.language))
    await opened.house.urgent.name_ground(opened.asking, opened.patient, HeirGround(code))
    return go_to(f"/record/{opened.patient}")


def ways(opened: Opening) -> dict[str, Any]:
    """Give the ways that lead to a record for this kind of actor; none reads the record."""
    kind, language = opened.asking.actor.kind, opened.language
    works = _works(opened)
    care = kind is ActorKind.PROFESSIONAL
    built = {route.path for route in opened.request.app.routes if isinstance(route, Route)}
    return {
        "reasons": [(one, say(f"ledger.reason-{one}", language)) for one in (*REASONS, ON_CALL)],
        "declares": works,
        "urgent_way": care,
        "asks": f"/record/{opened.patient}/ask" if care and ASKING in built else "",
    }


def _works(opened: Opening) -> bool:
    return opened.asking.actor.kind in {ActorKind.PROFESSIONAL, ActorKind.STAFF}


def ground_said(ground: Ground, opened: Opening) -> dict[str, str]:
    """Say which regime rules a record, on what ground it is open, and until when."""
    language, named = opened.language, ground.rule.partition(".")[2]
    regime = str(ground.regime) if _works(opened) else f"{ground.regime}-reader"
    because = f"web.record.because-{named}"
    return {
        "because": say(because, language)
        if because in catalogue()
        else say(f"ledger.ground-{named}", language),
        "regime": say(f"clinician.regime-{regime}", language),
        "regime_why": say(f"clinician.regime-{regime}-why", language),
        "until": "" if ground.until is None else instant(ground.until, language),
    }


def act_said(act: TeamFact, language: Language) -> str:
    """Say one dated act of care of the reader's own."""
    sentence = f"clinician.act-{act.kind}"
    kind = say(sentence if sentence in catalogue() else "clinician.act-other", language)
    return say("clinician.act", language, kind=kind, date=long_day(act.start, language))
