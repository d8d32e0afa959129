"""Suspected duplicates: the list, two people side by side, one person, two people, and one after all.

Traits only: who sorts identities reads nothing of what the records hold for it.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import ConflictError, NotFoundError, RefusedError, RequestError
from serment.identity.who import Who
from serment.record.asking import Asking
from serment.record.duplicates.merging import Pair
from serment.record.duplicates.worklist import MERGED
from serment.record.house import House
from serment.web.finding import said_of
from serment.web.forms import page_form
from serment.web.secretary.desk import RECEPTION, desk_of
from serment.web.shell import failed, go_to, page, who_of
from serment.web.written import day_of, instant
from serment.words import Language, say

FAULTS = (ConflictError, NotFoundError, RefusedError, RequestError)
LIST = f"{RECEPTION}/duplicates"


async def listed(request: Request) -> Response:
    """Show the suspicions of the structure, the surest first."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    try:
        pairs = await house.merging.listed(asking)
    except RefusedError as error:
        return failed(request, error)
    return page(
        request,
        "secretary/duplicates.html",
        pairs=[_pair(one, asking.language) for one in pairs],
        **who_of(request, house, asking),
    )


async def compared(request: Request) -> Response:
    """Show two people side by side, trait by trait."""
    here = desk_of(request)
    return here if isinstance(here, Response) else await _compared(request, *here)


async def judged(request: Request) -> Response:
    """Keep what somebody decided of a pair: one person, two people, or one that was merged wrongly."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    form = await page_form(request, house)
    one, other = (str(request.path_params[name]) for name in ("one", "other"))
    try:
        await _do(house, asking, form.get("act", ""), form.get("kept", one), one, other)
    except FAULTS as error:
        return await _compared(request, house, asking, error.status, error.said(asking.language))
    return go_to(LIST if form.get("act") == "apart" else f"{LIST}/{one}/{other}")


async def _do(house: House, asking: Asking, act: str, kept: str, one: str, other: str) -> None:
    kept = kept if kept in {one, other} else one
    left = other if kept == one else one
    if act == "apart":
        await house.merging.keep_apart(asking, one, other)
    elif act == "undo":
        await house.merging.undo(asking, kept, left, house.base)
    elif act == "merge":
        await house.merging.merge(asking, kept, left, house.base)
    else:
        raise RequestError("secretary.judge")


async def _compared(
    request: Request, house: House, asking: Asking, status: int = 200, error: str = ""
) -> Response:
    one, other = (str(request.path_params[name]) for name in ("one", "other"))
    try:
        pair = await house.merging.pair(asking, one, other)
    except FAULTS as refused:
        return failed(request, refused)
    language = asking.language
    return page(
        request,
        "secretary/duplicate.html",
        status,
        error=error,
        here=f"{LIST}/{one}/{other}",
        rows=_rows(pair.people, language),
        merged=pair.suspicion.state == MERGED,
        kept=pair.suspicion.kept,
        **_pair(pair, language),
        **who_of(request, house, asking),
    )


def _pair(pair: Pair, language: Language) -> dict[str, Any]:
    people = [_person(one, language) for one in pair.people]
    to = f"{LIST}/{pair.people[0].patient}/{pair.people[1].patient}"
    since = instant(pair.suspicion.since, language)
    return {"people": people, "to": to, "since": since, "verdict": pair.suspicion.verdict}


def _person(one: Who, language: Language) -> dict[str, str]:
    return {**said_of(one, language), "id": one.patient, "record": f"{RECEPTION}/person/{one.patient}"}


def _rows(people: tuple[Who, Who], language: Language) -> list[tuple[str, str, str, bool]]:
    """Lay two people side by side; whether they differ is said in words too."""
    said = [
        (one.birth, one.used or one.birth, one.given, day_of(one.birth_date, language), _sex(one, language))
        for one in people
    ]
    names = ("birth-name", "used-name", "given-names", "birth-date", "sex")
    status = tuple(say(f"web.status-{one.status}", language) for one in people)
    rows = [
        (say(f"secretary.trait-{name}", language), here, there, here.casefold() != there.casefold())
        for name, here, there in zip(names, *said, strict=True)
    ]
    return [*rows, (say("secretary.status", language), status[0], status[1], False)]


def _sex(one: Who, language: Language) -> str:
    return (
        say(f"clinician.sex-{one.sex}", language) if one.sex in {"male", "female", "other", "unknown"} else ""
    )
