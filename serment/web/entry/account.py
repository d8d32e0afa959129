"""My account: sessions and devices, passkeys, password and one-time codes, "I was hacked".

What adds or takes away a way to sign in, or ends other sessions, asks for a fresh proof first. "I was hacked"
asks for nothing: it ends everything, and what comes next is the sign-in page.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door import browser
from serment.door.asking import cookie_of, fresh_of, house_of, language_of, people_of, session_of
from serment.errors import NotFoundError, RequestError, SermentError
from serment.people.accounts import Account
from serment.people.credentials import Notice
from serment.people.own_account import OwnAccount, Shown
from serment.record.asking import Asking
from serment.record.entrance.sessions import Session
from serment.web.entry.joining import spelled
from serment.web.entry.signing import passkey_line, slowly, when
from serment.web.forms import page_form
from serment.web.shell import go_to, page, who_of

_ADDRESS = "/account"


async def account(request: Request) -> Response:
    """Show what stands: sessions, passkeys, what happened lately."""
    return await _page(request)


async def end_session(request: Request) -> Response:
    """End one session of one's own, or every other one."""
    asking, session, own, form = await _act(request, fresh=True)
    if form.get("which") == "others":
        await run_in_threadpool(own.end_others, asking, session)
    else:
        await run_in_threadpool(own.end_session, asking, session, form.get("which", ""))
    return go_to(_ADDRESS, did="ended")


async def hacked(request: Request) -> Response:
    """End everything at once; the password must change, passkeys are reviewed, the officer is told."""
    asking, session, own, _ = await _act(request, fresh=False)
    await run_in_threadpool(own.hacked, asking, await _account(request, asking, session))
    answer = go_to("/sign-in", did="hacked")
    browser.drop(request, answer, browser.SESSION)
    return answer


async def lost(request: Request) -> Response:
    """Show what to do about a lost device; do it: end what is open elsewhere, stop its passkeys."""
    house = house_of(request)
    if request.method != "POST":
        fresh_of(request, house)
        asking, session = cookie_of(request, house), session_of(request, house)
        _of(session)
        standing = await run_in_threadpool(people_of(request).entering.own.standing, asking, session)
        keys = [passkey_line(one) for one in standing.passkeys if one.proves]
        common = who_of(request, house, asking)
        return page(request, "entry/lost.html", passkeys=keys, has_password=standing.has_password, **common)
    asking, session, own, form = await _act(request, fresh=True)
    ids = {name[5:] for name in form if name.startswith("lost-")}
    await run_in_threadpool(own.lost, asking, await _account(request, asking, session), session, ids)
    return go_to(_ADDRESS, did="lost")


async def found(request: Request) -> Response:
    """Let the passkey of a device that was found open again."""
    asking, session, own, form = await _act(request, fresh=True)
    of = await _account(request, asking, session)
    await run_in_threadpool(own.found, asking, of, _passkey_id(form))
    return go_to(_ADDRESS)


async def seen(request: Request) -> Response:
    """Stop saying what the person has been told on every page."""
    asking, session, own, _ = await _act(request, fresh=False)
    await run_in_threadpool(own.read, asking, session)
    return go_to(_ADDRESS)


async def credentials(request: Request) -> Response:
    """Show the page that adds a passkey or changes the password or the codes, after a fresh proof."""
    house = house_of(request)
    fresh_of(request, house)
    return await _credentials_page(request)


async def add_passkey(request: Request) -> Response:
    """Add the passkey that the browser made."""
    asking, session, own, form = await _act(request, fresh=True)
    where, of = browser.where_of(request, house_of(request)), await _account(request, asking, session)
    add = partial(own.add_passkey, asking, of, form.get("answer", ""), form.get("ticket", ""), where)
    await run_in_threadpool(add)
    return go_to(_ADDRESS)


async def remove_passkey(request: Request) -> Response:
    """Remove a passkey."""
    asking, session, own, form = await _act(request, fresh=True)
    of = await _account(request, asking, session)
    await run_in_threadpool(own.remove_passkey, asking, of, _passkey_id(form))
    return go_to(_ADDRESS)


