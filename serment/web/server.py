"""The web application: every route of the house, and what surrounds each request.

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
from starlette.routing import Route

from serment.api import fhir, health
from serment.api.door import language_of, number_of
from serment.errors import NotFoundError, NotSupportedError, SermentError
from serment.fhir import outcome
from serment.record.house import House
from serment.web import pages

log = logging.getLogger("serment")

ROUTES = [
    Route("/livez", health.livez, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    Route("/fhir/metadata", fhir.metadata, methods=["GET"]),
    Route("/fhir", fhir.transaction, methods=["POST"]),
    Route("/fhir/", fhir.transaction, methods=["POST"]),
    Route("/fhir/{type}/_search", fhir.search_post, methods=["POST"]),
    Route("/fhir/{type}/{id}/_history/{version:int}", fhir.vread, methods=["GET"]),
    Route("/fhir/{type}/{id}/_history", fhir.history, methods=["GET"]),
    Route("/fhir/{type}/{id}", fhir.read, methods=["GET"]),
    Route("/fhir/{type}/{id}", fhir.update, methods=["PUT"]),
    Route("/fhir/{type}/{id}", fhir.delete, methods=["DELETE"]),
    Route("/fhir/{type}", fhir.search_get, methods=["GET"]),
    Route("/fhir/{type}", fhir.create, methods=["POST"]),
    Route("/enter/{code}", pages.enter, methods=["GET"]),
    Route("/sign-out", pages.sign_out, methods=["POST"]),
    Route("/record/{id}", pages.record, methods=["GET"]),
    Route("/me", pages.me, methods=["GET"]),
    Route("/me/mask", pages.mask, methods=["POST"]),
    Route("/me/unmask", pages.unmask, methods=["POST"]),
    Route("/officer", pages.officer, methods=["GET"]),
    Route("/static/serment.css", pages.style, methods=["GET"]),
    Route("/", pages.home, methods=["GET"]),
]


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
