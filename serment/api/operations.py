"""The two operations that change who may open a record: one word of the patient, one gesture of a carer.

Each takes a FHIR Parameters resource (R4 operations.html) and answers an OperationOutcome. What it
changes is in force at the next request, and the patient sees it in their list at once.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.door.asking import language_of
from serment.errors import InvalidResourceError
from serment.fhir import document, outcome
from serment.fhir.validate import check
from serment.model import PatientId


async def confirm_attending(request: Request) -> Response:
    """POST Patient/[id]/$confirm-attending: the holder names their attending physician.

    One parameter `practitioner`: a valueIdentifier with the RPPS number, or a valueReference to the
    directory.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    given = await _parameter(request, "practitioner")
    named = _practitioner(given)
    await house.choosing.confirm_attending(asking, PatientId(request.path_params["id"]), named)
    return answer(outcome.ok("api.attending", language_of(request)))


async def declare_act(request: Request) -> Response:
    """POST Patient/[id]/$declare-act: a carer of the structure declares an act of care, for 24 hours.

    One parameter `reason`, a valueCode of `access.relations.DECLARED_REASONS`.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    reason = (await _parameter(request, "reason")).get("valueCode")
    if not isinstance(reason, str):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    await house.choosing.declare_act(asking, PatientId(request.path_params["id"]), reason)
    return answer(outcome.ok("api.declared", language_of(request)))


async def _parameter(request: Request, name: str) -> dict[str, Any]:
    """Read the one parameter that the operation takes. Raises `InvalidResourceError`."""
    sent = document.read(await negotiation.resource(request))
    check(sent)
    given = sent.value.get("parameter", []) if sent.type == "Parameters" else []
    if len(given) != 1 or given[0].get("name") != name:
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    parameter: dict[str, Any] = given[0]
    return parameter


def _practitioner(given: dict[str, Any]) -> str:
    """Name the professional: an RPPS number, or a reference to the directory."""
    number = given.get("valueIdentifier", {}).get("value")
    reference = given.get("valueReference", {}).get("reference")
    named = number or reference
    if not isinstance(named, str):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    return named
