"""A letter or a certificate as a PDF on the letterhead of whoever wrote it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serment.exits import letters
from serment.web.clinician.frame import opening
from serment.web.forms import page_form
from serment.web.sheets import pdf
from serment.words import say


async def printed(request: Request) -> Response:
    """Give the letter. Raises `RefusedError` for who did not write it."""
    opened = await opening(request)
    await page_form(request, opened.house)
    document = str(request.path_params["document"])
    made = await letters.printed(opened.house, opened.asking, opened.patient, document)
    return pdf(made, say("paper.file-letter", opened.language))
