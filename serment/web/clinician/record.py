"""A record at first sight, for a professional or whoever acts for its holder: the newest of each category."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of, language_of
from serment.fhir.summary import person_name
from serment.identity.status import status
from serment.model import ActorKind, Category
from serment.record.showing import FirstView
from serment.web.groups import groups_of
from serment.web.shell import page, who_of
from serment.web.written import day_of
from serment.words import Language, catalogue, say


async def record(request: Request) -> Response:
    """Show a record to a professional: the newest of each category, traced."""
    house = house_of(request)
    asking = cookie_of(request, house)
    view = await house.showing.first_view(asking, request.path_params["id"])
    language = language_of(request)
    return page(
        request,
        "clinician/record.html",
        groups=groups_of(view, language, leave={Category.IDENTITY, Category.CONTACT}),
        person=_person(view, language),
        rule=_because(view.rule.partition(".")[2], language),
        hidden="web.home.may-proxy" if asking.actor.kind is ActorKind.PROXY else "web.record.hidden",
        **who_of(request, house, asking),
    )


def _person(view: FirstView, language: Language) -> dict[str, str]:
    for shown in view.groups.get(Category.IDENTITY, []):
        patient = msgspec.json.decode(shown.body)
        if patient.get("resourceType") == "Patient":
            return {
                "name": person_name(patient),
                "born": day_of(str(patient.get("birthDate", "")), language),
                "status": _word(f"web.status-{status(patient)}", str(status(patient)), language),
            }
    return {"name": "", "born": "", "status": ""}


def _because(ground: str, language: Language) -> str:
    """Say on what ground a record opens, to whoever opens it; the ledger says it to the patient."""
    return _word(f"web.record.because-{ground}", say(f"ledger.ground-{ground}", language), language)


def _word(sentence: str, otherwise: str, language: Language) -> str:
    """Say a code in words; one that the catalogue does not know stands as it is."""
    return say(sentence, language) if sentence in catalogue() else otherwise
