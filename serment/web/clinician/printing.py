"""Printing from a record: choose, then a PDF under a trace that the patient reads."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serment.exits import printing
from serment.web.clinician.choosing_items import offered
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.forms import MOST_FORM, page_form
from serment.web.sheets import Drawing, pdf
from serment.web.shell import page
from serment.words import say

SECTION = "print"


async def printout(request: Request) -> Response:
    """Show what may be printed, newest first; print what was ticked."""
    opened = await opening(request)
    if request.method == "POST":
        return await _printed(opened)
    person, lines = await offered(opened)
    return page(request, "clinician/print.html", lines=lines, error="", **framed(opened, person, SECTION))


async def _printed(opened: Opening) -> Response:
    """Print what was ticked; nothing ticked comes back with what to do."""
    request = opened.request
    form = await page_form(request, opened.house, most=2 * MOST_FORM)
    chosen = form.every("item")
    if not chosen:
        person, lines = await offered(opened)
        error = say("paper.nothing-chosen", opened.language)
        values = framed(opened, person, SECTION)
        return page(request, "clinician/print.html", 422, lines=lines, error=error, **values)
    draw = Drawing(opened.language)
    made = await printing.items(opened.house, opened.asking, opened.patient, chosen, draw)
    return pdf(made.pdf, say("paper.file-print", opened.language))
