"""The timeline of a record: newest first, by kind, author and period; and the search in it.

A filter that names nobody stands in the address, so that its link can be kept; words that are typed about
a person never do: they come by a form. One template block is the page's list and what htmx fetches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError
from serment.fhir import dates
from serment.fhir.search_values import folded
from serment.record.pages.charting import Chart
from serment.record.pages.leafing import ITEMS, Wish
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.rows import KINDS, categories_of, kinds, row
from serment.web.clinician.why import closed
from serment.web.forms import page_form
from serment.web.shell import page
from serment.words import say

ON_PAGE: Final = 30
MOST_PAGES: Final = 10_000
MOST_WORDS: Final = 100
SECTION: Final = "timeline"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody filters by, as it was sent: a kind, a token of an author, two days, a page, words."""

    kind: str = ""
    author: str = ""
    since: str = ""
    until: str = ""
    number: int = 1
    words: str = field(default="", repr=False)

    def query(self, number: int = 1) -> str:
        """Write the filters for an address; the words stay out of it."""
        said = {"kind": self.kind, "author": self.author, "since": self.since, "until": self.until}
        pairs = {name: value for name, value in said.items() if value}
        if number > 1:
            pairs["page"] = str(number)
        return urlencode(pairs)


async def timeline(request: Request) -> Response:
    """Show a page of the timeline."""
    opened = await opening(request)
    number = request.query_params.get("page", "1")
    known = number.isdecimal() and len(number) < 6
    asked = _asked(request.query_params)
    return await _shown(opened, replace(asked, number=min(MOST_PAGES, max(1, int(number))) if known else 1))


async def look_for(request: Request) -> Response:
    """Search in a record: whole words or their beginnings, within the filters that are set."""
    opened = await opening(request)
    form = await page_form(request, opened.house)
    return await _shown(opened, replace(_asked(form), words=form.get("words", "")[:MOST_WORDS]))


def _asked(sent: Mapping[str, str]) -> Asked:
    kind = sent.get("kind", "")
    return Asked(
        kind if kind in KINDS else "",
        sent.get("author", "")[:MOST_WORDS],
        sent.get("since", "")[:MOST_WORDS],
        sent.get("until", "")[:MOST_WORDS],
    )


async def _shown(opened: Opening, asked: Asked) -> Response:
    wish, errors = _wish(opened, asked)
    try:
        chart = await opened.house.leafing.leaves(opened.asking, opened.patient, wish)
    except NotFoundError:
        return closed(opened)
    return page(
        opened.request,
        "clinician/timeline.html",
        400 if errors else 200,
        part="leaves",
        asked=asked,
        errors=errors,
        kinds=[("", say("chart.kind-all", opened.language)), *kinds(opened.language)],
        **_leaves(opened, asked, chart),
        **framed(opened, None if chart.person is None else chart.person.body, SECTION),
    )


def _wish(opened: Opening, asked: Asked) -> tuple[Wish, dict[str, str]]:
    """Read the filters; say of each day that is none what to write."""
    errors: dict[str, str] = {}
    spans: dict[str, dates.Range | None] = {}
    for name, text in (("since", asked.since), ("until", asked.until)):
        try:
            spans[name] = dates.parse(text) if text else None
        except ValueError:
            errors[name], spans[name] = say("chart.day-unreadable", opened.language), None
    since, until = spans["since"], spans["until"]
    wish = Wish(
        categories=categories_of(asked.kind),
        since=None if since is None else since[0],
        until=None if until is None else until[1],
        author=asked.author,
        words=folded(asked.words),
        start=(asked.number - 1) * ON_PAGE,
        most=ON_PAGE,
    )
    return wish, errors


def _leaves(opened: Opening, asked: Asked, chart: Chart) -> dict[str, Any]:
    items = [row(opened, line) for line in chart.groups[ITEMS]]
    total, here = chart.totals[ITEMS], f"/record/{opened.patient}/timeline"
    names = {token: name for item in items for name, token in item["people"]}
    more = not asked.words and asked.number * ON_PAGE < total
    newer = f"{here}?{asked.query(asked.number - 1)}".rstrip("?") if asked.number > 1 else ""
    return {
        "items": items,
        "total": total,
        "first": (asked.number - 1) * ON_PAGE + 1,
        "authors": sorted(((token, name) for token, name in names.items()), key=lambda pair: pair[1]),
        "by": names.get(asked.author, ""),
        "newer": newer,
        "older": f"{here}?{asked.query(asked.number + 1)}" if more else "",
        "filtered": bool(asked.query() or asked.words),
        "with_author": lambda token: f"{here}?{replace(asked, author=token, words='').query()}",
    }
