"""The seal of a document: whoever may read it checks it, a professional who may write it has it sealed."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.exits import signing
from serment.exits.signing import Told
from serment.model import ActorKind
from serment.paper.seal import Verdict
from serment.web.clinician.choosing_items import person_of
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.forms import page_form
from serment.web.shell import go_to, page
from serment.web.written import instant

KINDS: Final = {Verdict.SEALED: "good", Verdict.UNSEALED: ""}
"""How a verdict is shown: all others need an act."""


async def seal(request: Request) -> Response:
    """Say whether a document is sealed, by whom, and whether it is as it was; have it sealed."""
    opened = await opening(request)
    if request.method == "POST":
        return await _sealed(opened)
    document = str(request.path_params["document"])
    told = await signing.check(opened.house, opened.asking, document)
    at = instant(told.at, opened.language) if told.at else ""
    return page(
        request,
        "clinician/sign.html",
        document=document,
        found=told,
        verdict=verdict_of(told).value,
        kind=KINDS.get(verdict_of(told), "bad"),
        at=at,
        may=opened.asking.actor.kind is ActorKind.PROFESSIONAL,
        **framed(opened, await person_of(opened)),
    )


async def _sealed(opened: Opening) -> Response:
    """Have a document sealed."""
    await page_form(opened.request, opened.house)
    document = str(opened.request.path_params["document"])
    await signing.seal(opened.house, opened.asking, document)
    return go_to(f"/record/{opened.patient}/sign/{document}")


def verdict_of(told: Told) -> Verdict:
    """Give the one verdict that a person is told: the worse of the content's and the document's."""
    found: list[Any] = [told.content, told.document]
    bad = [one for one in found if one not in {Verdict.SEALED, Verdict.UNSEALED}]
    if bad:
        return Verdict(bad[0])
    return Verdict.SEALED if Verdict.SEALED in found else Verdict.UNSEALED
