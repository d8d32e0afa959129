"""Subscriptions over HTTP: asked for, read, listed, changed and ended by who asked (R4 subscription.html).

What is told goes another way (`record.notifying`), and says an id only: the receiver then reads here, with a
decision and a trace like anybody.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation, retries
from serment.api.fhir import answer, version_headers, who
from serment.door.asking import language_of
from serment.errors import InvalidResourceError, NotSupportedError
from serment.fhir import bundle, document, outcome
from serment.fhir.subscription import TYPE, Shown, asked, written
from serment.fhir.validate import check
from serment.record.house import House


async def create(request: Request) -> Response:
    """POST Subscription: ask to be told what is new in one record."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    if not {"if-none-exist", retries.HEADER}.isdisjoint(request.headers.keys()):
        raise NotSupportedError("subscribing.no-condition")
    sent = await _sent(request)
    shown = await house.subscribing.create(asking, asked(sent, house.base, asking.now))
    location = {"location": f"{house.base}/{TYPE}/{shown.id}"}
    return answer(written(shown), 201, {**version_headers(shown.version, shown.updated), **location})


async def read(request: Request) -> Response:
    """GET Subscription/[id]: one's own."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    return _one(await house.subscribing.read(asking, str(request.path_params["id"])))


async def search(request: Request) -> Response:
    """GET Subscription: all of one's own, newest first."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    found = await house.subscribing.search(asking)
    return answer(_bundle(house, found))


async def update(request: Request) -> Response:
    """PUT Subscription/[id] with If-Match: rest, wake, or end at another time."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    id_, sent = str(request.path_params["id"]), await _sent(request)
    if sent.get("id") != id_:
        raise InvalidResourceError("record.type-mismatch", f"{TYPE}.id")
    wanted = asked(sent, house.base, asking.now)
    return _one(await house.subscribing.update(asking, id_, wanted, negotiation.if_match(request)))


async def delete(request: Request) -> Response:
    """DELETE Subscription/[id]: end it for good."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    id_ = str(request.path_params["id"])
    await house.subscribing.delete(asking, id_, negotiation.if_match(request))
    return answer(outcome.ok("api.deleted", language_of(request)))


async def _sent(request: Request) -> dict[str, Any]:
    sent = document.read(await negotiation.resource(request))
    check(sent)
    if sent.type != TYPE:
        raise InvalidResourceError("record.type-mismatch", "resourceType")
    return sent.value


def _one(shown: Shown) -> Response:
    return answer(written(shown), 200, version_headers(shown.version, shown.updated))


def _bundle(house: House, found: list[Shown]) -> bytes:
    entries: list[tuple[str, bytes, Any]] = [(f"{TYPE}/{one.id}", written(one), "match") for one in found]
    return bundle.searchset(house.base, entries, len(found), {"self": f"{house.base}/{TYPE}"})
