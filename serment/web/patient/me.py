"""The holder's own page: who opened the record, what is in it with its masks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of, language_of
from serment.errors import NotFoundError
from serment.ledger.entry import Event, Interaction, Kind
from serment.ledger.sentences import line
from serment.model import Category, PatientId
from serment.record.asking import Asking
from serment.web.forms import page_form
from serment.web.groups import groups_of
from serment.web.shell import go_to, page, who_of
from serment.web.written import day_of
from serment.words import Language, say

SHOWN_LINES: Final = 40
RECENT: Final = 30 * 24 * 3600 * 1000
"""Milliseconds that the sentence about who opened the record looks back."""


async def me(request: Request) -> Response:
    """Show the holder who opened the record, and what is in it with its masks."""
    house = house_of(request)
    asking = cookie_of(request, house)
    patient = _own(asking)
    language = language_of(request)
    bodies = await house.proving.trail(asking, patient)
    view = await house.showing.first_view(asking, patient)
    told: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for body in bodies:
        said = line(body.event, language, reader=asking.actor.id, late=bool(body.late))
        if said.who:
            told[body.event.actor == asking.actor.id].append(_line(said, language))
    return page(
        request,
        "patient/me.html",
        opened=_opened([body.event for body in bodies], asking, language),
        lines=told[False][:SHOWN_LINES],
        older=max(0, len(told[False]) - SHOWN_LINES),
        mine=told[True][:SHOWN_LINES],
        groups=groups_of(view, language, leave={Category.IDENTITY, Category.CONTACT, Category.CHOICES}),
        **who_of(request, house, asking),
    )


async def mask(request: Request) -> Response:
    """Mask an item: a Consent of the holder, in force at the next request."""
    return await _choose(request, masked=True)


async def unmask(request: Request) -> Response:
    """Lift a mask."""
    return await _choose(request, masked=False)


async def _choose(request: Request, *, masked: bool) -> Response:
    house = house_of(request)
    asking = cookie_of(request, house)
    form = await page_form(request, house)
    if masked:
        await house.choosing.mask(asking, PatientId(_own(asking)), form.get("item", ""))
    else:
        await house.choosing.unmask(asking, PatientId(_own(asking)), form.get("item", ""))
    return go_to("/me")


def _own(asking: Asking) -> str:
    if asking.actor.patient is None:
        raise NotFoundError("record.not-found")
    return asking.actor.patient


def _opened(events: list[Event], asking: Asking, language: Language) -> str:
    """Say in one sentence how many other people opened the record in the last thirty days."""
    others = [
        event
        for event in events
        if event.actor != asking.actor.id
        and event.kind is Kind.ACCESS
        and asking.now - event.t < RECENT
        and event.interaction is not Interaction.FIND
    ]
    people = len({event.actor for event in others})
    urgent = sum(1 for event in others if event.emergency)
    number = {0: "nobody", 1: "one"}.get(people, "many")
    said = say(f"web.me.opened-{number}", language, count=people)
    return f"{said} {say('web.me.opened-urgent', language)}" if urgent else said


def _line(one: Any, language: Language) -> dict[str, Any]:
    at = datetime.fromtimestamp(one.when_ms / 1000, UTC).astimezone()
    when = f"{day_of(at.date().isoformat(), language)} {at:%H:%M}"
    who = f"{one.who} ({one.role})" if one.role else one.who
    return {
        "when": when,
        "who": who,
        "what": one.what,
        "why": one.why,
        "emergency": one.emergency,
        "denied": one.denied,
    }
