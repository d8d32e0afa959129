"""The door for Binary (HL7 FHIR R4 binary.html): raw bytes streamed both ways, or FHIR JSON.

A body that is not FHIR JSON is the content itself; `X-Security-Context` says whose it is. An answer is
JSON for who asks for it, else the bytes with the type under which they were kept, always as a download
in a sandbox: nothing that was uploaded ever runs on a page of this server. One range of the bytes is served
(RFC 9110 section 14); several, or one under `If-Range` (our validators are weak), give the whole, as section
14.2 lets a server do. A part is read, decided and traced as the whole is.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from serment.api import fhir, negotiation, retries
from serment.door.asking import bearer_of, house_of, language_of
from serment.errors import InvalidResourceError, MalformedError, MediaTypeError, RequestError, TooLargeError
from serment.fhir import binary, outcome
from serment.record.asking import Asking
from serment.record.blobs import MOST_BYTES
from serment.record.house import House
from serment.record.streaming import Opened, Upload
from serment.record.write import Written

DOWNLOAD = {
    "content-disposition": "attachment",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "accept-ranges": "bytes",
    "vary": "Accept",
}
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
FHIR_XML = frozenset({"application/fhir+xml", "application/xml+fhir"})


async def create(request: Request) -> Response:
    """POST Binary."""
    if _is_fhir(request):
        return await fhir.create(_as_resource(request))
    house, asking = _who(request)
    upload, asking = _upload(request, house), retries.keyed(request, asking)
    with house.retrying.alone(asking):
        written = await house.depositing.create(asking, upload, _pieces(request))
    return _written(request, house, written)


async def update(request: Request) -> Response:
    """PUT Binary/[id] with If-Match."""
    if _is_fhir(request):
        return await fhir.update(_as_resource(request))
    house, asking = _who(request)
    upload, reason = _upload(request, house), negotiation.relabel(request)
    id_, if_match = str(request.path_params["id"]), negotiation.if_match(request)
    asking = retries.keyed(request, asking)
    with house.retrying.alone(asking):
        written = await house.depositing.update(asking, id_, upload, if_match, _pieces(request), reason)
    return _written(request, house, written)


async def read(request: Request) -> Response:
    """GET Binary/[id]."""
    house, asking = _who(request)
    return _served(request, await house.serving.open(asking, str(request.path_params["id"])))


async def vread(request: Request) -> Response:
    """GET Binary/[id]/_history/[version]."""
    house, asking = _who(request)
    version = int(request.path_params["version"])
    return _served(request, await house.serving.open(asking, str(request.path_params["id"]), version))


async def delete(request: Request) -> Response:
    """DELETE Binary/[id]: a tombstone, as for any resource."""
    return await fhir.delete(_as_resource(request))


async def search(request: Request) -> Response:
    """GET Binary?…: no parameter ties a Binary to a patient, so that a search is refused."""
    return await fhir.search_get(_as_resource(request))


def _as_resource(request: Request) -> Request:
    """Name the type in the address, as the handlers of every type read it."""
    request.path_params["type"] = "Binary"
    return request


def _who(request: Request) -> tuple[House, Asking]:
    house = house_of(request)
    asking = bearer_of(request, house)
    negotiation.nothing_else(request)
    return house, asking


def _is_fhir(request: Request) -> bool:
    """Say whether the body is a resource in JSON. Raises `MediaTypeError` for FHIR in XML."""
    media = binary.media_type(request.headers.get("content-type", ""))
    if media in FHIR_XML:
        raise MediaTypeError("api.media-type")
    return media in negotiation.JSON_TYPES


def _upload(request: Request, house: House) -> Upload:
    """Read what comes before the bytes. Raises `InvalidResourceError`, `TooLargeError`, `MediaTypeError`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise TooLargeError("binary.too-large", limit=MOST_BYTES)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeError("api.media-type")
    context = request.headers.get("x-security-context", "").strip()
    if not context:
        raise InvalidResourceError("binary.context", "Binary.securityContext")
    return Upload(request.headers.get("content-type", "").strip(), context, house.base)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Give the body as it comes. Raises `MalformedError` when the sender goes away."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise MalformedError("binary.cut") from None


def _written(request: Request, house: House, written: Written) -> Response:
    """Answer a raw write: where it is, and no copy of what was sent."""
    headers = fhir.version_headers(written.version, written.updated)
    headers["location"] = f"{house.base}/Binary/{written.id}/_history/{written.version}"
    said = negotiation.preferred(request) == "OperationOutcome"
    body = outcome.ok("api.written", language_of(request)) if said else b""
    return fhir.answer(body, 201 if written.created else 200, headers)


def _served(request: Request, opened: Opened) -> Response:
    """Answer the bytes, or the JSON that holds them; the length is said, so that a cut answer shows."""
    headers = fhir.version_headers(opened.version, opened.updated) | DOWNLOAD
    if opened.context:
        headers["x-security-context"] = opened.context
    if negotiation.unchanged(request, opened.version, opened.updated):
        return fhir.answer(b"", 304, headers)
    as_json = _wants_json(request)
    asked = None if as_json else _range(request, opened.size)
    if asked is not None:
        return _part(request, opened, headers, *asked)
    headers["content-length"] = str(opened.json_length if as_json else opened.size)
    headers["content-type"] = negotiation.JSON if as_json else opened.content_type
    pieces = opened.json() if as_json else opened.content()
    return StreamingResponse(pieces, 200, headers)


def _range(request: Request, size: int) -> tuple[int, int] | None:
    """Read a single range as (start, stop), None for the whole; an empty one lies outside the content."""
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or "if-range" in request.headers or match[1] == match[2] == "":
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    first, last = int(match[1]), int(match[2] or size)
    return None if match[2] and last < first else (first, min(last + 1, size))


def _part(request: Request, opened: Opened, headers: dict[str, str], start: int, stop: int) -> Response:
    """Answer a part of the bytes: 206, or 416 when the content ends before it begins."""
    if start >= stop:
        body = outcome.outcome(RequestError("binary.range"), language_of(request))
        return fhir.answer(body, 416, {"content-range": f"bytes */{opened.size}"})
    headers["content-length"] = str(stop - start)
    headers["content-range"] = f"bytes {start}-{stop - 1}/{opened.size}"
    headers["content-type"] = opened.content_type
    return StreamingResponse(opened.part(start, stop), 206, headers)


def _wants_json(request: Request) -> bool:
    """Say whether the caller asks for the resource (R4 binary.html: by Accept or `_format`)."""
    if "_format" in request.query_params:
        negotiation.acceptable(request)
        return True
    asked = ",".join(request.headers.getlist("accept")).lower()
    return any(part.partition(";")[0].strip() in negotiation.JSON_TYPES for part in asked.split(","))
