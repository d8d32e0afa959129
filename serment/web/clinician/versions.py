"""One item of a record: what it says in words, where it comes from, its versions and what changed.

What is shown was held against its seal and against the record's head while it was opened (`record/gate`): an
altered item is never displayed, the page says so in its place. An earlier version is brought back as a new
one: nothing is overwritten.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import MalformedError, NotFoundError, SermentError
from serment.fhir import measures
from serment.fhir.search import resource_types
from serment.fhir.summary import summary
from serment.record import incoming
from serment.record.pages.charting import Chart
from serment.record.pages.overview import BESIDE
from serment.record.reading import History, Served
from serment.web.clinician.fields import Field, changes, fields
from serment.web.clinician.frame import CARE, Opening, framed, opening
from serment.web.clinician.rows import attachments
from serment.web.clinician.why import closed
from serment.web.forms import page_form
from serment.web.groups import DOCUMENTS, ORDER, category_name
from serment.web.shell import go_to, page
from serment.web.written import instant
from serment.words import Language, say

ON_PAGE: Final = 20
"""Versions on one page."""


async def item(request: Request) -> Response:
    """Show an item and its versions."""
    return await _shown(await opening(request), request.query_params.get("page", ""))


async def restore(request: Request) -> Response:
    """Bring an earlier version back, as a new one; who changed the item meanwhile is not overwritten."""
    opened = await opening(request)
    form = await page_form(request, opened.house)
    wanted, current = form.get("version", ""), form.get("current", "")
    if not (wanted.isdecimal() and current.isdecimal() and len(wanted) < 10 and len(current) < 10):
        raise MalformedError("web.form-stale")
    type_, id_ = _named(opened)
    try:
        was = await opened.house.reading.vread(opened.asking, type_, id_, int(wanted))
        sent = incoming.read(was.body, type_, opened.house.base)
        await opened.house.writing.update(opened.asking, sent, id_, int(current))
    except SermentError as error:
        if error.status >= 500 or isinstance(error, NotFoundError):
            raise
        return await _shown(opened, "", error)
    return go_to(f"/record/{opened.patient}/item/{type_}/{id_}")


def _named(opened: Opening) -> tuple[str, str]:
    """Name the item of the address, as far as it stands in this record. Raises `NotFoundError`."""
    type_, id_ = (str(opened.request.path_params[name]) for name in ("type", "item"))
    if type_ not in resource_types() or type_ in BESIDE:
        raise NotFoundError("record.not-found")
    return type_, opened.house.leafing.in_record(opened.patient, type_, id_)


async def _shown(opened: Opening, token: str, error: SermentError | None = None) -> Response:
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient)
    except NotFoundError:
        return closed(opened)
    history = await opened.house.reading.history(opened.asking, *_named(opened), count=ON_PAGE, page=token)
    await opened.house.worklists.read(opened.asking, f"{history.served[0].type}/{history.served[0].id}")
    return page(
        opened.request,
        "clinician/item.html",
        200 if error is None else error.status,
        error="" if error is None else error.said(opened.language),
        **_values(opened, history),
        **framed(opened, _person(chart)),
    )


def _person(chart: Chart) -> bytes | None:
    return None if chart.person is None else chart.person.body


def _values(opened: Opening, history: History) -> dict[str, Any]:
    language, newest = opened.language, history.served[0]
    resource = _read(newest)
    category = newest.unit.category.value
    here = f"/record/{opened.patient}/item/{newest.type}/{newest.id}"
    said = [_fields(one, language) for one in history.served]
    return {
        "here": here,
        "title": summary(resource, language).title if resource else say("chart.erased", language),
        "kind": category_name(category if category in ORDER else DOCUMENTS, language),
        "fields": said[0],
        "people": opened.house.leafing.people(resource),
        "source": _source(opened, newest),
        "masked": newest.unit.masked,
        "document": f"/record/{opened.patient}/document/{newest.type}/{newest.id}"
        if attachments(resource)
        else "",
        "current": newest.version,
        "restores": opened.asking.actor.kind in CARE,
        "first": history.first,
        "versions": [
            _version(opened, one, said[place], said[place + 1] if place + 1 < len(said) else None)
            for place, one in enumerate(history.served)
        ],
        "older": f"{here}?page={history.next}" if history.next else "",
    }


def _version(opened: Opening, one: Served, now: list[Field], before: list[Field] | None) -> dict[str, Any]:
    return {
        "number": one.version,
        "at": instant(one.updated, opened.language),
        "erased": one.deleted,
        "fields": now,
        "changes": None if before is None else changes(before, now),
    }


def _read(served: Served) -> dict[str, Any]:
    return {} if served.deleted or not served.body else measures.decoded(served.body)


def _fields(served: Served, language: Language) -> list[Field]:
    return fields(_read(served), language)


def _source(opened: Opening, served: Served) -> str:
    """Say who brought an item: whoever was signed in, never what the item claims."""
    author, language = served.unit.author, opened.language
    if not author:
        return say("chart.source-import", language)
    if author == opened.asking.actor.id:
        return say("chart.source-you", language)
    kind, _, number = author.partition(":")
    if kind == "rpps":
        return say("chart.source-rpps", language, number=number)
    if kind in {"patient", "proxy"}:
        return say(f"chart.source-{kind}", language)
    return say("chart.source-staff", language)
