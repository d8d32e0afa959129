"""The application: every route of the house, what every answer carries, and what becomes of an error.

`application` takes a function that opens the house (or raises `LockedError`, `CustodyError`), one that
searches the disk (demo stores) and one that takes a passphrase to custody. Routes are a table, so that a
test can enumerate them. Logs hold numbers and places in our own code, never what was asked or served.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serment import api, web
from serment.api import fhir
from serment.door.asking import house_of, language_of, number_of
from serment.errors import (
    DependencyError,
    IntegrityError,
    LockedError,
    MethodError,
    NotFoundError,
    PossessionError,
    ProofAgainError,
    ScopeError,
    SermentError,
    SignInError,
    TooManyError,
)
from serment.exits.prescribing import National
from serment.fhir import outcome
from serment.people.dpop import ALGORITHMS as DPOP_ALGORITHMS
from serment.people.openid import Line
from serment.people.people import Reception
from serment.record.alarms import INTEGRITY
from serment.record.house import House
from serment.web import shell
from serment.web.entry import signing

log = logging.getLogger("serment")

ROUTES = [*api.ROUTES, *web.ROUTES]

HEADERS: Mapping[bytes, bytes] = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
"""What every answer carries, unless a page says it more exactly."""

RETRY_SECONDS = 30


def _keyless(_passphrase: str) -> None:
    """Stand for the unlocking where nothing can be unlocked. Raises `LockedError`."""
    raise LockedError("custody.locked")


def application(
    open_house: Callable[[], House],
    search_disk: Callable[[], Any],
    unlock: Callable[[str], None] = _keyless,
    line: Line | None = None,
    national: National | None = None,
) -> Starlette:
    """Build the application over one installation. `unlock` takes a passphrase to custody.

    `line` carries calls to identity providers; without it nobody comes in by them. `national` is the national
    service of prescriptions, where one is connected.
    """
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Guard)],
        exception_handlers={SermentError: _refused, 404: _no_route, 405: _no_method},
    )
    app.router.redirect_slashes = False
    app.state.open = open_house
    app.state.reception = Reception(line)
    app.state.search_disk = search_disk
    app.state.unlock = unlock
    app.state.national = national
    return app


class Guard:
    """The outermost layer of ours: headers on every answer, and no traceback for anybody to log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. A defect answers with a number; its message may quote data and is dropped."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def headed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                present = {name.lower() for name, _ in message["headers"]}
                missing = [(name, value) for name, value in HEADERS.items() if name not in present]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        try:
            await self.app(scope, receive, headed)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = _fault(Request(scope), error)
            if not started:
                await answer(scope, receive, headed)


def _fault(request: Request, error: Exception) -> Response:
    """Answer a defect of ours: a number, and nothing of what was being served."""
    number = number_of(request)
    log.error("fault %s at %s in request %s", type(error).__name__, _place(error), number)
    return _said(request, SermentError("api.internal", request=number))


def _place(error: Exception) -> str:
    """Say where in the code an error was raised: file and line, no value."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


async def _refused(request: Request, error: Exception) -> Response:
    """Answer an error of the tree, in FHIR or as a page."""
    if not isinstance(error, SermentError):
        raise error
    # A locked server says so at each request: who asks again and again must not fill the disk.
    if error.status >= 500 and not isinstance(error, LockedError):
        log.error("%s in request %s", error.sentence, number_of(request))
    _noted(request, error)
    return _said(request, error)


def _noted(request: Request, error: SermentError) -> None:
    """Count a stranger who was turned away; ring the alarm for what is not what was written."""
    with suppress(SermentError):
        if isinstance(error, SignInError):
            house_of(request).strangers.met()
        elif isinstance(error, IntegrityError):
            house_of(request).passage.alarms.ring(INTEGRITY)


async def _no_route(request: Request, _error: Exception) -> Response:
    return _said(request, NotFoundError("api.unknown-route"))


async def _no_method(request: Request, error: Exception) -> Response:
    answer = _said(request, MethodError("api.method"))
    if isinstance(error, HTTPException) and error.headers:
        allowed = sorted(error.headers["Allow"].split(", "))
        answer.headers["allow"] = ", ".join(allowed)
    return answer


def _said(request: Request, error: SermentError) -> Response:
    """Say an error: to a program as an OperationOutcome, to a person as a page."""
    headers = _headers(error)
    if request.url.path.split("/")[1] == "fhir":
        return fhir.answer(outcome.outcome(error, language_of(request)), error.status, headers)
    if isinstance(error, ProofAgainError):
        answer = signing.prove_again(request, error)
    else:
        answer = shell.failed(request, error)
    answer.headers.update(headers)
    return answer


def _headers(error: SermentError) -> dict[str, str]:
    if isinstance(error, PossessionError):
        said = "use_dpop_nonce" if error.nonce else "invalid_dpop_proof"
        asked = {"www-authenticate": f'DPoP error="{said}", algs="{" ".join(DPOP_ALGORITHMS)}"'}
        return asked | ({"dpop-nonce": error.nonce} if error.nonce else {})
    if isinstance(error, ScopeError):
        return {"www-authenticate": 'Bearer error="insufficient_scope"'}
    if isinstance(error, SignInError):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, TooManyError):
        return {"retry-after": str(error.parameters.get("seconds", RETRY_SECONDS))}
    if isinstance(error, DependencyError):
        return {"retry-after": str(RETRY_SECONDS)}
    return {}
