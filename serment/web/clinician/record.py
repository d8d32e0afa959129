"""The first page of a record: what care cannot do without, and on what ground the reader stands.

One passage, one trace for all of it (`record/pages/charting`, `overview` beside it). What is hidden and what
is absent give the same page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError
from serment.model import ActorKind
from serment.record.pages import overview
from serment.record.pages.charting import Chart, Line
from serment.web.clinician import lines
from serment.web.clinician.frame import SUMMARY, Opening, framed, hidden_said, opening
from serment.web.clinician.why import closed, ground_said
from serment.web.shell import page
from serment.web.written import instant
from serment.words import Language


async def record(request: Request) -> Response:
    """Show the first page of a record; to whoever may not, the ways there are, whatever the reason."""
    opened = await opening(request)
    lists, asking = opened.house.worklists, opened.asking
    since = await asyncio.to_thread(lists.last, asking, opened.patient)
    try:
        chart = await opened.house.charting.page(
            asking, opened.patient, overview.overview(asking.actor.id, since)
        )
    except NotFoundError:
        return closed(opened)
    lists.note(asking, chart.patient)
    return page(request, "clinician/summary.html", **_values(opened, chart, since))


def _values(opened: Opening, chart: Chart, since: int) -> dict[str, Any]:
    language = opened.language
    said = {
        overview.ALLERGIES: lines.allergy,
        overview.TREATMENTS: lines.treatment,
        overview.PROBLEMS: lines.problem,
        overview.NOTE: lines.note,
        overview.NEW: lines.news,
    }
    person = None if chart.person is None else chart.person.body
    return {
        **{name: _group(chart, name, each, language) for name, each in said.items()},
        "since": instant(since, language) if since else "",
        "ground": ground_said(chart.ground, opened),
        "hidden": hidden_said(opened),
        "holder": opened.asking.actor.kind is ActorKind.PATIENT,
        **framed(opened, person, SUMMARY),
    }


def _group(
    chart: Chart, name: str, each: Callable[[Line, Language], dict[str, Any]], language: Language
) -> dict[str, Any]:
    shown = [each(line, language) for line in chart.groups.get(name, [])]
    return {"lines": shown, "more": max(0, chart.totals.get(name, 0) - len(shown))}
