"""`$validate` (R4 resource-operation-validate.html): whether something would be taken if it were written.

Nothing is looked up and nothing is kept: the verdict depends on what was sent alone. Profiles are not
judged here, so that one that is named is refused rather than left aside.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.abilities import served_types
from serment.api.fhir import answer, who
from serment.door.asking import language_of
from serment.errors import (
    InvalidResourceError,
    MalformedError,
    NotFoundError,
    NotSupportedError,
    RequestError,
)
from serment.fhir import document, outcome
from serment.fhir.document import Document
from serment.fhir.validate import Issue, issues
from serment.record import incoming

MODES = frozenset({"create", "update"})


async def validate(request: Request) -> Response:
    """POST [type]/$validate, POST [type]/[id]/$validate: every fault that is found, or that there is none."""
    house, _ = who(request)
    type_, id_ = str(request.path_params["type"]), str(request.path_params.get("id", ""))
    if type_ not in served_types():
        raise NotFoundError("api.unknown-type")
    sent = document.read(await negotiation.resource(request))
    mode = _told(request, "mode")
    if sent.type == "Parameters":
        sent, mode = _wrapped(sent, mode)
    if _told(request, "profile"):
        raise NotSupportedError("operations.profile")
    if mode and mode not in MODES:
        raise NotSupportedError("operations.mode")
    if sent.type != type_:
        raise RequestError("record.type-mismatch")
    if id_ and sent.value.get("id") != id_:
        raise RequestError("record.type-mismatch")
    found = issues(sent) or _unfit(sent, house.base)
    language = language_of(request)
    if not found:
        return answer(outcome.ok("operations.valid", language))
    return answer(outcome.listed([(one.sentence, one.expression, one.rule) for one in found], language))


def _told(request: Request, name: str) -> str:
    """Read `mode` or `profile` from the address. Raises `NotSupportedError` for anything else there."""
    asked = negotiation.query(request)
    if {key for key, _ in asked} - {"mode", "profile"} or len(asked) != len(dict(asked)):
        raise NotSupportedError("operations.parameter", known="mode")
    return dict(asked).get(name, "")


def _wrapped(sent: Document, mode: str) -> tuple[Document, str]:
    """Take the resource out of a Parameters, as the bytes that were sent. Raises `NotSupportedError`."""
    resource: Document | None = None
    for place, (start, _) in enumerate(document.spans_of_array(sent, "parameter")):
        said = sent.value["parameter"][place]
        name = said.get("name") if isinstance(said, dict) else None
        if name == "profile":
            raise NotSupportedError("operations.profile")
        if name == "mode":
            mode = str(said.get("valueCode", ""))
        elif name == "resource" and "resource" in said:
            member = document.members_at(sent.text, start)["resource"]
            resource = document.read(sent.text[member.value_start : member.end].encode())
        else:
            raise MalformedError("operations.validate")
    if resource is None:
        raise MalformedError("operations.validate")
    return resource, mode


def _unfit(sent: Document, base: str) -> list[Issue]:
    """Say what the rules of this server find in a resource that is valid FHIR: its owner, its references."""
    try:
        incoming.read(sent.text.encode(), None, base)
    except InvalidResourceError as error:
        return [Issue(error.expression, error.sentence)]
    except RequestError as error:
        return [Issue("", error.sentence)]
    return []
