"""The agenda: a day of the whole house or of one professional, and the appointments of one person.

An address names a day and a professional of the directory, never a patient's name. The reason of an
appointment is shown where `record` gave it, and nowhere else: who may not read it sees the agenda of somebody
without one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import InvalidResourceError, RefusedError, RequestError
from serment.fhir import appointment
from serment.fhir.appointment import HERE, MINUTES, TO_COME, Booking, Line
from serment.fhir.query import parse
from serment.model import ActorKind, Category
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.pages.charting import Picked, Table, latest
from serment.record.visits.scheduling import Slot
from serment.web.finding import said_of
from serment.web.forms import Form, page_form
from serment.web.secretary.desk import (
    RECEPTION,
    Desk,
    at_desk,
    bounds,
    day_typed,
    desk_of,
    hour_of,
    moment_typed,
    shown,
    today_of,
)
from serment.web.shell import go_to, page, who_of
from serment.web.written import instant, long_day
from serment.words import Language, say

MOST: Final = 40
"""Appointments of one person on their page, the latest first."""

TURNS: Final = ("arrived", "booked", "cancelled", "noshow")
_BACK = re.compile(r"/reception(/agenda(\?[a-z0-9=&-]+)?|/person/[A-Za-z0-9.-]{1,64}/appointments)?")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


# A day.


async def agenda(request: Request) -> Response:
    """Show a day: `day` (YYYY-MM-DD) and `with` (a Practitioner) narrow it; neither names a patient."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    today = today_of(asking.now)
    day, whom = day_typed(request.query_params.get("day", ""), today), request.query_params.get("with", "")
    people = await professionals(house, asking)
    slots = await of_day(house, asking, day, whom)
    return page(
        request,
        "secretary/agenda.html",
        day=long_day(bounds(day)[0], asking.language),
        iso=day.isoformat(),
        before=_address(day - timedelta(days=1), whom),
        after=_address(day + timedelta(days=1), whom),
        chosen=whom,
        people=people,
        lines=slots,
        back=_address(day, whom),
        **who_of(request, house, asking),
    )


def _address(day: date, whom: str) -> str:
    narrowed = f"&with={whom}" if _ID.fullmatch(whom) else ""
    return f"{RECEPTION}/agenda?day={day.isoformat()}{narrowed}"


async def of_day(house: House, asking: Asking, day: date, whom: str = "") -> list[dict[str, Any]]:
    """Give the lines of a day, those with one professional when `whom` is the id of a Practitioner."""
    slots = await house.scheduling.day(asking, *bounds(day))
    kept = [one for one in slots if not whom or f"Practitioner/{whom}" in one.said.practitioners]
    named = await house.worklists.named(asking, [one.patient for one in kept])
    return [
        _slot(one, said_of(named[one.patient], asking.language), asking.language)
        for one in kept
        if one.patient in named
    ]


def _slot(one: Slot, who: dict[str, str], language: Language) -> dict[str, Any]:
    to = f"{RECEPTION}/person/{one.patient}"
    return {**_said(one.id, one.said, language), **who, "record": to, "at": hour_of(one.said.start)}


def _said(id_: str, line: Line, language: Language) -> dict[str, Any]:
    kind = "good" if line.status in HERE else ""
    known = line.status in {*TURNS, "fulfilled"}
    return {
        "id": id_,
        "until": hour_of(line.end),
        "with": ", ".join(line.with_),
        "state": say(f"secretary.state-{line.status}" if known else "secretary.state-other", language),
        "kind": kind,
        "waits": line.status in TO_COME,
        "here": line.status in HERE,
        "off": line.status in {"cancelled", "noshow"},
        "reason": line.reason,
        "shown": line.shown,
    }


