"""The page on which a person lets a program do something: what it will see, for how long, in which country.

What the program asked is sealed while the page is read, for this session and for one answer, so that nothing
of it is changed on the way. The form carries the key of the session, so that no other site posts it; the page
stands in no frame. The browser leaves for the registered address only, which the page names.

Order: arriving, the page, the answer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.access.categories import shipped_table
from serment.access.scopes import LOOKING, OPERATION, ResourceScope, parse
from serment.door.asking import cookie_of, cookie_secret, house_of, language_of, nobody_yet, people_of
from serment.errors import MalformedError, NotFoundError, OAuthError, RequestError, SignInError
from serment.model import ActorKind, Category, Instant
from serment.people.authorising import (
    IN_CONTEXT,
    OFFLINE,
    ONLINE,
    Wanted,
    needs_patient,
    offered,
    opens_nothing,
    scope_of,
)
from serment.people.clients import Client
from serment.people.grants import OFFLINE_MS, ONLINE_MS
from serment.people.programs import Programs
from serment.record.asking import Asking
from serment.record.house import House
from serment.web.forms import page_form
from serment.web.shell import HEADERS, page, who_of
from serment.words import Language, catalogue, say

READ_MS: Final = 10 * 60 * 1000
"""How long the page may be read before it is answered."""
ONWARD: Final = "onward"
"""Parameter that says that this browser has come by our own page already."""

_RECORD = re.compile(r"[A-Za-z0-9.-]{1,64}")


async def authorise(request: Request) -> Response:
    """GET /authorize: ask the person who is signed in, on a page of ours.

    A browser that comes from another site shows no session (`Strict`): a page of ours leads it on, once; then
    whoever is not signed in signs in first.
    """
    house, pairs = house_of(request), request.query_params.multi_items()
    nobody = nobody_yet(request, house)
    authorising = people_of(request).programs.authorising
    asked = [pair for pair in pairs if pair[0] != ONWARD]
    try:
        client, wanted = await run_in_threadpool(authorising.asked, nobody, asked)
    except OAuthError as error:
        raise RequestError(error.sentence) from None  # a page, and nobody is sent anywhere
    again = f"/authorize?{urlencode(asked)}"
    try:
        asking = cookie_of(request, house)
    except SignInError:
        if (ONWARD, "1") in pairs:
            return RedirectResponse(f"/sign-in?to={quote(again, safe='')}", 303, HEADERS)
        return page(request, "entry/consent_onward.html", to=f"{again}&{ONWARD}=1")
    if wanted.error:
        return _back(request, wanted, error=wanted.error)
    offer = offered(client, wanted.scope)
    if opens_nothing(scope_of(" ".join(offer))):
        return _back(request, wanted, error="invalid_scope")
    return _page(request, house, asking, client, wanted)


async def answer(request: Request) -> Response:
    """POST /authorize/answer: what the person ticked, or no."""
    house = house_of(request)
    asking = cookie_of(request, house)
    form = await page_form(request, house)
    key = house.sessions.form_key(cookie_secret(request))
    programs, nobody = people_of(request).programs, nobody_yet(request, house)
    try:
        sealed = await run_in_threadpool(
            programs.tickets.spend, f"authorise/{key}", form.get("request", ""), asking.now
        )
    except SignInError:
        raise MalformedError("web.form-stale") from None
    wanted = msgspec.msgpack.decode(sealed, type=Wanted)
    client = await run_in_threadpool(programs.clients.standing, nobody, wanted.client)
    if form.get("answer") != "let":
        return _back(request, wanted, error="access_denied")
    offer = offered(client, wanted.scope)
    ticked = [one for place, one in enumerate(offer) if f"s{place}" in form]
    try:
        code = await programs.authorising.agreed(asking, client, wanted, ticked, _patient(asking, form))
    except OAuthError as error:
        return _back(request, wanted, error=error.code)
    return _back(request, wanted, code=code)


def _patient(asking: Asking, form: dict[str, str]) -> str:
    """Say whom it is about: the person themselves, or the record that was named."""
    if asking.actor.kind is ActorKind.PATIENT:
        return asking.actor.patient or ""
    named = form.get("patient", "").strip().rpartition("/")[2]
    return named if _RECORD.fullmatch(named) else ""


def _back(request: Request, wanted: Wanted, **said: str) -> Response:
    """Send the browser back where the program registered, with `state` and `iss` (RFC 9207)."""
    origin = people_of(request).programs.origin
    pairs = {**said, **({"state": wanted.state} if wanted.state else {}), "iss": origin}
    mark = "&" if urlsplit(wanted.redirect).query else "?"
    return RedirectResponse(f"{wanted.redirect}{mark}{urlencode(pairs)}", 303, HEADERS)


# The page.


def _page(request: Request, house: House, asking: Asking, client: Client, wanted: Wanted) -> Response:
    language, key = language_of(request), house.sessions.form_key(cookie_secret(request))
    offer = offered(client, wanted.scope)
    programs = people_of(request).programs
    sealed = programs.tickets.issue(
        f"authorise/{key}", msgspec.msgpack.encode(wanted), Instant(asking.now + READ_MS)
    )
    own = asking.actor.kind is ActorKind.PATIENT
    names = needs_patient(scope_of(" ".join(offer))) and not own
    shown = page(
        request,
        "entry/consent.html",
        client=client,
        processor=client.processor,
        country=country(client.processor.country, language),
        lines=[_line(place, one, language, own=own) for place, one in enumerate(offer) if ticks(one)],
        until=_until(offer, asking.now, language),
        host=urlsplit(wanted.redirect).netloc,
        patient=_launched(programs, asking, wanted) if names else None,
        sealed=sealed,
        **who_of(request, house, asking),
    )
    # The answer leads to the program's own address: a form may end there and nowhere else.
    site = "{0.scheme}://{0.netloc}".format(urlsplit(wanted.redirect))
    policy = shown.headers["content-security-policy"]
    shown.headers["content-security-policy"] = policy.replace(
        "form-action 'self'", f"form-action 'self' {site}"
    )
    return shown


def ticks(scope: str) -> bool:
    """Say whether a scope is the person's to tick."""
    return scope not in IN_CONTEXT and scope != ONLINE


