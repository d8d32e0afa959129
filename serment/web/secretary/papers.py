"""Papers of a person: what is there, a scan that is filed, one that was filed in the wrong record.

What a document says is neither shown nor opened here. A print goes through the traced route of the record
(`print`), and the page says what that trace holds.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import InvalidResourceError, NotFoundError, RefusedError, RequestError, TooLargeError
from serment.fhir.errand import MEDIA_TYPES
from serment.fhir.paper_scan import KINDS, Scan
from serment.record.pages.papers import Paper
from serment.web.clinician.why import closed
from serment.web.forms import Form, page_form, upload_of
from serment.web.secretary.desk import RECEPTION, Desk, at_desk, day_typed, shown, today_of
from serment.web.shell import go_to
from serment.web.written import day_of
from serment.words import Language, say

PRINT = "/record/{id}/print"
MOST = 10 * 1024 * 1024 + 64 * 1024
"""Bytes of a form with one scan."""

FAULTS = (InvalidResourceError, RefusedError, RequestError, TooLargeError)


async def papers(request: Request) -> Response:
    """List the papers of a person, by kind and day; no title, no body."""
    desk = await at_desk(request)
    return desk if isinstance(desk, Response) else await _listed(desk)


async def take_back(request: Request) -> Response:
    """Take back a paper that whoever asks filed in the wrong record; then look for the right one."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened = desk.opened
    await page_form(request, opened.house)
    try:
        await opened.house.papers.take_back(opened.asking, desk.patient, str(request.path_params["paper"]))
    except (NotFoundError, *FAULTS) as error:
        return await _listed(desk, error.status, error.said(opened.language))
    return await _listed(desk, said=say("secretary.taken-back", opened.language))


async def _listed(desk: Desk, status: int = 200, error: str = "", said: str = "") -> Response:
    opened = desk.opened
    try:
        found = await opened.house.papers.listed(opened.asking, desk.patient)
    except NotFoundError:
        return closed(opened)
    lines = [_paper(one, desk) for one in found]
    return shown(
        desk,
        "secretary/papers.html",
        "papers",
        status,
        papers=lines,
        prints=[one for one in lines if one["prints"]],
        error=error,
        said=said,
        printing=PRINT.format(id=desk.patient),
    )


def _paper(one: Paper, desk: Desk) -> dict[str, Any]:
    opened = desk.opened
    day = day_of(today_of(one.at).isoformat(), opened.language)
    return {
        "id": one.id,
        "kind": _kind(one.kind, desk),
        "day": day,
        "prints": one.prints,
        "mine": one.mine,
        "back": f"{RECEPTION}/person/{desk.patient}/papers/{one.id}/take-back",
    }


def _kind(code: str, desk: Desk) -> str:
    """Name a kind of document as JDV_J07 does: its labels are French."""
    known = desk.opened.house.passage.policy.types.get(code)
    return known.label if known is not None else say("secretary.kind-other", desk.opened.language)


# Scanning in.


async def scanning(request: Request) -> Response:
    """Show the form that files a scan."""
    desk = await at_desk(request)
    return desk if isinstance(desk, Response) else _scan(desk, Form({}))


async def scan(request: Request) -> Response:
    """File a scan: a PDF or a picture, its kind, who wrote it, of when."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened = desk.opened
    try:
        form, files = await upload_of(request, opened.house, most=MOST)
    except TooLargeError as error:
        return _scan(desk, Form({}), {"file": say("secretary.file-large", opened.language)}, error.status)
    errors = _missing(form, len(files), opened.language)
    if files and files[0].media_type not in MEDIA_TYPES:
        errors["file"] = say("secretary.file-kind", opened.language)
    if errors:
        return _scan(desk, form, errors, 400)
    kind = form["kind"]
    today = today_of(opened.asking.now)
    made = Scan(
        kind,
        _kind(kind, desk),
        form["author"].strip()[:120],
        day_typed(form.get("day", ""), today).isoformat(),
        files[0].media_type,
        files[0].content,
    )
    try:
        await opened.house.papers.file(opened.asking, desk.patient, made, opened.house.base)
    except FAULTS as error:
        return _scan(desk, form, {"": error.said(opened.language)}, error.status)
    return go_to(f"{RECEPTION}/person/{desk.patient}/papers")


def _missing(form: Form, files: int, language: Language) -> dict[str, str]:
    errors = {}
    if form.get("kind", "") not in KINDS:
        errors["kind"] = say("secretary.kind-missing", language)
    if not form.get("author", "").strip():
        errors["author"] = say("secretary.author-missing", language)
    if files != 1:
        errors["file"] = say("secretary.file-missing", language)
    return errors


def _scan(desk: Desk, form: Form, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    today = today_of(desk.opened.asking.now).isoformat()
    return shown(
        desk,
        "secretary/scan.html",
        "scan",
        status,
        typed=form or {"day": today},
        today=today,
        errors=errors or {},
        kinds=[(code, _kind(code, desk)) for code in KINDS],
        accepts=",".join(MEDIA_TYPES),
    )
