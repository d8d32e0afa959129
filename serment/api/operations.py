"""The operations about who may open a record: a word of the patient, two gestures of a carer, the reasons.

What changes something takes a FHIR Parameters resource (R4 operations.html); it is in force at the next
request, and the patient sees it in their list at once.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.access.ties import Tie
from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.door.asking import language_of
from serment.errors import InvalidResourceError, MalformedError
from serment.fhir import document, outcome, parameters
from serment.fhir.dates import instant_text
from serment.fhir.validate import check
from serment.model import EmergencyReason, Instant, PatientId, Purpose
from serment.record.care.declaring import QUESTIONED, Declared, Declaring
from serment.record.disclosing import Person
from serment.words import Language, say

_ITEM = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}")


async def confirm_attending(request: Request) -> Response:
    """POST Patient/[id]/$confirm-attending: the holder names their attending physician.

    One parameter `practitioner`: a valueIdentifier with the RPPS number, or a valueReference to the
    directory.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    given = await parameter(request, "practitioner")
    named = _practitioner(given)
    await house.choosing.confirm_attending(asking, PatientId(request.path_params["id"]), named)
    return answer(outcome.ok("api.attending", language_of(request)))


async def declare_act(request: Request) -> Response:
    """POST Patient/[id]/$declare-act: a carer of the structure declares an act of care, for 24 hours.

    One parameter `reason`, a valueCode of `access.relations.DECLARED_REASONS`; `on-call` for who stands on
    the structure's on-call list: until the shift ends.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    reason = (await parameter(request, "reason")).get("valueCode")
    if not isinstance(reason, str):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    count = await house.choosing.declare_act(asking, PatientId(request.path_params["id"]), reason)
    often = "api.declared-questioned" if count >= QUESTIONED else "api.declared"
    sentence = often if count else "api.declared-shift"
    return answer(outcome.ok(sentence, language_of(request), count=count))


async def declared_acts(request: Request) -> Response:
    """GET Practitioner/$declared-acts: how many acts each professional declared in 30 days, to an officer.

    One `professional` each, the most first: who, count, last, questioned, and how many by coded reason.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    found = await run_in_threadpool(Declaring(house.passage).counted, asking)
    return answer(parameters.written(*(_declared(one) for one in found)))


def _declared(one: Declared) -> parameters.Parameter:
    who_ = {"identifier": {"system": "urn:serment:actor", "value": one.actor}}
    reasons = [
        parameters.parts(
            "reason",
            parameters.value("code", "valueCode", reason),
            parameters.value("count", "valueInteger", count),
        )
        for reason, count in one.reasons.items()
    ]
    return parameters.parts(
        "professional",
        parameters.value("who", "valueReference", {**who_, "display": one.name} if one.name else who_),
        parameters.value("count", "valueInteger", one.count),
        parameters.value("last", "valueInstant", instant_text(one.last)),
        parameters.value("questioned", "valueBoolean", one.questioned),
        *reasons,
    )


