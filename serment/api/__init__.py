"""Doors for programs: FHIR R4 and health. `ROUTES` is all of them, one for each address.

One address is one route whatever its methods, so that 405 says all that the address takes.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.api import binary, fhir, health, operations

Handler = Callable[[Request], Awaitable[Response]]


def at(path: str, **handlers: Handler) -> Route:
    """Make the route of one address from its handlers by method; HEAD goes with GET."""

    async def dispatched(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, dispatched, methods=list(handlers))


ROUTES = [
    at("/livez", GET=health.livez),
    at("/readyz", GET=health.readyz),
    at("/fhir/metadata", GET=fhir.metadata),
    at("/fhir", POST=fhir.transaction),
    at("/fhir/", POST=fhir.transaction),
    at("/fhir/{type}/_search", POST=fhir.search_post),
    at("/fhir/Patient/{id}/$confirm-attending", POST=operations.confirm_attending),
    at("/fhir/Patient/{id}/$declare-act", POST=operations.declare_act),
    at("/fhir/Binary/{id}/_history/{version:int}", GET=binary.vread),
    at("/fhir/Binary/{id}", GET=binary.read, PUT=binary.update, DELETE=binary.delete),
    at("/fhir/Binary", GET=binary.search, POST=binary.create),
    at("/fhir/{type}/{id}/_history/{version:int}", GET=fhir.vread),
    at("/fhir/{type}/{id}/_history", GET=fhir.history),
    at("/fhir/{type}/{id}", GET=fhir.read, PUT=fhir.update, DELETE=fhir.delete),
    at("/fhir/{type}", GET=fhir.search_get, POST=fhir.create),
]
