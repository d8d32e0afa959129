"""The unlock page: a server that waits locked is opened in a browser as `serment unlock` opens it.

Nobody can be signed in yet, so no session's key stands in the form: the browser itself says where a form
comes from, and one of another site is refused. The passphrase is typed over TLS or on this very machine,
goes to custody, and is in no address, answer or log. How often it may be tried is custody's to say.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serment.door.asking import house_of, language_of
from serment.door.browser import from_our_page
from serment.errors import LockedError, RefusedError, RequestError, SignInError
from serment.web.forms import form_of
from serment.web.shell import HEADERS, page


async def unlock(request: Request) -> Response:
    """Ask for the passphrase and give it to custody, while the server is locked; a wrong one asks again.

    Raises `RefusedError`, `TooManyError`, and what shut the house when that is more than a lock.
    """
    if _is_open(request):
        return RedirectResponse("/", 303, HEADERS)
    _private(request)
    if request.method == "POST":
        return await _tried(request)
    return page(request, "entry/unlock.html", said="")


async def unlocked(request: Request) -> Response:
    """Say that the server is open, at an address of its own: what was sent is not sent again by a reload."""
    if not _is_open(request):
        return RedirectResponse("/unlock", 303, HEADERS)
    return page(request, "entry/unlocked.html")


async def _tried(request: Request) -> Response:
    from_our_page(request)
    form = await form_of(request)
    try:
        await run_in_threadpool(request.app.state.unlock, _typed(form))
    except (SignInError, RequestError) as error:
        # Not 401: no header says how to sign in here, and a browser would ask for a name.
        return page(request, "entry/unlock.html", 403, said=error.said(language_of(request)))
    return RedirectResponse("/unlocked", 303, HEADERS)


def _typed(form: dict[str, str]) -> str:
    passphrase = form.get("passphrase", "")
    if not passphrase:
        raise RequestError("unlock.empty")
    return passphrase


def _is_open(request: Request) -> bool:
    """Say whether the house is open. Raises what shut it, when that is more than a lock."""
    try:
        house_of(request)
    except LockedError:
        return False
    return True


def _private(request: Request) -> None:
    """Refuse a passphrase that somebody on the way could read: TLS, or this machine talking to itself.

    The name in the address counts too: one that leads here by a trick (DNS rebinding), or by a relay on
    this machine that speaks plain HTTP to others, is not this machine. Raises `RefusedError`.
    """
    peer = request.client.host if request.client else ""
    local = _is_loopback(peer) and _is_loopback(request.url.hostname or "")
    if request.url.scheme != "https" and not local:
        raise RefusedError("unlock.not-private")


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
