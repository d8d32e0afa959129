"""The document viewer: pages as pictures, text as text, CDA by elements of ours, the rest as a download.

Nothing that was uploaded is ever part of a page or opened as one (ADR 58): a picture is served as a picture
in a sandbox, a download as bytes to keep. Each fetch is a reading of its own, decided and traced, in the act
of the page that it belongs to. What a document points to is looked for in the same record only.

Order: the list, the viewer, what it fetches, the content behind an attachment.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import GoneError, NotFoundError, TooManyError
from serment.fhir import binary, measures
from serment.fhir.search import resource_types
from serment.fhir.summary import summary
from serment.paper import cda, raster
from serment.paper.raster import Sheet
from serment.record.pages.leafing import ITEMS, Wish
from serment.record.pages.overview import BESIDE
from serment.web import sandbox
from serment.web.clinician.frame import Opening, framed, opening
from serment.web.clinician.rows import attachments, row
from serment.web.clinician.why import closed
from serment.web.shell import HEADERS, page
from serment.web.written import day_of

SECTION: Final = "documents"
ON_PAGE: Final = 40
TYPES: Final = frozenset({"DocumentReference", "DiagnosticReport", "Media", "Composition"})

PICTURES: Final = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
"""What a browser shows as a picture, by the first bytes of it; whatever else claims to be one is not."""

MOST_TEXT: Final = 200_000
"""Characters of a text that are shown."""

NOTHING: Final[dict[str, Any]] = {"how": "", "fault": "", "pages": 0, "words": "", "cut": False, "cda": None}
"""What a template is told of content that is not shown."""

APART: Final = {
    **HEADERS,
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}
"""Of what was uploaded: even opened by itself it runs nothing, shows nothing else and asks for nothing."""

_NAMES: Final = {"jpeg": "jpg", "text": "txt"} | {kind: kind for kind in ("pdf", "png", "gif", "webp", "xml")}


@dataclass(frozen=True, slots=True)
class Content:
    """What stands behind an attachment: its declared type, what its bytes look like, the bytes.

    `whole` is false when it is larger than the viewer takes: it is downloaded.
    """

    media_type: str
    kind: str
    raw: bytes = field(repr=False)
    whole: bool = True


# The list.


async def documents(request: Request) -> Response:
    """List the documents of a record, newest first."""
    opened = await opening(request)
    number = request.query_params.get("page", "1")
    place = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
    wish = Wish(TYPES, start=(place - 1) * ON_PAGE, most=ON_PAGE)
    try:
        chart = await opened.house.leafing.leaves(opened.asking, opened.patient, wish)
    except NotFoundError:
        return closed(opened)
    here = f"/record/{opened.patient}/documents"
    return page(
        request,
        "clinician/documents.html",
        items=[row(opened, line) for line in chart.groups[ITEMS]],
        total=chart.totals[ITEMS],
        newer=f"{here}?page={place - 1}" if place > 1 else "",
        older=f"{here}?page={place + 1}" if place * ON_PAGE < chart.totals[ITEMS] else "",
        **framed(opened, None if chart.person is None else chart.person.body, SECTION),
    )


# The viewer.


async def document(request: Request) -> Response:
    """Show a document: one page of it, its words, where it can be downloaded."""
    opened = await opening(request)
    try:
        chart = await opened.house.charting.page(opened.asking, opened.patient)
    except NotFoundError:
        return closed(opened)
    place = _place(request, "page")
    resource, forms = await _document(opened)
    shown = await _viewed(opened, forms, _place(request, "piece"), place)
    said, here = summary(resource, opened.language), f"/record/{opened.patient}/document/{_name(opened)}"
    token = opened.house.leafing.act_of(opened.asking, _name(opened))
    return page(
        request,
        "clinician/document.html",
        title=said.title,
        people=opened.house.leafing.people(resource),
        date=day_of(said.date, opened.language),
        here=here,
        item=f"/record/{opened.patient}/item/{_name(opened)}",
        act=token,
        number=place,
        piece=_place(request, "piece"),
        pieces=[str(one.get("title") or place) for place, one in enumerate(forms, 1)],
        **shown,
        **framed(opened, None if chart.person is None else chart.person.body, SECTION),
    )


def _place(request: Request, name: str) -> int:
    """Read a place from an address: 1 for the first and for whatever is none."""
    text = request.query_params.get(name, "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1


def _name(opened: Opening) -> str:
    return "/".join(str(opened.request.path_params[name]) for name in ("type", "item"))


async def _viewed(opened: Opening, forms: list[dict[str, Any]], part: int, place: int) -> dict[str, Any]:
    """Fetch one attachment and say how the viewer shows it, or why it does not."""
    try:
        content = await _content(opened, forms, part)
    except (NotFoundError, GoneError):
        return {**NOTHING, "fault": "absent"}
    if not content.whole:
        return {**NOTHING, "fault": "large"}
    return {**NOTHING, **await _kind_said(content, place)}


async def _kind_said(content: Content, place: int) -> dict[str, Any]:
    """Say how content is shown: `how` is picture, sheet, text or cda; what is none of them is downloaded."""
    if content.kind in PICTURES:
        return {"how": "picture"}
    if content.kind == "pdf":
        return await _sheet_said(content.raw, place)
    if content.kind == "xml" and (read := _cda(content.raw)) is not None:
        return {"how": "cda", "cda": read}
    if content.kind in {"text", "xml"}:
        text = _decoded(content.raw)
        return {"how": "text", "words": text[:MOST_TEXT], "cut": len(text) > MOST_TEXT}
    return {"fault": "kind"}


async def _sheet_said(raw: bytes, place: int) -> dict[str, Any]:
    try:
        sheet = await run_in_threadpool(sandbox.sheet, raw, place, drawn=False)
    except TooManyError:
        return {"fault": "busy"}
    if sheet.fault:
        return {"fault": sheet.fault, "pages": sheet.pages}
    return {"how": "sheet", "pages": sheet.pages, "words": sheet.words}


def _cda(raw: bytes) -> cda.Document | None:
    try:
        return cda.read(raw)
    except cda.NotCdaError:
        return None


def _decoded(raw: bytes) -> str:
    """Read a text in the encoding that it seems to have."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


