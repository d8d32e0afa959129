"""A prescription on its pages: written, signed, printed, sent, taken back.

No interaction check is included, and each page says so. The lines that were typed come back with what is
missing; nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.access.prescribers import may_prescribe
from serment.errors import InvalidResourceError, NotFoundError
from serment.exits import prescribing
from serment.exits.prescribing import Asked, National
from serment.exits.printing import binary_of, whole
from serment.fhir import prescribed
from serment.ledger.entry import Interaction
from serment.model import Act
from serment.paper.prescription import MOST_LINES, Line, spaced
from serment.record.outward.leaving import PRINTED, Leave
from serment.web.clinician.choosing_items import person_of
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.forms import Form, page_form
from serment.web.sheets import pdf
from serment.web.shell import go_to, page
from serment.web.written import day_of
from serment.words import say

SECTION: Final = "prescription"
ROWS: Final = 3
"""Lines that an empty form offers; `more` adds as many."""

MOST_FORM: Final = 64 * 1024
_DIGITS: Final = 2
"""Digits of a number of renewals."""

_READ: Final = Leave(Act.READ, Interaction.READ)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form, as typed."""

    name: str = field(default="", repr=False)
    dose: str = field(default="", repr=False)
    duration: str = field(default="", repr=False)
    renewals: str = ""
    long_term: bool = False

    @property
    def empty(self) -> bool:
        """Say whether nothing was typed in it."""
        return not (self.name.strip() or self.dose.strip())


async def write(request: Request) -> Response:
    """Show an empty prescription; sign the one that was written."""
    opened = await opening(request)
    if request.method == "POST":
        return await _issue(opened)
    return _form(opened, await person_of(opened), [Row()] * ROWS)


async def _issue(opened: Opening) -> Response:
    """Sign a prescription; what it lacks comes back beside what was typed."""
    form = await page_form(opened.request, opened.house, most=MOST_FORM)
    rows = _rows(form)
    if form.get("more"):
        return _form(opened, await person_of(opened), [*rows, *[Row()] * ROWS][:MOST_LINES], form)
    lines = tuple(_line(row) for row in rows if not row.empty)
    asked = Asked(lines, form.get("weight", "").strip(), bool(form.get("two_parts")), bool(form.get("keep")))
    try:
        made = await prescribing.issue(opened.house, opened.asking, opened.patient, asked)
    except InvalidResourceError as error:
        said = error.said(opened.language)
        return _form(opened, await person_of(opened), rows, form, said)
    return go_to(f"/record/{opened.patient}/prescription/{made.document}")


async def shown(request: Request) -> Response:
    """Show a prescription that stands or was taken back, with what can be done."""
    opened = await opening(request)
    return await _shown(opened, str(request.path_params["document"]))


async def as_paper(request: Request) -> Response:
    """Give the signed PDF as it was made: a print, traced as one.

    Raises `NotFoundError` for any other document: what came in leaves on marked pages only (`printing`).
    """
    opened = await opening(request)
    await page_form(request, opened.house)
    document = str(request.path_params["document"])
    served = await opened.house.leaving.items(
        opened.asking, opened.patient, [f"DocumentReference/{document}"], PRINTED
    )
    value = msgspec.json.decode(served[1].body)
    if not prescribed.number_of(value):
        raise NotFoundError("record.not-found")
    attachment = value["content"][0]["attachment"]
    content = opened.house.leafing.in_record(opened.patient, "Binary", binary_of(attachment))
    found = await opened.house.serving.open(opened.asking, content, act=PRINTED.act)
    return pdf(await whole(found), say("paper.file-prescription", opened.language))


async def send(request: Request) -> Response:
    """Ask for the national number, where a service is connected."""
    opened = await opening(request)
    await page_form(request, opened.house)
    document = str(request.path_params["document"])
    national = national_of(request)
    if national is None:
        raise NotFoundError("paper.no-national")
    await prescribing.send(opened.house, opened.asking, document, national)
    return go_to(f"/record/{opened.patient}/prescription/{document}")


async def revoke(request: Request) -> Response:
    """Take a prescription back."""
    opened = await opening(request)
    await page_form(request, opened.house)
    document = str(request.path_params["document"])
    await prescribing.revoke(opened.house, opened.asking, document, national_of(request))
    return go_to(f"/record/{opened.patient}/prescription/{document}")


def national_of(request: Request) -> National | None:
    """Give the national service that this server is connected to, None where there is none."""
    found: National | None = request.app.state.national
    return found


def _form(
    opened: Opening, person: bytes | None, rows: list[Row], form: Form | None = None, error: str = ""
) -> Response:
    typed: dict[str, Any] = {"weight": "", "two_parts": False, "keep": True}
    if form is not None:
        typed = {
            "weight": form.get("weight", ""),
            "two_parts": bool(form.get("two_parts")),
            "keep": bool(form.get("keep")),
        }
    return page(
        opened.request,
        "clinician/prescription.html",
        422 if error else 200,
        rows=rows,
        error=error,
        may=may_prescribe(opened.asking.actor),
        most=MOST_LINES,
        **typed,
        **framed(opened, person, SECTION),
    )


def _rows(form: Form) -> list[Row]:
    columns = [form.every(name) for name in ("name", "dose", "duration", "renewals")]
    ticked = set(form.every("long_term"))
    return [
        Row(name, dose, duration, renewals, str(place) in ticked)
        for place, (name, dose, duration, renewals) in enumerate(zip(*columns, strict=False))
    ][:MOST_LINES]


def _line(row: Row) -> Line:
    count = row.renewals.strip()
    renewals = int(count) if count.isascii() and count.isdigit() and len(count) <= _DIGITS else 0
    return Line(row.name.strip(), row.dose.strip(), row.duration.strip(), renewals, row.long_term)


async def _shown(opened: Opening, document: str) -> Response:
    served = await opened.house.leaving.items(
        opened.asking, opened.patient, [f"DocumentReference/{document}"], _READ
    )
    value: dict[str, Any] = msgspec.json.decode(served[1].body)
    number = prescribed.number_of(value)
    return page(
        opened.request,
        "clinician/prescribed.html",
        title=str(value.get("description", "")),
        date=day_of(str(value.get("date", "")), opened.language),
        number=spaced(number),
        national=prescribed.national_of(value),
        document=document,
        may=may_prescribe(opened.asking.actor),
        connected=national_of(opened.request) is not None,
        **framed(opened, served[0].body, SECTION),
    )
