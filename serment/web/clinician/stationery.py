"""The texts of the practice, to begin letters and certificates from: listed, changed, taken away."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of
from serment.errors import NotFoundError, RequestError
from serment.record.visits.stationery import BLANKS, MOST_NAME, MOST_TEXT, Sort
from serment.web.forms import page_form
from serment.web.shell import go_to, page, who_of
from serment.words import say

HERE: Final = "/templates"
MOST: Final = 64 * 1024


async def templates(request: Request) -> Response:
    """Show the texts of the asker's structure."""
    return await _shown(request)


async def change(request: Request) -> Response:
    """Keep a text, new or changed, or take one away."""
    house = house_of(request)
    asking = cookie_of(request, house)
    form = await page_form(request, house, most=MOST)
    id_ = form.get("id", "")
    if form.get("do") == "drop":
        await asyncio.to_thread(house.stationery.drop, asking, id_)
        return go_to(HERE)
    sort = next((one for one in Sort if one.value == form.get("sort")), Sort.LETTER)
    put = partial(house.stationery.put, asking, sort, form.get("name", ""), form.get("text", ""), id_)
    try:
        await asyncio.to_thread(put)
    except (NotFoundError, RequestError) as error:
        typed = {"id": id_, "sort": sort.value, "name": form.get("name", ""), "text": form.get("text", "")}
        return await _shown(request, error.status, error=error.said(asking.language), typed=typed)
    return go_to(HERE)


async def _shown(
    request: Request, status: int = 200, *, error: str = "", typed: dict[str, str] | None = None
) -> Response:
    house = house_of(request)
    asking = cookie_of(request, house)
    listed = await asyncio.to_thread(house.stationery.of, asking)
    return page(
        request,
        "clinician/templates.html",
        status,
        texts=listed,
        sorts=[(one.value, say(f"consultation.template-{one.value}", asking.language)) for one in Sort],
        blanks=", ".join(f"{{{say(f'consultation.blank-{one}', asking.language)}}}" for one in BLANKS),
        most={"name": MOST_NAME, "text": MOST_TEXT},
        error=error,
        typed=typed or {"id": "", "sort": Sort.LETTER.value, "name": "", "text": ""},
        **who_of(request, house, asking),
    )
