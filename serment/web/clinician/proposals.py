"""Changes that wait for a second professional: what is in the record, what is proposed, confirm or set aside.

Whoever proposed sees that it waits and may withdraw it. Nothing is decided here: the buttons that a page
leaves out are those that would be refused.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import ConflictError, NotFoundError, RefusedError, RequestError
from serment.fhir import measures
from serment.fhir.summary import summary
from serment.model import PatientId
from serment.record.visits.proposals import State
from serment.record.visits.protecting import Shown, may_confirm
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.why import closed
from serment.web.forms import page_form
from serment.web.shell import go_to, page
from serment.web.written import day_of, instant
from serment.words import Language, catalogue, say

DONE: Final = {"confirmed": "consultation.confirmed", "set-aside": "consultation.set-aside"}


async def proposals(request: Request) -> Response:
    """Show what waits, then what was handled."""
    return await _shown(await opening(request))


async def act(request: Request) -> Response:
    """Confirm a proposal, or set it aside."""
    opened = await opening(request)
    form = await page_form(request, opened.house)
    patient, id_ = PatientId(opened.patient), str(request.path_params["proposal"])
    protecting, confirms = opened.house.protecting, form.get("do") == "confirm"
    try:
        if confirms:
            await protecting.confirm(opened.asking, patient, id_, opened.house.base)
        else:
            await protecting.set_aside(opened.asking, patient, id_)
    except NotFoundError:
        return closed(opened)
    except (ConflictError, RefusedError, RequestError) as error:
        return await _shown(opened, error.status, error=error.said(opened.language))
    return go_to(f"{_here(opened)}?done={'confirmed' if confirms else 'set-aside'}")


async def _shown(opened: Opening, status: int = 200, *, error: str = "") -> Response:
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient)
        listed = await opened.house.protecting.of(opened.asking, PatientId(opened.patient))
    except NotFoundError:
        return closed(opened)
    said = [_said(opened, one) for one in listed]
    done = DONE.get(opened.request.query_params.get("done", ""), "")
    return page(
        opened.request,
        "clinician/proposals.html",
        status,
        waiting=[one for one in said if one["waiting"]],
        past=[one for one in said if not one["waiting"]],
        done="" if error else done,
        error=error,
        **framed(opened, None if chart.person is None else chart.person.body),
    )


def _said(opened: Opening, one: Shown) -> dict[str, Any]:
    language, said = opened.language, one.said
    by = {"name": said.by_name, "date": instant(said.at, language)}
    closed_by = {"name": said.closed_name, "date": instant(said.closed_at, language)}
    return {
        "id": one.id,
        "waiting": said.state is State.WAITING,
        "may": may_confirm(opened.asking.actor, said),
        "own": said.by == opened.asking.actor.id,
        "by": say("consultation.proposal-by", language, **by),
        "now": _item(one.standing, language),
        "then": _item(one.proposed, language),
        "removes": said.removes,
        "state": say(f"consultation.proposal-{said.state.value}", language, **closed_by),
    }


def _item(body: bytes, language: Language) -> dict[str, str] | None:
    """Say an item as a list does, with its severity: what is confirmed is what is read."""
    if not body:
        return None
    resource = measures.decoded(body)
    of = summary(resource, language)
    grave = str(resource.get("criticality", ""))
    known = {"low", "high", "unable-to-assess"}
    word = "unknown" if grave == "unable-to-assess" else grave
    return {
        "title": of.title,
        "value": of.value,
        "date": day_of(of.date, language),
        "grave": say(f"consultation.criticality-{word}", language) if grave in known else "",
        "state": _state(resource, language),
    }


def _state(resource: dict[str, Any], language: Language) -> str:
    """Say the states of an item, which a change may turn; a code without a word stays a code."""
    states = [resource.get("clinicalStatus"), resource.get("verificationStatus")]
    codings = [one for state in states if isinstance(state, dict) for one in state.get("coding", ())]
    codes = [str(one.get("code", "")) for one in codings if isinstance(one, dict)]
    return ", ".join(_in_words(code, language) for code in codes or [str(resource.get("status", ""))])


def _in_words(code: str, language: Language) -> str:
    sentence = f"consultation.state-{code}"
    return say(sentence, language) if sentence in catalogue() else code


def _here(opened: Opening) -> str:
    return f"/record/{opened.patient}/proposals"
