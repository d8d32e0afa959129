"""What waits for whoever works here; asking for an agreement or a document; answering a correction.

A line names a person and leads to their record only where the decision of this moment lets the reader open
it. Asking for an agreement is one page, the same for every record and for none (ADR 64).
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of
from serment.errors import NotFoundError, RefusedError, RequestError
from serment.fhir.errand import KINDS
from serment.identity.who import Who
from serment.model import ActorKind, PatientId
from serment.record.asking import Asking
from serment.record.between.errands import DEPOSIT_DAYS
from serment.record.between.inbox import ANSWERED, Errand, Pointer, due
from serment.record.between.permitting import REASONS
from serment.record.house import House
from serment.web.clinician.frame import framed, opening
from serment.web.finding import said_of
from serment.web.forms import page_form
from serment.web.shell import go_to, page, who_of
from serment.web.written import instant, long_day
from serment.words import Language, say

AT_WORK: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
LATELY: Final = 20
"""Settled lines that are shown."""

ITEMS: Final = frozenset({Errand.DEPOSITED, Errand.RESULT, Errand.SHARED})
"""Kinds that lead to the item itself."""


async def inbox(request: Request) -> Response:
    """Show what waits for whoever works here, what they asked, and what they settled lately."""
    house = house_of(request)
    asking = _at_work(request, house)
    pointers = await run_in_threadpool(house.inbox.of, asking)
    named = await house.worklists.named(asking, [one.patient for one in pointers if one.patient])
    mine = [one for one in pointers if one.sender == asking.actor.id]
    sent = [one for one in pointers if one.sender != asking.actor.id]
    return page(
        request,
        "clinician/inbox.html",
        waiting=[_line(one, named, asking) for one in sent if one.waits(asking.now)],
        asked=[_line(one, named, asking) for one in mine],
        settled=[_line(one, named, asking) for one in sent if one.done][:LATELY],
        dropped=await run_in_threadpool(house.inbox.dropped, asking),
        **who_of(request, house, asking),
    )


def _line(one: Pointer, named: dict[str, Who], asking: Asking) -> dict[str, Any]:
    """Say one pointer; without a name and a link when its record is not open to the reader."""
    language, known = asking.language, one.patient in named
    return {
        "id": one.id,
        "what": say(f"clinician.waits-{one.kind}", language),
        "name": said_of(named[one.patient], language)["name"] if known else "",
        "to": address(one) if known else "",
        "by": one.by,
        "at": instant(one.at, language),
        "away": one.kind not in ANSWERED,
        "over": bool(one.until) and one.until <= asking.now,
        "due": _due(one, language),
    }


def address(one: Pointer) -> str:
    """Say where what waits is answered, for who may open the record."""
    if one.kind is Errand.CORRECTION:
        return f"/inbox/correction/{one.id}"
    if one.kind is Errand.CONFIRM:
        return f"/record/{one.patient}/proposals"
    return f"/record/{one.patient}/item/{one.item}" if one.kind in ITEMS else f"/record/{one.patient}"


def _due(one: Pointer, language: Language) -> str:
    if one.kind is not Errand.CORRECTION:
        return ""
    day = due(one.at)
    return day.isoformat() if language is Language.EN else f"{day:%d/%m/%Y}"


async def settle(request: Request) -> Response:
    """Put one line away."""
    house = house_of(request)
    asking = _at_work(request, house)
    form = await page_form(request, house)
    await run_in_threadpool(house.inbox.settle, asking, form.get("id", ""))
    return go_to("/inbox")


def _at_work(request: Request, house: House) -> Asking:
    asking = cookie_of(request, house)
    if asking.actor.kind not in AT_WORK:
        raise NotFoundError("record.not-found")
    return asking


# Asking for an agreement.


async def ask(request: Request) -> Response:
    """Ask the patient for their agreement: nothing of the record is read, before or after."""
    house = house_of(request)
    asking, patient = cookie_of(request, house), PatientId(str(request.path_params["id"]))
    if asking.actor.kind is not ActorKind.PROFESSIONAL:
        raise RefusedError("errands.not-yours")
    values: dict[str, Any] = {
        "record": f"/record/{patient}",
        "reasons": [(one, say(f"errands.ask-reason-{one}", asking.language)) for one in REASONS],
        **who_of(request, house, asking),
    }
    if request.method != "POST":
        return page(request, "clinician/ask.html", error="", chosen="", **values)
    form = await page_form(request, house)
    reason, alone = form.get("reason", ""), form.get("alone") == "1"
    try:
        until = await house.permitting.ask(asking, patient, reason, alone=alone)
    except RequestError as error:
        said = error.said(asking.language)
        return page(request, "clinician/ask.html", error.status, error=said, chosen=reason, **values)
    return page(request, "clinician/asked.html", day=long_day(until, asking.language), **values)


# Asking for a document.


async def ask_document(request: Request) -> Response:
    """Ask the patient for one document, from a page of their record."""
    opened = await opening(request)
    asking, house, patient = opened.asking, opened.house, PatientId(opened.patient)
    chart = await house.charting.page(asking, opened.patient)
    typed = {"kind": "", "text": "", "days": "7"}
    error = ""
    if request.method == "POST":
        form = await page_form(request, house)
        typed = {name: form.get(name, "") for name in typed}
        days = int(typed["days"]) if typed["days"].isdecimal() and len(typed["days"]) < 4 else 0
        try:
            await house.errands.ask_deposit(asking, patient, typed["kind"], typed["text"], days)
            return go_to(f"/record/{opened.patient}", did="sent")
        except RequestError as refused:
            error = refused.said(asking.language)
    person = None if chart.person is None else chart.person.body
    return page(
        request,
        "clinician/ask_document.html",
        400 if error else 200,
        kinds=[("", say("errands.choose", asking.language)), *_kinds(asking.language)],
        limits=[(str(one), say(f"errands.within-{one}", asking.language)) for one in DEPOSIT_DAYS],
        typed=typed,
        error=error,
        **framed(opened, person, "ask-document"),
    )


def _kinds(language: Language) -> list[tuple[str, str]]:
    return [(one, say(f"errands.kind-{one}", language)) for one in KINDS]


# Answering a correction.


async def correction(request: Request) -> Response:
    """Show what a person says is wrong, and take the answer."""
    house = house_of(request)
    asking = _at_work(request, house)
    id_ = str(request.path_params["id"])
    text, error = "", ""
    if request.method == "POST":
        form = await page_form(request, house)
        text, said = form.get("text", ""), form.get("say", "")
        try:
            if said not in {"accept", "refuse"}:
                raise RequestError("errands.answer-form")  # noqa: TRY301 - beside the form, as what follows
            await house.errands.answer_correction(asking, id_, text, accepted=said == "accept")
            return go_to("/inbox", did="sent")
        except NotFoundError:
            raise
        except RequestError as refused:
            error = refused.said(asking.language)
    waiting = await run_in_threadpool(house.inbox.waiting, asking)
    pointer = next((one for one in waiting if (one.id, one.kind) == (id_, Errand.CORRECTION)), None)
    found = None if pointer is None else await house.errands.read(asking, pointer)
    if pointer is None or found is None or found.asked is None:
        raise NotFoundError("errands.gone")
    return page(
        request,
        "clinician/correction.html",
        400 if error else 200,
        said=found.asked.text,
        item=f"/record/{pointer.patient}/item/{found.asked.item}",
        due=_due(pointer, asking.language),
        to=f"/inbox/correction/{id_}",
        text=text,
        error=error,
        **who_of(request, house, asking),
    )
