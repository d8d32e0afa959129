"""The application: every route of the house, and what becomes of an error.

`application` takes a function that opens the house (or raises `LockedError`, `CustodyError`) and one
that searches the disk (demo stores). Routes are a table, so that a test can enumerate them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from serment import api, web
from serment.api import fhir
from serment.door.asking import language_of, number_of
from serment.errors import NotFoundError, NotSupportedError, SermentError
from serment.fhir import outcome
from serment.record.house import House
from serment.web import pages

log = logging.getLogger("serment")

ROUTES = [*api.ROUTES, *web.ROUTES]


def application(open_house: Callable[[], House], search_disk: Callable[[], Any]) -> Starlette:
    """Build the application over one installation."""
    app = Starlette(
        routes=ROUTES,
        exception_handlers={SermentError: _refused, 404: _no_route, 405: _no_method, Exception: _failed},
    )
    app.state.open = open_house
    app.state.search_disk = search_disk
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """Answer an error of the tree, in FHIR or as a page."""
    if isinstance(error, SermentError):
        return _said(request, error)
    raise error


async def _no_route(request: Request, _error: Exception) -> Response:
    return _said(request, NotFoundError("api.unknown-route"))


async def _no_method(request: Request, _error: Exception) -> Response:
    error = NotSupportedError("api.method")
    answer = _said(request, error)
    answer.status_code = 405
    return answer


async def _failed(request: Request, error: Exception) -> Response:
    """Answer a defect of ours: a number, and nothing of what was being served."""
    number = number_of(request)
    log.error("fault %s in request %s", type(error).__name__, number)
    return _said(request, SermentError("api.internal", request=number))


def _said(request: Request, error: SermentError) -> Response:
    if request.url.path.startswith("/fhir"):
        return fhir.answer(outcome.outcome(error, language_of(request)), error.status)
    return pages.failed(request, error)
