"""The first three pages: a record, my record, security. Plain, server-made, no script.

A page shows what `record` gave and decides nothing. Order: entering, the professional's record, the
patient's own page, the officer's page, errors.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serment.door import browser
from serment.door.asking import MET, cookie_of, cookie_secret, house_of, language_of, session_of
from serment.errors import (
    LockedError,
    MalformedError,
    MethodError,
    NotFoundError,
    ProofAgainError,
    RefusedError,
    SermentError,
    SignInError,
    TooLargeError,
)
from serment.fhir.summary import person_name, summary
from serment.identity.status import status
from serment.ledger.entry import Event, Interaction, Kind
from serment.ledger.sentences import line
from serment.model import ActorKind, Category, Function, PatientId
from serment.record import alarms
from serment.record.acts import WORKING
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.session_rows import UNBOUND
from serment.record.showing import FirstView, Shown
from serment.words import Language, catalogue, say

_templates = Environment(
    loader=PackageLoader("serment.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

SCRIPTED = {
    **HEADERS,
    "content-security-policy": HEADERS["content-security-policy"] + "; script-src 'self'",
}
"""Of the pages that ask for a passkey: a browser gives one to a script only."""

SHOWN_LINES = 40
RECENT = 30 * 24 * 3600 * 1000
"""Milliseconds that the sentence about who opened the record looks back."""

MOST_FORM = 16 * 1024

DOCUMENTS = "documents"
"""The group of all the DMP classes on a page."""

ORDER = (
    "identity",
    "allergies",
    "problems",
    "treatments",
    "vaccinations",
    "vitals",
    "labs",
    "imaging",
    "notes",
    DOCUMENTS,
    "administrative",
    "contact",
    "choices",
    "unmapped",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One item on a page."""

    reference: str = field(repr=False)
    title: str = field(repr=False)
    value: str = field(repr=False)
    iso: str
    date: str
    masked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The items of one category on a page."""

    title: str
    items: list[Row] = field(repr=False)
    total: int


def page(
    request: Request, template: str, status_code: int = 200, *, script: bool = False, **values: Any
) -> Response:
    """Render a page with the headers that every page has; `script`: it may run ours, and no other."""
    language = language_of(request)
    met = request.scope.get(MET)
    bound = met.bound if met is not None else UNBOUND
    common = {"lang": language.value, "t": partial(_say, language), "who": None, "demo": False}
    of_session = {"told": bound.told, "own": bool(bound.account)}
    text = _templates.get_template(template).render({**common, **of_session, **values})
    return HTMLResponse(text, status_code, SCRIPTED if script else HEADERS)


def _say(language: Language, sentence: str, **parameters: object) -> str:
    return say(sentence, language, **parameters)


async def enter(request: Request) -> Response:
    """Exchange a one-time code for a cookie; the code is gone from the address."""
    house = house_of(request)
    if request.method == "HEAD":
        raise MethodError("api.method")  # whoever only looks whether a link is alive does not spend it
    try:
        secret = await run_in_threadpool(
            house.sessions.exchange, request.path_params["code"], house.passage.clock()
        )
    except SignInError:
        raise SignInError("web.code-spent") from None
    session = house.sessions.open(secret, house.passage.clock())
    return browser.signed_in(request, RedirectResponse(session.to, 303, HEADERS), secret)


async def sign_out(request: Request) -> Response:
    """End the session."""
    house = house_of(request)
    await page_form(request, house)
    await run_in_threadpool(house.sessions.end, cookie_secret(request))
    answer = RedirectResponse("/sign-in", 303, HEADERS)
    browser.drop(request, answer, browser.SESSION)
    return answer


async def home(request: Request) -> Response:
    """Lead whoever is signed in to where they wanted to go; nobody is led to sign in."""
    try:
        session = session_of(request, house_of(request))
    except ProofAgainError:
        raise
    except SignInError:
        return RedirectResponse("/sign-in", 303, HEADERS)
    return RedirectResponse(session.to if session.to != "/" else "/home", 303, HEADERS)


async def record(request: Request) -> Response:
    """Show a record to a professional: the newest of each category, traced."""
    house = house_of(request)
    asking = cookie_of(request, house)
    view = await house.showing.first_view(asking, request.path_params["id"])
    language = language_of(request)
    return page(
        request,
        "record.html",
        groups=_groups(view, language, leave={Category.IDENTITY, Category.CONTACT}),
        person=_person(view, language),
        rule=_because(view.rule.partition(".")[2], language),
        hidden="web.home.may-proxy" if asking.actor.kind is ActorKind.PROXY else "web.record.hidden",
        **who_of(request, house, asking),
    )


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
        "me.html",
        opened=_opened([body.event for body in bodies], asking, language),
        lines=told[False][:SHOWN_LINES],
        older=max(0, len(told[False]) - SHOWN_LINES),
        mine=told[True][:SHOWN_LINES],
        groups=_groups(view, language, leave={Category.IDENTITY, Category.CONTACT, Category.CHOICES}),
        **who_of(request, house, asking),
    )


async def mask(request: Request) -> Response:
    """Mask an item: a Consent of the holder, in force at the next request."""
    return await _choose(request, masked=True)


async def unmask(request: Request) -> Response:
    """Lift a mask."""
    return await _choose(request, masked=False)


async def officer(request: Request) -> Response:
    """Verify the ledger and, on a demo store, search the disk for names. No care content."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind is not ActorKind.OFFICER:
        raise RefusedError("record.not-found")
    report = await run_in_threadpool(_verified, house)
    disk = await run_in_threadpool(request.app.state.search_disk)
    ledger = {"good": report.ok, "size": report.size, "faults": len(report.faults)}
    standing = await run_in_threadpool(alarms.standing, house.passage)
    said = [say(alarm, language_of(request)) for alarm in standing]
    who = who_of(request, house, asking)
    strangers = house.strangers.all
    return page(request, "officer.html", ledger=ledger, disk=disk, alarms=said, strangers=strangers, **who)