async def change_password(request: Request) -> Response:
    """Change the password."""
    asking, session, own, form = await _act(request, fresh=True)
    of = await _account(request, asking, session)
    new, again = form.get("password", ""), form.get("again", "")
    try:
        await slowly(request, own.change_password, asking, of, new, again)
    except RequestError as error:
        return await _credentials_page(request, error)
    return go_to(_ADDRESS, did="password")


async def change_codes(request: Request) -> Response:
    """Change the secret of one-time codes, and show new recovery codes once."""
    asking, session, own, form = await _act(request, fresh=True)
    where, of = browser.where_of(request, house_of(request)), await _account(request, asking, session)
    change = partial(own.change_codes, asking, of, form.get("ticket", ""), form.get("code", ""), where)
    try:
        shown = await run_in_threadpool(change)
    except RequestError as error:
        return await _credentials_page(request, error)
    return page(request, "entry/joined.html", codes=shown, **who_of(request, house_of(request), asking))


async def _act(request: Request, *, fresh: bool) -> tuple[Asking, Session, OwnAccount, dict[str, str]]:
    """Read a form of one's own account. Raises `SignInError`, `ProofAgainError`, `MalformedError`."""
    house = house_of(request)
    asking = cookie_of(request, house)
    session = fresh_of(request, house) if fresh else session_of(request, house)
    _of(session)
    form = await page_form(request, house)
    return asking, session, people_of(request).entering.own, form


def _passkey_id(form: dict[str, str]) -> bytes:
    """Read which passkey is meant. Raises `NotFoundError`."""
    try:
        return bytes.fromhex(form.get("which", ""))
    except ValueError:
        raise NotFoundError("record.not-found") from None


def _of(session: Session) -> str:
    """Give the account of a session. Raises `NotFoundError`: a demonstration session has none."""
    if not session.bound.account:
        raise NotFoundError("record.not-found")
    return session.bound.account


async def _account(request: Request, asking: Asking, session: Session) -> Account:
    return await run_in_threadpool(people_of(request).accounts.get, asking, _of(session))


async def _page(request: Request) -> Response:
    house = house_of(request)
    asking, session = cookie_of(request, house), session_of(request, house)
    _of(session)
    standing = await run_in_threadpool(people_of(request).entering.own.standing, asking, session)
    return page(
        request,
        "entry/account.html",
        name=standing.account.name,
        sessions=[_session(one) for one in standing.sessions],
        passkeys=[passkey_line(one) for one in standing.passkeys],
        notices=[
            {"when": when(one.at), "sentence": one.sentence, "place": one.place, "who": one.who}
            for one in standing.notices
        ],
        has_password=standing.has_password,
        recovery_left=standing.recovery_left,
        **who_of(request, house, asking),
    )


async def _credentials_page(request: Request, error: SermentError | None = None) -> Response:
    house = house_of(request)
    asking, session = cookie_of(request, house), session_of(request, house)
    own, where = people_of(request).entering.own, browser.where_of(request, house)
    of = await _account(request, asking, session)
    standing = await run_in_threadpool(own.standing, asking, session)
    secret = await run_in_threadpool(own.secret, asking, of, where)
    return page(
        request,
        "entry/credentials.html",
        200 if error is None else error.status,
        said=error.said(language_of(request)) if error is not None else "",
        login=of.login,
        challenge=await run_in_threadpool(own.creation, asking, of, where),
        has_password=standing.has_password,
        secret=spelled(secret, of, request.url.hostname or ""),
        **who_of(request, house, asking),
    )


def _session(one: Shown) -> dict[str, Any]:
    shown = {"id": one.id, "browser": one.browser, "place": one.place, "exercise": one.exercise}
    return {**shown, "current": one.current, "started": when(one.started), "used": when(one.used)}


def _notice(one: Notice) -> dict[str, str]:
    return {"when": when(one.at), "sentence": one.sentence, "place": one.place}
