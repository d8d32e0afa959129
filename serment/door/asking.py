"""Who knocks: from the headers of a request to an `Asking`.

The actor comes with the bearer token at a program's door, with the session cookie at a page, never one
for the other; the purpose in `Serment-Purpose`, the coded emergency reason in `Serment-Reason`. What is
not known is refused.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import lru_cache

from starlette.requests import Request

from serment.door import browser, counter
from serment.door.preferences import preferences_of
from serment.door.programs import credentials, knock_of
from serment.errors import MalformedError, ProofAgainError, RefusedError, SignInError
from serment.model import EmergencyReason, HeirGround, Instant, Purpose, Reason, RequestId
from serment.people.people import People
from serment.record.asking import Asking
from serment.record.entrance.sessions import Session
from serment.record.house import House
from serment.record.today import KEEPER
from serment.words import Language

MET = "serment.session"
"""Where the session of a page's request stands in its scope, once it was opened."""

NO_REASON: frozenset[Reason] = frozenset()

NUMBER = "serment.number"
"""Where the number of a request stands in its scope (ASGI 3.0): whoever serves a part of it finds it."""


def house_of(request: Request) -> House:
    """Give the open installation. Raises `LockedError` while custody is locked, `CustodyError`."""
    house: House = request.app.state.open()
    return house


def people_of(request: Request) -> People:
    """Give accounts and ways to sign in. Raises what `house_of` raises."""
    people: People = request.app.state.reception.of(house_of(request))
    return people


def language_of(request: Request) -> Language:
    """Choose the language of the answer: the one chosen on our page, else the browser's, else French."""
    chosen = preferences_of(request).language
    return chosen or _preferred(request.headers.get("accept-language", ""))


@lru_cache(maxsize=256)
def _preferred(header: str) -> Language:
    """Read an Accept-Language header; the same few come at each request."""
    wishes = {Language.FR: 0.0, Language.EN: 0.0}
    for accepted in header.split(","):
        tag, _, weight = accepted.strip().lower().partition(";")
        if tag[:2] in {"fr", "en"} and tag[2:3] in {"", "-"}:
            language = Language(tag[:2])
            wishes[language] = max(wishes[language], _weight(weight))
    return Language.EN if wishes[Language.EN] > wishes[Language.FR] else Language.FR


def _weight(text: str) -> float:
    said = text.strip().removeprefix("q=")
    try:
        return float(said) if said else 1.0
    except ValueError:
        return 0.0


def bearer_secret(request: Request) -> str:
    """Give the bearer secret of a program. Raises `SignInError` when there is none."""
    return credentials(request)[1]


def cookie_secret(request: Request) -> str:
    """Give the secret of a page's session. Raises `SignInError` when there is none."""
    secret = browser.cookie(request, browser.SESSION)
    if not secret:
        raise SignInError("web.no-session")
    return secret


def bearer_of(request: Request, house: House) -> Asking:
    """Say who asks at a program's door. Raises `SignInError`, `RefusedError`, `MalformedError`.

    A registered program is answered within its scope; a token that is no program's is a person's own.
    """
    scheme, secret = credentials(request)
    now = house.passage.clock()
    session = house.sessions.open(secret, now)
    asking = _asking(request, session, now)
    if session.program is not None:
        programs = people_of(request).programs
        return replace(
            asking, scope=programs.let(asking, session.program, knock_of(request, programs.origin))
        )
    if scheme != "bearer":
        raise SignInError("api.no-token")
    return asking


def cookie_of(request: Request, house: House) -> Asking:
    """Say who asks at a page. Raises `SignInError`, `RefusedError`, `MalformedError`."""
    session = session_of(request, house)
    return _asking(request, session, house.passage.clock())


def session_of(request: Request, house: House) -> Session:
    """Give the session of a page. Raises `SignInError`; `ProofAgainError` when it is locked or questioned."""
    now = house.passage.clock()
    session = house.sessions.open(cookie_secret(request), now, browser.cookie(request, browser.DEVICE))
    if session.program is not None:  # a program's token opens no page
        raise SignInError("web.no-session")
    counter.check(request, session)
    request.scope[MET] = session
    return session


def fresh_of(request: Request, house: House) -> Session:
    """Give the session of a page for a dangerous act: its person has just proved who they are.

    A demonstration session has nobody's credentials, and is asked for none. Raises as `session_of` does;
    `ProofAgainError` when the proof is more than five minutes old.
    """
    session = session_of(request, house)
    if session.bound.account and not session.fresh(house.passage.clock()):
        raise ProofAgainError("signin.prove-again")
    return session


def _asking(request: Request, session: Session, now: Instant) -> Asking:
    return Asking(
        session.actor,
        purpose_of(request, session.purpose),
        number_of(request),
        now,
        reasons_of(request),
        language_of(request),
    )


def nobody_yet(request: Request, house: House) -> Asking:
    """Ask as nobody yet: what is looked up and written is of the installation's own people and programs."""
    now, purpose = house.passage.clock(), Purpose.SYSTEM_ADMINISTRATION
    return Asking(KEEPER, purpose, number_of(request), now, language=language_of(request))


def number_of(request: Request) -> RequestId:
    """Give the number of this act: 16 random bytes in hexadecimal, the same all through the request."""
    number: RequestId | None = request.scope.get(NUMBER)
    if number is None:
        request.scope[NUMBER] = number = RequestId(secrets.token_hex(16))
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


def reasons_of(request: Request) -> frozenset[Reason]:
    """Read `Serment-Reason`: coded reasons of an emergency, or the ground of an heir, between commas."""
    said = request.headers.get("serment-reason", "")
    if not said:
        return NO_REASON
    try:
        return frozenset(_reason(code.strip()) for code in said.split(",") if code.strip())
    except ValueError:
        raise MalformedError("record.reason-unknown") from None


def _reason(code: str) -> Reason:
    """Read one coded reason. Raises `ValueError`."""
    return HeirGround(code) if code in set(HeirGround) else EmergencyReason(code)
