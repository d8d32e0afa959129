"""What every page has: its headers, its templates, who is signed in, where one may go from it, errors.

`page` renders a whole page, or the one block of it that htmx asked for: one template serves both. Scripts are
ours only, each with the nonce of the answer; no style or script stands inside a page (CSP 3, Trusted Types).
A page shows what `record` gave and decides nothing.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serment.door import counter
from serment.door.asking import MET, cookie_of, cookie_secret, house_of, language_of
from serment.door.preferences import preferences_of
from serment.errors import LockedError, SermentError
from serment.model import Function
from serment.record.acts import WORKING
from serment.record.asking import Asking
from serment.record.entrance.session_rows import COUNTER_IDLE_MS, UNBOUND
from serment.record.house import House
from serment.web.assets import address
from serment.web.navigation import FOOT, links_of
from serment.words import Language, say

_POLICY: Final = (
    "default-src 'none'; {script}style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)

HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": _POLICY.format(script=""),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""What every answer to a person carries; one that is a page also names the nonce of its scripts."""

DID: Final = frozenset(
    {"agreed", "cancelled", "ended", "hacked", "lost", "out", "password", "refused", "saved", "sent"}
)
"""What a page says to have been done, after the form that did it: words of ours, never what was typed."""

ADVISED: Final = frozenset({400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 507})
"""Statuses of an error that have an advice of their own in the catalogue."""

LEFT_ALONE: Final = f"{COUNTER_IDLE_MS // 1000}; url=/counter/over"
"""Where a tablet at the counter goes by itself: what it shows does not stay when its person has left."""

_templates = Environment(
    loader=PackageLoader("serment.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["asset"] = address


def page(
    request: Request, template: str, status: int = 200, *, part: str = "", **values: Any
) -> HTMLResponse:
    """Render a page; when htmx asks for a part of it, the block `part` of the same template and nothing else.

    In a template: `t(id, **parameters)` says a sentence, `lang`, `nonce`, `who`, `csrf`, `links`, `foot`.
    """
    language, nonce = language_of(request), secrets.token_urlsafe(18)
    values = {**_common(request, language), "nonce": nonce, **values}
    made = _templates.get_template(template)
    if part and asks_part(request):
        text = "".join(made.blocks[part](made.new_context(values)))
    else:
        text = made.render(values)
    policy = _POLICY.format(script=f"script-src 'nonce-{nonce}'; ")
    headers = {**HEADERS, "content-security-policy": policy, "vary": "hx-request"}
    if values["at_counter"]:
        headers["refresh"] = LEFT_ALONE
    return HTMLResponse(text, status, headers)


def asks_part(request: Request) -> bool:
    """Say whether htmx asks for a part of a page (its own header; a person's browser sends none)."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-request-type") != "full"


def go_to(to: str, *, did: str = "") -> RedirectResponse:
    """Lead on to another page of ours after a form was taken (RFC 9110 section 15.4.4).

    `did`, one of `DID`, names what was done where the next page does not show it by itself.
    """
    mark = "&" if "?" in to else "?"
    return RedirectResponse(f"{to}{mark}did={did}" if did else to, 303, HEADERS)


def who_of(request: Request, house: House, asking: Asking) -> dict[str, Any]:
    """Say who is signed in, where they may go, and what the forms of this page carry."""
    actor = asking.actor
    named = f"ledger.function-{actor.function.value}"
    role = say(
        named if actor.function is not Function.NONE else f"web.role-{actor.kind.value}", asking.language
    )
    here = request.url.path
    links = [
        {"to": one.to, "says": say(one.sentence, asking.language), "key": one.key, "here": one.to == here}
        for one in links_of(asking)
        if counter.opens(request.scope.get(MET), "GET", one.to)
    ]
    return {
        "who": {"name": actor.name, "role": role, "works": actor.kind in WORKING},
        "links": links,
        "demo": house.kind.value == "demo",
        "csrf": house.sessions.form_key(cookie_secret(request)),
    }


def failed(request: Request, error: SermentError) -> Response:
    """Say an error in words, calmly: the fact, what became of what was sent, what to do."""
    language = language_of(request)
    return page(
        request,
        "error.html",
        error.status,
        sentence=error.said(language),
        todo=say(f"everyone.error-{_alike(error.status)}", language),
        again=error.status not in {401, 503},
        locked=isinstance(error, LockedError),
        out=error.status == 401,
        **_whose(request),
    )


def _whose(request: Request) -> dict[str, Any]:
    """Give the frame of who is signed in, when they were met before the error: the way out is their own."""
    if MET in request.scope:
        with suppress(SermentError):
            house = house_of(request)
            return who_of(request, house, cookie_of(request, house))
    return {}


def _alike(status: int) -> int:
    """Give the status whose advice fits this one: those that have no advice of their own are of two kinds."""
    if status in ADVISED:
        return status
    return 500 if status >= 500 else 400


def _common(request: Request, language: Language) -> dict[str, Any]:
    """Give what every template may name, for a page of nobody; `who_of` and the page say more."""
    met = request.scope.get(MET)
    bound = met.bound if met is not None else UNBOUND
    return {
        "lang": language.value,
        "t": partial(_say, language),
        "colon": "\u00a0: " if language is Language.FR else ": ",
        "who": None,
        "links": [],
        "foot": FOOT,
        "csrf": "",
        "demo": False,
        "zone": _zone(),
        "did": _did(request, language),
        "told": bound.told,
        "own": bool(bound.account),
        "at_counter": bound.at_counter,
        "preferences": preferences_of(request),
    }


def _zone() -> str:
    """Write how far the clock of this house is from UTC today: UTC+01:00."""
    offset = f"{datetime.now(UTC).astimezone():%z}"
    return f"UTC{offset[:3]}:{offset[3:]}"


def _did(request: Request, language: Language) -> str:
    """Say what has just been done, when the address of the page names it; "" for nothing."""
    what = request.query_params.get("did", "") if request.scope.get("query_string") else ""
    return say(f"web.did-{what}", language) if what in DID else ""


def _say(language: Language, sentence: str, **parameters: object) -> str:
    return say(sentence, language, **parameters)
