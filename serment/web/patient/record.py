"""My record in plain words: what each kind of thing is, what stands in it, and whether it is masked.

Masking is a word of the holder, in force at the next request of anybody. What it changes for care is told
beside it, and one gesture takes it back.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError
from serment.fhir.measures import Standing, decoded, measures
from serment.fhir.summary import person_name, summary
from serment.model import Category
from serment.record.gate import Item
from serment.record.pages.charting import Line, Pick, Picked, Table, latest
from serment.record.pages.overview import BESIDE
from serment.web.forms import page_form
from serment.web.groups import DOCUMENTS, ORDER, category_name
from serment.web.patient.mine import Mine, mine
from serment.web.shell import go_to
from serment.web.written import day_of
from serment.words import Language, say

SHOWN: Final = 4
A_PAGE: Final = 40
KINDS: Final = tuple(name for name in ORDER if name not in {"identity", "contact", "choices"})
"""Kinds of things on this page: who one is and what one chose have pages of their own."""
APART: Final = frozenset({Category.IDENTITY, Category.CONTACT, Category.CHOICES, Category.DIRECTORY})
_CATEGORIES: Final = frozenset(Category) - APART


async def record(request: Request) -> Response:
    """Show what the record holds, kind by kind, the newest of each."""
    mine_ = mine(request)
    chart = await mine_.house.charting.page(mine_.asking, mine_.patient, kinds(KINDS, SHOWN))
    groups = [_group(mine_, name, chart.groups[name], chart.totals[name]) for name in KINDS]
    person = {} if chart.person is None else msgspec.json.decode(chart.person.body)
    return mine_.page(
        "record.html",
        name=person_name(person),
        born=day_of(str(person.get("birthDate", "")), mine_.language),
        groups=groups,
    )


async def kind(request: Request) -> Response:
    """Show one kind of things, page by page, newest first. Raises `NotFoundError` for an unknown kind."""
    mine_ = mine(request)
    name, place = request.path_params["kind"], _page_of(request)
    if name not in KINDS:
        raise NotFoundError("record.not-found")
    pick = kinds((name,), A_PAGE, place * A_PAGE)
    chart = await mine_.house.charting.page(mine_.asking, mine_.patient, pick)
    total = chart.totals[name]
    here = f"/me/record/{name}"
    return mine_.page(
        "kind.html",
        kind=name,
        group=_group(mine_, name, chart.groups[name], total),
        newer=f"{here}?page={place - 1}" if place else "",
        older=f"{here}?page={place + 1}" if (place + 1) * A_PAGE < total else "",
    )


async def mask(request: Request) -> Response:
    """Mask an item: a Consent of the holder, in force at the next request."""
    return await _choose(request, masked=True)


async def unmask(request: Request) -> Response:
    """Lift a mask."""
    return await _choose(request, masked=False)


async def _choose(request: Request, *, masked: bool) -> Response:
    mine_ = mine(request)
    form = await page_form(request, mine_.house)
    choosing, item = mine_.house.choosing, form.get("item", "")
    if masked:
        await choosing.mask(mine_.asking, mine_.patient, item)
    else:
        await choosing.unmask(mine_.asking, mine_.patient, item)
    back = form.get("kind", "")
    here = f"/me/record/{back}" if back in KINDS else "/me/record"
    return go_to(f"{here}#{quote(item)}")


def _page_of(request: Request) -> int:
    said = request.query_params.get("page", "0")
    return min(int(said), 10_000) if said.isdecimal() and len(said) < 6 else 0


def kinds(names: tuple[str, ...], most: int, start: int = 0) -> Pick:
    """Make what a page of kinds picks: `most` of each from `start`, newest first; totals count them all."""

    def pick(table: Table) -> Picked:
        found: dict[str, list[Item]] = {name: [] for name in names}
        for item in table.of(_CATEGORIES):
            name = kind_of(item.unit.category)
            if name in found and item.entry.type not in BESIDE:
                found[name].append(item)
        shown = {name: latest(items, start + most)[start:] for name, items in found.items()}
        return Picked(shown, {name: len(items) for name, items in found.items()})

    return pick


def kind_of(category: Category) -> str:
    """Name the kind under which a category stands: the classes of documents stand together."""
    return category.value if category.value in ORDER else DOCUMENTS


def _group(mine_: Mine, name: str, lines: list[Line], total: int) -> dict[str, Any]:
    return {
        "kind": name,
        "title": category_name(name, mine_.language),
        "about": mine_.say(f"patient.about-{name}"),
        "items": [{**told(one, mine_.language), "document": _document(mine_, one)} for one in lines],
        "total": total,
        "more": total > len(lines),
    }


def _document(mine_: Mine, one: Line) -> str:
    """Give the address where a document is read; "" for what is none."""
    type_ = one.reference.partition("/")[0]
    return f"/record/{mine_.patient}/document/{one.reference}" if type_ == "DocumentReference" else ""


def told(one: Line, language: Language) -> dict[str, Any]:
    """Say one item to its person: what it is, its value with what is usual, its date, its state."""
    resource = msgspec.json.decode(one.body)
    said = summary(resource, language)
    return {
        "reference": one.reference,
        "title": said.title,
        "value": said.value,
        "usual": usual_said(one.body, resource, language),
        "date": day_of(said.date, language),
        "masked": one.unit.masked,
    }


def usual_said(body: bytes, resource: dict[str, Any], language: Language) -> str:
    """Say where a value stands towards what is usual, when the result itself says it; else nothing."""
    if resource.get("resourceType") != "Observation":
        return ""
    standings = [one.standing for one in measures(decoded(body))]
    known = [one for one in standings if one is not Standing.UNKNOWN]
    if not known or len(known) < len(standings):
        return ""
    outside = [one for one in known if one is not Standing.INSIDE]
    worst = outside[0] if outside else Standing.INSIDE
    return say(f"patient.usual-{worst.value}", language)
