"""Who knocks: from the headers of a request to an `Asking`.

The actor comes with the bearer token (or the session cookie of a page), the purpose in
`Serment-Purpose`, the coded emergency reason in `Serment-Reason`. What is not known is refused.
"""

from __future__ import annotations

import secrets

from starlette.requests import Request

from serment.errors import MalformedError, RefusedError, SignInError
from serment.model import EmergencyReason, Purpose, RequestId
from serment.record.asking import Asking
from serment.record.house import House
from serment.words import Language

COOKIE = "serment"


def house_of(request: Request) -> House:
    """Give the open installation. Raises `LockedError` while custody is locked, `CustodyError`."""
    house: House = request.app.state.open()
    return house


def language_of(request: Request) -> Language:
    """Choose the language of the answer: French unless English is preferred."""
    accepted = request.headers.get("accept-language", "")
    first = accepted.split(",")[0].strip().lower()
    return Language.EN if first.startswith("en") else Language.FR


def secret_of(request: Request) -> str:
    """Give the bearer secret. Raises `SignInError` when there is none."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    secret = bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
    if not secret:
        raise SignInError("api.no-token")
    return secret


def asking_of(request: Request, house: House) -> Asking:
    """Say who asks, why and when. Raises `SignInError`, `RefusedError`, `MalformedError`."""
    now = house.passage.clock()
    session = house.sessions.open(secret_of(request), now)
    return Asking(
        session.actor,
        purpose_of(request, session.purpose),
        number_of(request),
        now,
        reasons_of(request),
        language_of(request),
    )


def number_of(request: Request) -> RequestId:
    """Give the number of this act: 16 random bytes in hexadecimal, the same all through the request."""
    if not hasattr(request.state, "number"):
        request.state.number = RequestId(secrets.token_hex(16))
    number: RequestId = request.state.number
    return number


def purpose_of(request: Request, standing: Purpose) -> Purpose:
    """Read `Serment-Purpose`; absent: the session's own; unknown: refused."""
    said = request.headers.get("serment-purpose")
    if said is None:
        return standing
    try:
        return Purpose(said)
    except ValueError:
        raise RefusedError("record.purpose-unknown") from None


def reasons_of(request: Request) -> frozenset[EmergencyReason]:
    """Read `Serment-Reason`: coded reasons between commas."""
    said = request.headers.get("serment-reason", "")
    try:
        return frozenset(EmergencyReason(code.strip()) for code in said.split(",") if code.strip())
    except ValueError:
        raise MalformedError("record.reason-unknown") from None
