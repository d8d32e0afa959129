"""Declarations that the law demands, by one operation (`$legal-declaration`).

The declarant states the fields of a form; who the person is comes from the record, traced. The answer is the
declaration, to whom and how fast it goes, and a receipt. Nothing is sent from here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.api.operations import parameters_of
from serment.door.asking import language_of
from serment.errors import InvalidResourceError, RequestError
from serment.exits import declaration
from serment.exits.declaration import Declaration
from serment.fhir import parameters
from serment.fhir.dates import instant_text
from serment.model import PatientId, Receipt
from serment.words import Language, say

_TEXTS: Final = ("valueCode", "valueString", "valueDate", "valueTime")


async def legal_declaration(request: Request) -> Response:
    """POST Patient/[id]/$legal-declaration: `form` (valueCode), then one parameter for each field stated.

    Raises `RequestError` for a field beyond the form before anything is opened, `NotFoundError` to whoever
    may not declare.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    said = _said(await parameters_of(request))
    today = datetime.fromtimestamp(asking.now / 1000, UTC).date()
    what = declaration.stated(said.pop("form", ""), said, today)
    owed = declaration.owes(what.form.name, asking.actor.function)
    patient = PatientId(request.path_params["id"])
    opened = await house.duty.open(asking, patient, owed=owed, recipient=what.form.recipient)
    declarant = asking.actor.id.removeprefix("rpps:")
    made = declaration.composed(what, opened.patient, declarant, today)
    return answer(_written(made, opened.receipt, asking.now, language_of(request)))


def _said(given: list[dict[str, Any]]) -> dict[str, str]:
    """Read what is stated: each parameter once, as text. Raises `InvalidResourceError`, `RequestError`."""
    said: dict[str, str] = {}
    for one in given:
        name = str(one.get("name", ""))
        if isinstance(one.get("valueBoolean"), bool):
            text: Any = "yes" if one["valueBoolean"] else "no"
        else:
            text = next((one[kind] for kind in _TEXTS if kind in one), None)
        if not isinstance(text, str):
            raise InvalidResourceError("api.parameter", "Parameters.parameter")
        if name in said:
            raise RequestError("declaration.value", field=name)
        said[name] = text[:5] if "valueTime" in one else text
    return said


def _written(made: Declaration, receipt: Receipt, now: int, language: Language) -> bytes:
    """Write the declaration, where it goes, and the receipt."""
    content = msgspec.json.decode(made.content)
    fields = [
        parameters.value(name, "valueString", str(text)) for name, text in content.items() if text != ""
    ]
    when = "at-once" if made.stated.at_once else "form"
    return parameters.written(
        parameters.parts("declaration", *fields),
        parameters.parts(
            "recipient",
            parameters.value("code", "valueCode", made.stated.form.recipient),
            parameters.value(
                "display", "valueString", say(f"declaration.to-{made.stated.form.recipient}", language)
            ),
            parameters.value("when", "valueString", say(f"declaration.when-{when}", language)),
        ),
        parameters.parts(
            "receipt",
            parameters.value("number", "valueString", receipt.request),
            parameters.value("at", "valueInstant", instant_text(now)),
            parameters.value("digest", "valueString", made.digest),
            *(
                []
                if receipt.sequence is None
                else [parameters.value("entry", "valueInteger", receipt.sequence)]
            ),
        ),
    )
