"""The trace for programs: AuditEvent read and searched, never written, and `$verify-integrity`.

Who may read is who may read the page of the trace: the holder, and a representative in part. To anybody
else there are no AuditEvents at all.
"""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.fhir import answer, version_headers, who
from serment.door.asking import language_of
from serment.errors import NotSupportedError
from serment.fhir import parameters
from serment.fhir.query import parse
from serment.record.asking import Asking
from serment.record.auditing import TYPE
from serment.record.bundling import answered
from serment.record.house import House
from serment.words import say


async def read(request: Request) -> Response:
    """GET AuditEvent/[id]."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    event = await house.auditing.read(asking, str(request.path_params["id"]))
    return answer(event.body, 200, version_headers(event.version, event.updated))


async def search_get(request: Request) -> Response:
    """GET AuditEvent?patient=…: the trace of one record, newest first."""
    house, asking = who(request)
    return await _search(house, asking, negotiation.query(request))


async def search_post(request: Request) -> Response:
    """POST AuditEvent/_search: the same search, out of the address."""
    house, asking = who(request)
    return await _search(house, asking, await negotiation.form(request))


async def _search(house: House, asking: Asking, pairs: negotiation.Pairs) -> Response:
    if any(name == "_page" for name, _ in pairs):
        if len(pairs) > 1:
            raise NotSupportedError("api.page-alone")
        page = await house.auditing.go_on(asking, pairs[0][1])
    else:
        page = await house.auditing.search(asking, parse(TYPE, pairs, house.base))
    return answer(answered(page, house.base, asking.language))


async def verify_integrity(request: Request) -> Response:
    """GET AuditEvent/$verify-integrity?patient=…: the chains of one record, followed to their end.

    Answers Parameters with `result`, `entries`, `size`, `root` (base64), `checkpoint` (the signed note) and
    `message`; what is not whole is an error that rings the alarm.
    """
    house, asking = who(request)
    patient = negotiation.one(request, "patient").removeprefix(f"{house.base}/").removeprefix("Patient/")
    found = await house.auditing.verify(asking, patient)
    sentence = "operations.verified" if found.walked else "operations.verified-in-part"
    said = say(sentence, language_of(request), entries=found.entries, size=found.size)
    return answer(
        parameters.written(
            parameters.value("result", "valueBoolean", True),
            parameters.value("entries", "valueInteger", found.entries),
            parameters.value("size", "valueDecimal", found.size),
            parameters.value("root", "valueBase64Binary", base64.b64encode(found.root).decode()),
            parameters.value("checkpoint", "valueString", found.note.decode()),
            parameters.value("walked", "valueBoolean", found.walked),
            parameters.value("message", "valueString", said),
        )
    )