def failed(request: Request, error: SermentError) -> Response:
    """Say an error in words, with what to do."""
    said = error.said(language_of(request))
    again = error.status not in {401, 503}
    locked = isinstance(error, LockedError)
    out = error.status == 401
    return page(request, "error.html", error.status, sentence=said, again=again, locked=locked, out=out)


def _verified(house: House) -> Any:
    house.proving.checkpoint()
    report = house.proving.verify()
    if not report.ok:
        house.passage.alarms.ring(alarms.INTEGRITY)
    return report


async def _choose(request: Request, *, masked: bool) -> Response:
    house = house_of(request)
    asking = cookie_of(request, house)
    form = await page_form(request, house)
    if masked:
        await house.choosing.mask(asking, PatientId(_own(asking)), form.get("item", ""))
    else:
        await house.choosing.unmask(asking, PatientId(_own(asking)), form.get("item", ""))
    return RedirectResponse("/me", 303, HEADERS)


async def page_form(request: Request, house: House) -> dict[str, str]:
    """Read a form of ours. Raises `MalformedError` for one that does not carry this session's key."""
    form = await form_of(request)
    expected = house.sessions.form_key(cookie_secret(request))
    if not hmac.compare_digest(form.get("csrf", "").encode(), expected.encode()):
        raise MalformedError("web.form-stale")
    return form


async def form_of(request: Request) -> dict[str, str]:
    """Read the fields of a form, the first of each name. Raises `TooLargeError`."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MOST_FORM:
        raise TooLargeError("fhir.too-large", limit=MOST_FORM)
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > MOST_FORM:
            raise TooLargeError("fhir.too-large", limit=MOST_FORM)
    text = raw.decode("ascii", "replace")
    return {name: values[0] for name, values in parse_qs(text).items()}


def _own(asking: Asking) -> str:
    if asking.actor.patient is None:
        raise NotFoundError("record.not-found")
    return asking.actor.patient


def who_of(request: Request, house: House, asking: Asking) -> dict[str, Any]:
    """Say who is signed in, and what the forms of this page carry."""
    actor = asking.actor
    named = f"ledger.function-{actor.function.value}"
    role = say(
        named if actor.function is not Function.NONE else f"web.role-{actor.kind.value}", asking.language
    )
    return {
        "who": {"name": actor.name, "role": role, "works": actor.kind in WORKING},
        "demo": house.kind.value == "demo",
        "csrf": house.sessions.form_key(cookie_secret(request)),
    }


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


def day_of(text: str, language: Language) -> str:
    """Write a FHIR date as people do: 05/03/2020 or 03/2020 in French, as it is in English."""
    parts = text[:10].split("-")
    return "/".join(reversed(parts)) if language is Language.FR else text[:10]


def _person(view: FirstView, language: Language) -> dict[str, str]:
    for shown in view.groups.get(Category.IDENTITY, []):
        patient = msgspec.json.decode(shown.body)
        if patient.get("resourceType") == "Patient":
            return {
                "name": person_name(patient),
                "born": day_of(str(patient.get("birthDate", "")), language),
                "status": _word(f"web.status-{status(patient)}", str(status(patient)), language),
            }
    return {"name": "", "born": "", "status": ""}


def _because(ground: str, language: Language) -> str:
    """Say on what ground a record opens, to whoever opens it; the ledger says it to the patient."""
    return _word(f"web.record.because-{ground}", say(f"ledger.ground-{ground}", language), language)


def _groups(view: FirstView, language: Language, leave: set[Category]) -> list[Group]:
    rows: dict[str, list[Row]] = defaultdict(list)
    totals: dict[str, int] = defaultdict(int)
    for category, items in view.groups.items():
        if category not in leave:
            name = category.value if category.value in ORDER else DOCUMENTS
            rows[name] += [_row(shown, language) for shown in items]
            totals[name] += view.totals[category]
    return [
        Group(
            _category(name, language),
            sorted(rows[name], key=lambda row: row.iso, reverse=True),
            totals[name],
        )
        for name in ORDER
        if rows[name]
    ]


def _category(name: str, language: Language) -> str:
    if name == DOCUMENTS:
        return say("web.category.documents", language)
    return say(f"access.category.{name}", language)


def _row(shown: Shown, language: Language) -> Row:
    said = summary(msgspec.json.decode(shown.body), language)
    return Row(
        shown.reference, said.title, said.value, said.date, day_of(said.date, language), shown.unit.masked
    )


def _word(sentence: str, otherwise: str, language: Language) -> str:
    """Say a code in words; one that the catalogue does not know stands as it is."""
    return say(sentence, language) if sentence in catalogue() else otherwise


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
