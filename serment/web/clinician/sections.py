"""The lists behind the first page of a record: what stands and what is over, kind by kind.

Each is one pick and one trace; nothing is judged: what is over is what a resource says to be over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError
from serment.model import Category
from serment.record.pages.charting import Chart, Line
from serment.record.pages.leafing import OVER, STANDING
from serment.web.clinician import lines
from serment.web.clinician.fields import first_code
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.rows import row
from serment.web.clinician.why import closed
from serment.web.shell import page
from serment.web.written import day_of
from serment.words import Language

Says = Callable[[Line, Language], dict[str, Any]]


async def problems(request: Request) -> Response:
    """Show problems: active ones, then those that are over."""
    return await _stands(request, "problems", Category.PROBLEMS, lines.problem)


async def allergies(request: Request) -> Response:
    """Show allergies with their reactions."""
    return await _stands(request, "allergies", Category.ALLERGIES, lines.allergy)


async def vaccinations(request: Request) -> Response:
    """Show vaccinations."""
    return await _stands(request, "vaccinations", Category.VACCINATIONS, lines.problem)


async def treatments(request: Request) -> Response:
    """Show treatments, each once with how often it was prescribed."""
    opened = await opening(request)
    try:
        chart = await opened.house.leafing.courses(opened.asking, opened.patient)
    except NotFoundError:
        return closed(opened)
    return _page(opened, chart, "treatments", lines.treatment)


async def _stands(request: Request, section: str, category: Category, says: Says) -> Response:
    opened = await opening(request)
    try:
        chart = await opened.house.leafing.standing(opened.asking, opened.patient, category)
    except NotFoundError:
        return closed(opened)
    return _page(opened, chart, section, says)


def _page(opened: Opening, chart: Chart, section: str, says: Says) -> Response:
    person = None if chart.person is None else chart.person.body
    stands, over = (_group(opened, chart, name, says) for name in (STANDING, OVER))
    return page(
        opened.request,
        "clinician/section.html",
        section=section,
        groups=[stands, over] if over["listed"] else [stands],
        **framed(opened, person, section),
    )


def _group(opened: Opening, chart: Chart, name: str, says: Says) -> dict[str, Any]:
    items = [_item(opened, chart, line, says) for line in chart.groups[name]]
    return {"name": name, "listed": items, "more": chart.totals[name] - len(items)}


def _item(opened: Opening, chart: Chart, line: Line, says: Says) -> dict[str, Any]:
    resource = lines.read(line)
    language = opened.language
    often = chart.totals.get(opened.house.leafing.series_of(resource), 1)
    return {
        "grave": False,
        **row(opened, line),
        **says(line, language),
        "since": day_of(str(resource.get("onsetDateTime", "")), language),
        "state": first_code(resource, ("clinicalStatus", "status"), language),
        "sure": first_code(resource, ("verificationStatus",), language),
        "lot": str(resource.get("lotNumber", "")),
        "often": often,
    }