async def professionals(house: House, asking: Asking) -> list[tuple[str, str]]:
    """List whom one can book with: the professionals of the asker's own house, else all of the directory."""
    own = await _found(house, asking, "Practitioner", [("identifier", _number(asking))])
    roles = await _found(house, asking, "PractitionerRole", [("_count", "500")])
    mine = {f"Practitioner/{one['id']}" for one in own}
    houses = {_place(one) for one in roles if _whom(one) in mine} - {""}
    at_work = [one for one in roles if one.get("active") is not False and _cares(one)]
    here = [one for one in at_work if _place(one) in houses] or at_work
    people = {_whom(one).partition("/")[2]: one["practitioner"].get("display", "") for one in here}
    return sorted(((id_, name) for id_, name in people.items() if id_), key=lambda pair: pair[1])


def _number(asking: Asking) -> str:
    return asking.actor.id.removeprefix("rpps:")


async def _found(
    house: House, asking: Asking, kind: str, pairs: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    found = await house.finding.search(asking, parse(kind, list(pairs), house.base))
    return [msgspec.json.decode(one.body) for one in found.served]


def _whom(role: dict[str, Any]) -> str:
    return str(role.get("practitioner", {}).get("reference", ""))


def _place(role: dict[str, Any]) -> str:
    return str(role.get("organization", {}).get("reference", ""))


def _cares(role: dict[str, Any]) -> bool:
    """Say whether a role is that of a profession of health: a secretary is not booked with."""
    return any(one.get("coding") for one in role.get("code", ()))


# One person.


def _picked(table: Table) -> Picked:
    """Pick the appointments of a record, the latest first."""
    items = [one for one in table.of({Category.ADMINISTRATIVE}) if one.entry.type == "Appointment"]
    return Picked({"appointments": latest(items, MOST)}, {"appointments": len(items)})


async def lead_on(request: Request) -> Response:
    """Lead from a record to its appointments at the reception: nothing is looked at for it."""
    here = desk_of(request)
    return (
        here
        if isinstance(here, Response)
        else go_to(f"{RECEPTION}/person/{request.path_params['id']}/appointments")
    )


async def appointments(request: Request) -> Response:
    """Show the appointments of one person, and the form that books one."""
    desk = await at_desk(request, _picked)
    return desk if isinstance(desk, Response) else await _of_person(desk)


async def book(request: Request) -> Response:
    """Book an appointment. What was typed comes back with what is missing beside its field."""
    desk = await at_desk(request, _picked)
    if isinstance(desk, Response):
        return desk
    form = await page_form(request, desk.opened.house)
    people = await professionals(desk.opened.house, desk.opened.asking)
    errors = _missing(form, dict(people), desk.opened.asking)
    if errors:
        return await _of_person(desk, 400, form, errors)
    house, asking = desk.opened.house, desk.opened.asking
    try:
        await house.scheduling.book(asking, _booking(desk, form, dict(people)), house.base)
    except (RefusedError, RequestError, InvalidResourceError) as error:
        return await _of_person(desk, error.status, form, {"": error.said(desk.opened.language)})
    return go_to(f"{RECEPTION}/person/{desk.patient}/appointments")


def _missing(form: Form, people: dict[str, str], asking: Asking) -> dict[str, str]:
    language, errors = asking.language, {}
    if form.get("with", "") not in people:
        errors["with"] = say("secretary.with-missing", language)
    if not moment_typed(form.get("day", ""), form.get("hour", "")):
        errors["day"] = say("secretary.day-missing", language)
    if form.get("reason", "").strip() and not _shown(form) and asking.actor.kind is ActorKind.STAFF:
        errors["shown"] = say("secretary.reason-agreed", language)
    return errors


def _shown(form: Form) -> bool:
    return form.get("shown", "") == "1"


def _booking(desk: Desk, form: Form, people: dict[str, str]) -> Booking:
    whom, day, hour = form["with"], form["day"], form["hour"]
    minutes = int(form.get("minutes", "")) if form.get("minutes", "").isdecimal() else MINUTES[1]
    return Booking(
        desk.patient,
        {"reference": f"Practitioner/{whom}", "display": people[whom]},
        moment_typed(day, hour),
        moment_typed(day, hour, max(1, min(minutes, MINUTES[-1]))),
        form.get("reason", "").strip()[:200],
        _shown(form),
    )


async def _of_person(
    desk: Desk, status: int = 200, form: Form | None = None, errors: dict[str, str] | None = None
) -> Response:
    asking, language = desk.opened.asking, desk.opened.language
    said = [
        (one, appointment.line(msgspec.json.decode(one.body)))
        for one in desk.chart.groups.get("appointments", [])
    ]
    write = partial(_line, language=language)
    return shown(
        desk,
        "secretary/appointments.html",
        "appointments",
        status,
        coming=[write(one.reference, line) for one, line in reversed(said) if line.end >= asking.now],
        past=[write(one.reference, line) for one, line in said if line.end < asking.now],
        people=await professionals(desk.opened.house, asking),
        minutes=[(str(one), say("secretary.minutes", language, count=one)) for one in MINUTES],
        typed=form or {"day": today_of(asking.now).isoformat(), "minutes": str(MINUTES[1])},
        errors=errors or {},
        tells=asking.actor.kind is ActorKind.PROFESSIONAL,
        back=f"{RECEPTION}/person/{desk.patient}/appointments",
    )


def _line(reference: str, line: Line, *, language: Language) -> dict[str, Any]:
    return {**_said(reference.partition("/")[2], line, language), "at": instant(line.start, language)}


# Changing one.


async def turn(request: Request) -> Response:
    """Say that somebody arrived, does not come, or that an appointment is called off or stands again."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    form = await page_form(request, house)
    status = form.get("status", "")
    if status in TURNS:
        await house.scheduling.turn(asking, str(request.path_params["id"]), status, house.base)
    return go_to(_back(form), did="cancelled" if status == "cancelled" else "")


async def moving(request: Request) -> Response:
    """Show the form that moves an appointment."""
    return await _moving(request)


async def move(request: Request) -> Response:
    """Move an appointment; its reason stays as it was."""
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    form = await page_form(request, house)
    minutes = int(form.get("minutes", "")) if form.get("minutes", "").isdecimal() else MINUTES[1]
    start = moment_typed(form.get("day", ""), form.get("hour", ""))
    end = moment_typed(form.get("day", ""), form.get("hour", ""), max(1, min(minutes, MINUTES[-1])))
    if not start:
        return await _moving(request, 400, form, say("secretary.day-missing", asking.language))
    try:
        await house.scheduling.move(asking, str(request.path_params["id"]), start, end, base=house.base)
    except (RefusedError, RequestError, InvalidResourceError) as error:
        return await _moving(request, error.status, form, error.said(asking.language))
    return go_to(_address(day_typed(form["day"], today_of(asking.now)), ""))


async def _moving(request: Request, status: int = 200, form: Form | None = None, error: str = "") -> Response:
    here = desk_of(request)
    if isinstance(here, Response):
        return here
    house, asking = here
    id_ = str(request.path_params["id"])
    served = await house.reading.read(asking, "Appointment", id_)
    line = appointment.line(msgspec.json.decode(served.body))
    lasts = str(max(1, (line.end - line.start) // 60_000))
    standing = {"day": today_of(line.start).isoformat(), "hour": hour_of(line.start), "minutes": lasts}
    options = dict.fromkeys((*(str(one) for one in MINUTES), standing["minutes"]))
    return page(
        request,
        "secretary/move.html",
        status,
        one={**_said(id_, line, asking.language), "at": instant(line.start, asking.language)},
        typed=form or standing,
        error=error,
        minutes=[(one, say("secretary.minutes", asking.language, count=one)) for one in options],
        **who_of(request, house, asking),
    )


def _back(form: Form) -> str:
    """Give the page that a form came from; any other address leads to the reception."""
    asked = form.get("back", "")
    return asked if _BACK.fullmatch(asked) else RECEPTION