# What the viewer fetches.


async def picture(request: Request) -> Response:
    """Give one page of a document as a picture, in the act of the page that shows it."""
    opened = await _in_act(request)
    _, forms = await _document(opened)
    content = await _content(opened, forms, _place(request, "piece"))
    if content.kind in PICTURES and content.whole:
        return Response(content.raw, 200, APART, PICTURES[content.kind])
    found = Sheet(raster.BROKEN)
    if content.kind == "pdf" and content.whole:
        found = await run_in_threadpool(sandbox.sheet, content.raw, _place(request, "page"))
    if not found.picture:
        raise NotFoundError("record.not-found")
    return Response(found.picture, 200, APART, "image/png")


async def download(request: Request) -> Response:
    """Give a document as it was received, to keep: never opened here, under a name that says nothing."""
    opened = await _in_act(request)
    _, forms = await _document(opened)
    content = await _content(opened, forms, _place(request, "piece"), most=None)
    name = f"document.{_NAMES.get(content.kind, 'bin')}"
    headers = {**APART, "content-disposition": f'attachment; filename="{name}"'}
    return Response(content.raw, 200, headers, binary.OCTETS)


async def _in_act(request: Request) -> Opening:
    """Say who fetches, in the act of the page that was looked at a moment ago."""
    opened = await opening(request)
    token = request.query_params.get("act", "")
    asking = opened.house.leafing.same_act(opened.asking, _name(opened), token)
    return replace(opened, asking=asking)


# The content behind an attachment.


async def _document(opened: Opening) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read the item of the address, as far as it stands in this record, and its attachments."""
    type_, id_ = (str(opened.request.path_params[name]) for name in ("type", "item"))
    if type_ not in resource_types() or type_ in BESIDE:
        raise NotFoundError("record.not-found")
    within = opened.house.leafing.in_record(opened.patient, type_, id_)
    served = await opened.house.reading.read(opened.asking, type_, within)
    resource = measures.decoded(served.body)
    return resource, attachments(resource)


async def _content(
    opened: Opening, forms: list[dict[str, Any]], part: int, most: int | None = raster.MOST_BYTES
) -> Content:
    """Give what stands behind attachment `part` (the first is 1), at most `most` bytes of it.

    Raises `NotFoundError` for one that is not there or not theirs to see, `GoneError`.
    """
    if part > len(forms):
        raise NotFoundError("record.not-found")
    form = forms[part - 1]
    media = str(form.get("contentType", ""))
    if form.get("data"):
        content = Content(media, "", _inline(str(form["data"])))
    else:
        content = await _fetched(opened, str(form["url"]), most)
    raw = content.raw
    kind = binary.kind_of(raw[: binary.LOOKED_AT])
    if kind == "xml" and (read := _cda(raw)) is not None and read.content:
        raw, media = read.content, read.media_type  # a file inside a CDA envelope
        kind = binary.kind_of(raw[: binary.LOOKED_AT])
    return Content(media or content.media_type, kind, raw, content.whole)


def _inline(data: str) -> bytes:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


async def _fetched(opened: Opening, url: str, most: int | None) -> Content:
    id_ = opened.house.leafing.in_record(opened.patient, "Binary", url.rpartition("/")[2])
    found = await opened.house.serving.open(opened.asking, id_)
    if most is not None and found.size > most:
        return Content(found.content_type, "", found.first, whole=False)
    pieces = [piece async for piece in found.content()]
    return Content(found.content_type, "", b"".join(pieces))