async def emergency_access(request: Request) -> Response:
    """POST Patient/[id]/$emergency-access: open the record in an emergency, for one or more coded reasons.

    Parameters `reason` (valueCode of `EmergencyReason`), repeated where the law asks for two. Answers which
    categories are open and how much stands in each; each reading that follows says purpose and reason again.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    given = [str(one.get("valueCode")) for one in await _parameters(request, "reason")]
    if not set(given) <= {reason.value for reason in EmergencyReason}:
        raise MalformedError("record.reason-unknown")
    reasons = [EmergencyReason(code) for code in given]
    opened = await house.emergency.open(asking, PatientId(request.path_params["id"]), reasons)
    groups = [
        parameters.parts(
            "category",
            parameters.value("code", "valueCode", category.value),
            parameters.value("items", "valueInteger", count),
        )
        for category, count in opened.totals.items()
    ]
    purpose = parameters.value("purpose", "valueCode", Purpose.EMERGENCY.value)
    again = [parameters.value("reason", "valueCode", reason.value) for reason in reasons]
    message = say("operations.emergency", language_of(request))
    said = parameters.value("message", "valueString", message)
    return answer(
        parameters.written(
            parameters.value("rule", "valueString", opened.rule), purpose, *again, *groups, said
        )
    )


async def explain_access(request: Request) -> Response:
    """GET Patient/[id]/$explain-access: everybody who could read this, and why, told to the holder.

    With `item=Type/id`, of that item alone. A professional who may read is told of themselves. `regime` says
    which law rules the record, each `tie` on which relation somebody stands, since when and until when.
    """
    house, asking = who(request)
    item = negotiation.one(request, "item") if negotiation.query(request) else ""
    if item and not _ITEM.fullmatch(item):
        raise MalformedError("operations.item")
    found = await house.disclosing.everybody(asking, PatientId(request.path_params["id"]), item)
    language = language_of(request)
    said = [
        parameters.value("regime", "valueCode", found.regime),
        parameters.value("why", "valueString", say(f"operations.regime-{found.regime}", language)),
        *(_person(person, language) for person in found.people),
    ]
    if found.emergency_opposed is not None:
        sentence = "operations.emergency-closed" if found.emergency_opposed else "operations.emergency-open"
        said.append(parameters.value("emergency", "valueString", say(sentence, language)))
    return answer(parameters.written(*said))


def _person(person: Person, language: Language) -> parameters.Parameter:
    """Say of one person what they could read, by which rule, and why not the rest."""
    actor = person.actor
    who_ = {"identifier": {"system": "urn:serment:actor", "value": actor.id}}
    named = {**who_, "display": actor.name} if actor.name else who_
    inside = [
        parameters.value("who", "valueReference", named),
        parameters.value("known", "valueBoolean", person.known),
        *([parameters.value("function", "valueCode", actor.function.value)] if person.known else []),
    ]
    inside += [_tie(tie, language) for tie in person.ties]
    for category, rule in person.reads.items():
        code = parameters.value("category", "valueCode", category.value)
        inside.append(parameters.parts("reads", code, parameters.value("rule", "valueString", rule)))
    for category, sentence in person.refused.items():
        code = parameters.value("category", "valueCode", category.value)
        why = parameters.value("why", "valueString", say(sentence, language))
        inside.append(parameters.parts("does-not-read", code, why))
    return parameters.parts("person", *inside)


def _tie(tie: Tie, language: Language) -> parameters.Parameter:
    """Say on which relation somebody stands: its kind, a sentence, since when, until when, by whose word."""
    inside = [
        parameters.value("kind", "valueCode", tie.kind),
        parameters.value("why", "valueString", say(f"operations.tie-{tie.kind}", language)),
    ]
    if tie.start > 0:
        inside.append(parameters.value("since", "valueInstant", instant_text(Instant(tie.start))))
    if tie.until is not None:
        inside.append(parameters.value("until", "valueInstant", instant_text(Instant(tie.until))))
    for name, actor in (("by", tie.by), ("through", tie.through)):
        if actor:
            who_ = {"identifier": {"system": "urn:serment:actor", "value": actor}}
            inside.append(parameters.value(name, "valueReference", who_))
    return parameters.parts("tie", *inside)


async def parameter(request: Request, name: str) -> dict[str, Any]:
    """Read the one parameter that the operation takes. Raises `InvalidResourceError`."""
    given = await _parameters(request, name)
    if len(given) != 1:
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    return given[0]


async def parameters_of(request: Request) -> list[dict[str, Any]]:
    """Read what a Parameters resource holds. Raises `InvalidResourceError`."""
    sent = document.read(await negotiation.resource(request))
    check(sent)
    given: list[dict[str, Any]] = sent.value.get("parameter", []) if sent.type == "Parameters" else []
    return given


async def _parameters(request: Request, name: str) -> list[dict[str, Any]]:
    """Read the parameters of one name, one at least and no other. Raises `InvalidResourceError`."""
    given = await parameters_of(request)
    if not given or any(one.get("name") != name for one in given):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    return given


def _practitioner(given: dict[str, Any]) -> str:
    """Name the professional: an RPPS number, or a reference to the directory."""
    number = given.get("valueIdentifier", {}).get("value")
    reference = given.get("valueReference", {}).get("reference")
    named = number or reference
    if not isinstance(named, str):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    return named
