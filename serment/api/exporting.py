"""`Patient/[id]/$export`: a person's copy of their record, in the steps of FHIR Bulk Data 2.0.

Three addresses: the beginning (202), the manifest, one file of NDJSON for each type. The manifest is ready
at once and each file is made while it is fetched, so that nothing waits on the server.
"""

from __future__ import annotations

from email.utils import formatdate
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from serment.api import negotiation
from serment.api.abilities import served_types
from serment.api.everything import asked_of, since_of
from serment.api.fhir import answer, who
from serment.door.asking import bearer_of, house_of
from serment.errors import NotSupportedError, RequestError
from serment.fhir.dates import instant_text
from serment.model import Instant
from serment.record.outward.exporting import LASTS, Ticket

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})


async def begin(request: Request) -> Response:
    """GET Patient/[id]/$export with `Prefer: respond-async`: 202, and where the manifest is."""
    house, asking = who(request)
    if "respond-async" not in ",".join(request.headers.getlist("prefer")):
        raise RequestError("operations.export-prefer")
    asked = asked_of(request, {"_since", "_type", "_outputFormat"})
    if asked.get("_outputFormat", NDJSON) not in FORMATS:
        raise NotSupportedError("operations.export-format")
    types = tuple(asked["_type"].split(",")) if "_type" in asked else ()
    if not set(types) <= served_types():
        raise NotSupportedError("operations.type")
    patient = str(request.path_params["id"])
    ticket = await house.exporting.begin(asking, patient, types, since_of(asked))
    return answer(b"", 202, {"content-location": _address(house.base, patient, "job", ticket)})


async def manifest(request: Request) -> Response:
    """GET Patient/[id]/$export/job: which files there are, and how many resources are in each."""
    house, asking = who(request)
    patient = str(request.path_params["id"])
    ticket = house.exporting.opened(asking, patient, negotiation.one(request, "_ticket"))
    census = await house.exporting.census(asking, ticket)
    files = [
        {
            "type": type_,
            "url": _address(house.base, patient, "file", house.exporting.sealed(asking, one)),
            "count": count,
        }
        for type_, count in census.counts.items()
        for one in [msgspec.structs.replace(ticket, file=type_)]
    ]
    said = {
        "transactionTime": instant_text(Instant(ticket.begun)),
        "request": f"{house.base}/Patient/{patient}/$export",
        "requiresAccessToken": True,
        "output": files,
        "error": [],
    }
    return Response(msgspec.json.encode(said), 200, _expires(ticket), "application/json")


async def file(request: Request) -> Response:
    """GET Patient/[id]/$export/file: one type, a resource on each line."""
    house = house_of(request)
    asking = bearer_of(request, house)
    patient = str(request.path_params["id"])
    ticket = house.exporting.opened(asking, patient, negotiation.one(request, "_ticket"))
    lines = await house.exporting.file(asking, ticket)
    return StreamingResponse(lines, 200, _expires(ticket), NDJSON)


def _expires(ticket: Ticket) -> dict[str, str]:
    return {"expires": formatdate((ticket.begun + LASTS) / 1000, usegmt=True)}


def _address(base: str, patient: str, step: str, ticket: str) -> str:
    return f"{base}/Patient/{patient}/$export/{step}?{urlencode({'_ticket': ticket})}"
