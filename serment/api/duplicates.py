"""The operations on duplicates and collisions: the worklist, `$merge` (R5 Patient/$merge), and ours.

Each takes a FHIR Parameters resource that names the two records by reference, so that no trait stands in an
address. Order: the list, one person, two people, two people in one record, what is read of a request.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.door.asking import language_of
from serment.errors import InvalidResourceError
from serment.fhir import document, outcome, parameters
from serment.fhir.dates import instant_text
from serment.fhir.validate import check
from serment.identity.who import Who
from serment.model import Instant, PatientId
from serment.record.duplicates.merging import Pair

_ITEM = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}")
_PATIENT = re.compile(r"Patient/([A-Za-z0-9.-]{1,64})")

SOURCE, TARGET = "source-patient", "target-patient"
"""Who is left and who is kept (R5 patient-operation-merge.html)."""


async def listed(request: Request) -> Response:
    """GET Patient/$duplicates: the suspected duplicates of the structure that nobody has judged."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    pairs = await house.merging.listed(asking)
    return answer(parameters.written(*map(_pair, pairs)))


async def merge(request: Request) -> Response:
    """POST Patient/$merge: leave `source-patient` for `target-patient` (valueReference each)."""
    house, asking = who(request)
    source, target = await _two(request)
    await house.merging.merge(asking, target, source, house.base)
    return answer(outcome.ok("api.merged", language_of(request)))


async def undo(request: Request) -> Response:
    """POST Patient/$undo-merge: take back the merge of the same two."""
    house, asking = who(request)
    source, target = await _two(request)
    await house.merging.undo(asking, target, source, house.base)
    return answer(outcome.ok("api.merge-undone", language_of(request)))


async def keep_apart(request: Request) -> Response:
    """POST Patient/$keep-apart: the same two are two people, and are not suspected again."""
    house, asking = who(request)
    source, target = await _two(request)
    await house.merging.keep_apart(asking, source, target)
    return answer(outcome.ok("api.kept-apart", language_of(request)))


async def report_collision(request: Request) -> Response:
    """POST Patient/[id]/$report-collision: the record may hold two people; `code` is COLP or COLV."""
    house, asking = who(request)
    given = await _given(request)
    codes = [one.get("valueCode") for one in given if one.get("name") == "code"]
    if len(given) != 1 or len(codes) != 1:
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    patient = PatientId(request.path_params["id"])
    await house.splitting.report(asking, patient, str(codes[0]), house.base)
    return answer(outcome.ok("api.collision", language_of(request)))


async def split(request: Request) -> Response:
    """POST Patient/[id]/$split: move each `item` to the record `to` (valueReference each).

    Answers a `moved` of each: what it was called, and what it is called now.
    """
    house, asking = who(request)
    given = await _given(request)
    named = [(one.get("name"), str(one.get("valueReference", {}).get("reference"))) for one in given]
    target = [_PATIENT.fullmatch(reference) for name, reference in named if name == "to"]
    items = [reference for name, reference in named if name == "item" and _ITEM.fullmatch(reference)]
    if len(target) != 1 or target[0] is None or len(named) != len(items) + 1:
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    source = PatientId(request.path_params["id"])
    moved = await house.splitting.move(asking, source, PatientId(target[0][1]), items, house.base)
    return answer(parameters.written(*(_moved(old, new) for old, new in moved)))


async def close_collision(request: Request) -> Response:
    """POST Patient/[id]/$close-collision: the items are sorted, the record opens again. No body."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    await house.splitting.close(asking, PatientId(request.path_params["id"]), house.base)
    return answer(outcome.ok("api.collision-closed", language_of(request)))


def _moved(old: str, new: str) -> parameters.Parameter:
    return parameters.parts(
        "moved",
        parameters.value("from", "valueReference", {"reference": old}),
        parameters.value("to", "valueReference", {"reference": new}),
    )


def _pair(pair: Pair) -> parameters.Parameter:
    """Write one line: the two people, how sure, since when."""
    one, other = pair.people
    return parameters.parts(
        "suspected",
        *_person(SOURCE, other),
        *_person(TARGET, one),
        parameters.value("grade", "valueCode", pair.suspicion.verdict),
        parameters.value("score", "valueDecimal", pair.suspicion.weight),
        parameters.value("since", "valueInstant", instant_text(Instant(pair.suspicion.since))),
    )


def _person(name: str, one: Who) -> list[parameters.Parameter]:
    """Say who somebody is, as much as finding them shows."""
    display = " ".join(filter(None, (one.birth, one.used and f"({one.used})", one.given)))
    shown = {"reference": f"Patient/{one.patient}", "type": "Patient"}
    return [
        parameters.value(name, "valueReference", {**shown, "display": display} if display else shown),
        *([parameters.value(f"{name}-birth-date", "valueDate", one.birth_date)] if one.birth_date else []),
    ]


async def _two(request: Request) -> tuple[str, str]:
    """Read the two records: source and target. Raises `InvalidResourceError`."""
    given = await _given(request)
    named = {one.get("name"): one.get("valueReference", {}).get("reference") for one in given}
    if set(named) != {SOURCE, TARGET} or len(given) != len(named):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    found = [_PATIENT.fullmatch(str(named[name])) for name in (SOURCE, TARGET)]
    if found[0] is None or found[1] is None:
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    return found[0][1], found[1][1]


async def _given(request: Request) -> list[dict[str, Any]]:
    """Read the parameters that were sent. Raises `InvalidResourceError`."""
    negotiation.nothing_else(request)
    sent = document.read(await negotiation.resource(request))
    check(sent)
    given: list[dict[str, Any]] = sent.value.get("parameter", []) if sent.type == "Parameters" else []
    return given
