"""Taking an invitation: the link's secret leaves the address at once, and is spent by what the person makes.

Looking spends nothing, so that a scanner of mails does no harm. The person makes a passkey, or a password
with one-time codes; recovery codes are shown once.
"""

from __future__ import annotations

from base64 import b32encode
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.door import browser
from serment.door.asking import house_of, language_of, nobody_yet, people_of
from serment.errors import MethodError, RequestError, SermentError
from serment.people.accounts import Account
from serment.people.own_account import Secret
from serment.people.providers import Kind
from serment.web.entry.signing import slowly
from serment.web.forms import form_of
from serment.web.shell import HEADERS, page

INVITATION: Final = "serment-invitation"
KEPT_SECONDS: Final = 3600


async def follow(request: Request) -> Response:
    """Take the secret of a link out of the address. Spends nothing."""
    if request.method == "HEAD":
        raise MethodError("api.method")
    answer = RedirectResponse("/join", 303, HEADERS)
    browser.keep(request, answer, INVITATION, request.path_params["code"], lax=True, age=KEPT_SECONDS)
    return answer


async def join(request: Request) -> Response:
    """Show how to begin, and take what the person made. Raises `SignInError` for a link that is over."""
    house, own = house_of(request), people_of(request).entering.own
    asking, where = nobody_yet(request, house), browser.where_of(request, house)
    code = browser.cookie(request, INVITATION)
    account = await run_in_threadpool(people_of(request).entering.inviting.invited, asking, code)
    if request.method != "POST":
        secret = await run_in_threadpool(own.secret, asking, account, where)
        return await _page(request, account, secret)
    browser.from_our_page(request)
    form = await form_of(request)
    ticket = form.get("ticket", "")
    shown: list[str] = []
    try:
        if form.get("answer"):
            await run_in_threadpool(own.join_by_passkey, asking, code, form["answer"], ticket, where)
        else:
            twice, typed = (form.get("password", ""), form.get("again", "")), (ticket, form.get("code", ""))
            by_password = partial(own.join_by_password, asking, code, twice, typed, where)
            _, shown = await slowly(request, by_password)
    except RequestError as error:
        secret = await run_in_threadpool(own.shown_again, asking, account, ticket, where)
        return await _page(request, account, secret, error)
    answer = page(request, "entry/joined.html", codes=shown)
    browser.drop(request, answer, INVITATION)
    return browser.known(request, answer)


def spelled(secret: Secret, account: Account, host: str) -> dict[str, Any]:
    """Write the secret of one-time codes as people type it, and as a link to open or read from a QR code."""
    base32 = b32encode(secret.value).decode().rstrip("=")
    label = quote(f"Serment:{account.login or account.name}")
    link = f"otpauth://totp/{label}?secret={base32}&issuer=Serment&digits=6&period=30"
    groups = " ".join(base32[i : i + 4] for i in range(0, len(base32), 4))
    return {"groups": groups, "link": link, "drawn": _drawn(link), "ticket": secret.ticket, "host": host}


def _drawn(link: str) -> dict[str, Any]:
    """Draw a link as a QR code (ISO/IEC 18004): the side in squares, and the dark ones as one SVG path."""
    rows = list(segno.make(link, error="m", micro=False).matrix_iter(border=2))
    dark = ((x, y) for y, row in enumerate(rows) for x, square in enumerate(row) if square)
    return {"side": len(rows), "path": "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)}


async def _page(
    request: Request, account: Account, secret: Secret, error: SermentError | None = None
) -> Response:
    house, own = house_of(request), people_of(request).entering.own
    asking, where = nobody_yet(request, house), browser.where_of(request, house)
    challenge = await run_in_threadpool(own.creation, asking, account, where)
    choices = await run_in_threadpool(people_of(request).providers.choices, asking)
    kind = Kind.PATIENT if any(one.patient for one in account.exercises) else Kind.SITE
    answer = page(
        request,
        "entry/join.html",
        200 if error is None else error.status,
        said=error.said(language_of(request)) if error is not None else "",
        name=account.name,
        login=account.login,
        challenge=challenge,
        providers=[one for one in choices if one.kind == kind],
        secret=spelled(secret, account, request.url.hostname or ""),
    )
    return browser.known(request, answer)