def _line(place: int, scope: str, language: Language, *, own: bool) -> dict[str, str]:
    return {"name": f"s{place}", "said": described(scope, language, own=own)}


def described(scope: str, language: Language, *, own: bool) -> str:
    """Say a scope in words: what would be seen or changed, of whom (`own`: of the patient who reads)."""
    if scope == OFFLINE:
        return say("consent.offline", language)
    if scope.startswith(OPERATION):
        name = f"consent.operation-{scope.removeprefix(OPERATION)}"
        return say(name, language) if _known(name) else say("consent.operation-other", language, name=scope)
    one = parse(scope)
    if one is None:
        raise NotFoundError("api.unknown-route")
    looks = not LOOKING.isdisjoint(one.letters)
    act = "both" if looks and one.writes else "look" if looks else "change"
    of = "own" if own else "all" if one.level == "user" else "one"
    return say(f"consent.{act}-{of}", language, what=what(one, language))


def _known(sentence: str) -> bool:
    return sentence in catalogue()


def what(one: ResourceScope, language: Language) -> str:
    """Name what a scope is about, by our categories: those in which its type may stand."""
    if one.category is not None:
        return say(f"access.category.{one.category.value}", language)
    if one.type == "*":
        return say("consent.everything", language)
    if one.type in {"DocumentReference", "Composition", "Binary"}:
        return say("consent.documents", language)
    if one.type == "AuditEvent":
        return say("consent.trace", language)
    found = {rule.category for rule in shipped_table().rules.get(one.type, ())} or {Category.UNMAPPED}
    if Category.IDENTITY in found:
        found.add(Category.CONTACT)
    named = sorted(say(f"access.category.{category.value}", language) for category in found)
    return ", ".join(named)


def country(code: str, language: Language) -> str:
    """Name a country: in words for the commonest, else by its code."""
    name = f"consent.country-{code.lower()}"
    return say(name, language) if _known(name) else code


def _until(offer: list[str], now: int, language: Language) -> str:
    """Say until when: of each way, the day that the person may choose by a tick."""
    lasting = OFFLINE_MS if OFFLINE in offer else ONLINE_MS if ONLINE in offer else 0
    if not lasting:
        return say("consent.short", language)
    at = datetime.fromtimestamp((now + lasting) / 1000, UTC).astimezone()
    day = f"{at:%d/%m/%Y}" if language is Language.FR else f"{at:%Y-%m-%d}"
    return say("consent.until" if OFFLINE in offer else "consent.today", language, day=day)


def _launched(programs: Programs, asking: Asking, wanted: Wanted) -> str:
    """Give the record on which the program was launched from our pages, "" when the person names it."""
    return programs.launched(asking, wanted.client, wanted.launch) if wanted.launch else ""
