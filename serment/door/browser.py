"""What a browser carries: the cookie of its session, and one of its own that says it is the same browser.

Over TLS both have the prefix `__Host-` (RFC 6265bis section 4.1.3.2): no other host of the domain sets them.
The session's is `Strict` and goes when the browser is closed. The browser's own stays, is `Lax` so that a way
back from an identity provider finds it, and opens nothing: without the session's it is nobody.
"""

from __future__ import annotations

import secrets
from ipaddress import IPv6Address, ip_address
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import RefusedError
from serment.people.signing import Where
from serment.record.house import House

SESSION: Final = "serment"
DEVICE: Final = "serment-device"
HOST_ONLY: Final = "__Host-"
DEVICE_SECONDS: Final = 400 * 24 * 3600
MADE: Final = "serment.device"
"""Where a device secret made in this request stands in its scope, until the answer carries it."""

BROWSERS: Final = ("Firefox", "Edg", "OPR", "Chrome", "Safari")
SYSTEMS: Final = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux")
_NAMES: Final = {"Edg": "Edge", "OPR": "Opera", "Mac OS": "macOS", "CrOS": "ChromeOS"}


def is_secure(request: Request) -> bool:
    """Say whether the browser speaks TLS to us, or to the relay that says so."""
    return request.url.scheme == "https"


def cookie(request: Request, name: str) -> str:
    """Give one of our cookies, "" for none; over TLS only the one that no other host could set."""
    return request.cookies.get(_name(request, name), "")


def keep(
    request: Request, answer: Response, name: str, value: str, *, lax: bool = False, age: int = 0
) -> None:
    """Have the browser keep a cookie of ours; `age` in seconds, 0: until it is closed."""
    answer.set_cookie(
        _name(request, name),
        value,
        max_age=age or None,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax" if lax else "strict",
    )


def drop(request: Request, answer: Response, name: str) -> None:
    """Have the browser forget a cookie of ours."""
    answer.delete_cookie(_name(request, name), secure=is_secure(request), httponly=True)


def device(request: Request) -> str:
    """Give the browser's own secret, a new one when it has none; `known` sends that one along."""
    said = cookie(request, DEVICE) or request.scope.get(MADE, "")
    if not said:
        said = request.scope[MADE] = secrets.token_urlsafe(32)
    return str(said)


def known(request: Request, answer: Response) -> Response:
    """Have the answer carry the browser's own secret, when one was made in this request."""
    if MADE in request.scope:
        keep(request, answer, DEVICE, request.scope[MADE], lax=True, age=DEVICE_SECONDS)
    return answer


def signed_in(request: Request, answer: Response, secret: str) -> Response:
    """Have the answer carry a session that has begun."""
    keep(request, answer, SESSION, secret)
    return known(request, answer)


def where_of(request: Request, house: House) -> Where:
    """Say from where somebody signs in."""
    source = request.client.host if request.client else ""
    return Where(house.sessions.device_of(device(request)), _browser(request), source, place_of(source))


def place_of(source: str) -> str:
    """Give the prefix of a network that may be kept and shown: 16 bits of IPv4, 32 of IPv6; "" for none."""
    try:
        address = ip_address(source)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address):
        return ":".join(address.exploded.split(":")[:2]) + "::"
    return ".".join(str(address).split(".")[:2]) + "."


def from_our_page(request: Request) -> None:
    """Refuse a form that another site sent (W3C Fetch Metadata; RFC 6454 for browsers without it).

    Both headers are the browser's own: no page can write them. Without either, nobody says where the form
    comes from. Raises `RefusedError`.
    """
    site = request.headers.get("sec-fetch-site")
    origin = f"{request.url.scheme}://{request.url.netloc}"
    ours = request.headers.get("origin") == origin if site is None else site == "same-origin"
    if not ours:
        raise RefusedError("unlock.elsewhere")


def _name(request: Request, name: str) -> str:
    return HOST_ONLY + name if is_secure(request) else name


def _browser(request: Request) -> str:
    """Say in a word or two which browser this is, as it says itself: for people, never for a decision."""
    agent = request.headers.get("user-agent", "")[:400]
    found = [next((one for one in names if one in agent), "") for names in (BROWSERS, SYSTEMS)]
    return ", ".join(_NAMES.get(one, one) for one in found if one)
