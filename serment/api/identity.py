"""The operations on how sure an identity is: asking INSi, accepting its answer, a proof that was checked.

Operations of this server (docs/reference/fhir.md); each takes a FHIR Parameters resource. What INSi
answered is shown as traits to compare, never as a matricule: that comes into the record with a qualified
identity only.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.door.asking import language_of
from serment.errors import InvalidResourceError
from serment.fhir import document, outcome, parameters
from serment.fhir.validate import check
from serment.identity.traits import NAMES, Traits
from serment.model import PatientId
from serment.record.persons.identifying import Checked, Shown
from serment.words import Language, say


async def insi_search(request: Request) -> Response:
    """POST Patient/[id]/$insi-search: ask INSi by the traits of the record; nothing is stored.

    No body. Answers the code, the two sets of traits side by side, notes, and a sealed `comparison` to
    accept.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    shown = await house.identifying.search(asking, _patient(request))
    return answer(parameters.written(*_shown(shown, language_of(request))))


async def insi_accept(request: Request) -> Response:
    """POST Patient/[id]/$insi-accept: store the answer that the caller has compared with the person.

    Parameters `comparison` (valueString), `compared` (valueBoolean, true), and when an identity document was
    checked with it `proof` and `companion` (valueCode).
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    given = await _given(
        request,
        {
            "comparison": "valueString",
            "compared": "valueBoolean",
            "proof": "valueCode",
            "companion": "valueCode",
        },
    )
    proof = Checked(given["proof"], given.get("companion", "")) if "proof" in given else None
    status = await house.identifying.accept(
        asking,
        _patient(request),
        given.get("comparison", ""),
        compared=given.get("compared") is True,
        proof=proof,
        base=house.base,
    )
    return answer(outcome.ok("identity.accepted", language_of(request), status=status))


async def identity_proof(request: Request) -> Response:
    """POST Patient/[id]/$identity-proof: the caller has checked a proof; its kind is kept, never a copy.

    Parameters `proof` (valueCode of `identity_proofs.csv`) and, for a minor, `companion`: the proof of the
    parent.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    given = await _given(request, {"proof": "valueCode", "companion": "valueCode"})
    proof = Checked(given.get("proof", ""), given.get("companion", ""))
    status = await house.identifying.prove(asking, _patient(request), proof, house.base)
    return answer(outcome.ok("identity.proved", language_of(request), status=status))


def _patient(request: Request) -> PatientId:
    return PatientId(request.path_params["id"])


def _shown(shown: Shown, language: Language) -> list[parameters.Parameter]:
    """Say what INSi answered, trait by trait, ours beside theirs."""
    message = say(f"identity.insi-{shown.code}", language)
    said = [
        parameters.value("code", "valueCode", shown.code),
        parameters.value("message", "valueString", message),
    ]
    if shown.comparison is None:
        return said
    found = shown.comparison
    said += [
        _trait(name, shown.local, found.traits, differs=name in found.differences, place=place)
        for place, name in enumerate(NAMES)
    ]
    said += [parameters.value("note", "valueString", say(note, language)) for note in found.notes]
    return [*said, parameters.value("comparison", "valueString", shown.token)]


def _trait(name: str, ours: Traits, theirs: Traits, *, differs: bool, place: int) -> parameters.Parameter:
    parts = [parameters.value("name", "valueCode", name)]
    for label, traits in (("record", ours), ("insi", theirs)):
        text = getattr(traits, traits.__struct_fields__[place])
        parts += [parameters.value(label, "valueString", text)] if text else []
    return parameters.parts("trait", *parts, parameters.value("differs", "valueBoolean", differs))


async def _given(request: Request, known: dict[str, str]) -> dict[str, Any]:
    """Read parameters by name, each once, of the type that it has. Raises `InvalidResourceError`."""
    sent = document.read(await negotiation.resource(request))
    check(sent)
    listed = sent.value.get("parameter", []) if sent.type == "Parameters" else []
    given = {one.get("name"): one.get(known.get(str(one.get("name")), "")) for one in listed}
    if not given or len(given) != len(listed) or None in given.values():
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    return given
