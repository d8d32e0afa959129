"""What the holder takes with them: the whole record as files or on paper. Each is an exit, traced as one.

The files are those of FHIR Bulk Data, one for each type, in one archive that is made while it is fetched: no
copy at rest, and memory does not grow with the record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from serment.fhir.summary import person_name
from serment.ledger.entry import Interaction
from serment.paper.own_record import Group, own_record
from serment.paper.people import Subject
from serment.paper.press import press
from serment.record.outward.exporting import Ticket
from serment.record.pages.charting import Chart
from serment.web.forms import page_form
from serment.web.groups import category_name
from serment.web.patient.mine import Mine, mine
from serment.web.patient.record import KINDS, kinds, told
from serment.web.shell import HEADERS

MOST_OF_A_KIND: Final = 400
"""Items of one kind on paper; how many more there are is written."""


async def download(request: Request) -> Response:
    """Show what may be taken, and how."""
    return mine(request).page("download.html")


async def as_files(request: Request) -> Response:
    """Give everything as FHIR: an archive with one file for each type of resource."""
    mine_ = mine(request)
    await page_form(request, mine_.house)
    exporting = mine_.house.exporting
    token = await exporting.begin(mine_.asking, mine_.patient, (), 0)
    ticket = exporting.opened(mine_.asking, mine_.patient, token)
    types = (await exporting.census(mine_.asking, ticket)).counts
    disposition = f'attachment; filename="{mine_.say("patient.file-record")}.zip"'
    return StreamingResponse(
        _archive(mine_, ticket, list(types)),
        200,
        {**HEADERS, "content-disposition": disposition},
        media_type="application/zip",
    )


async def as_paper(request: Request) -> Response:
    """Give the record as a PDF in plain words."""
    mine_ = mine(request)
    await page_form(request, mine_.house)
    chart = await mine_.house.charting.page(
        mine_.asking, mine_.patient, kinds(KINDS, MOST_OF_A_KIND), Interaction.EXPORT
    )
    groups = [_group(mine_, chart, name) for name in KINDS]
    sheet = own_record(_subject(chart), groups, mine_.today, mine_.asking.now, mine_.language)
    content = await run_in_threadpool(press, sheet)
    disposition = f'attachment; filename="{mine_.say("patient.file-record")}.pdf"'
    headers = {**HEADERS, "content-disposition": disposition}
    return Response(content, 200, headers, media_type="application/pdf")


async def subject_of(mine_: Mine) -> Subject:
    """Say of whom a sheet speaks: the holder. One reading, traced."""
    return _subject(await mine_.house.charting.page(mine_.asking, mine_.patient))


def _subject(chart: Chart) -> Subject:
    person: dict[str, Any] = {} if chart.person is None else msgspec.json.decode(chart.person.body)
    return Subject(
        person_name(person), born=str(person.get("birthDate", "")), sex=str(person.get("gender", ""))
    )


def _group(mine_: Mine, chart: Chart, name: str) -> Group:
    items = [told(one, mine_.language) for one in chart.groups[name]]
    rows = tuple((one["title"], f"{one['value']} {one['usual']}".strip(), one["date"]) for one in items)
    return Group(category_name(name, mine_.language), rows, chart.totals[name])


class _Pipe:
    """Where an archive writes: what was written is taken out, piece by piece. It is never read back."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, piece: bytes) -> int:
        self._written += piece
        return len(piece)

    def flush(self) -> None:
        """Do nothing: what is written is taken when somebody fetches."""

    def take(self) -> bytes:
        piece, self._written = bytes(self._written), bytearray()
        return piece


async def _archive(mine_: Mine, ticket: Ticket, types: list[str]) -> AsyncIterator[bytes]:
    """Write the archive of every type. Each page of it is decided and traced before it leaves."""
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # it asks for more than it uses
        for type_ in types:
            one = msgspec.structs.replace(ticket, file=type_)
            lines = await mine_.house.exporting.file(mine_.asking, one)
            with archive.open(f"{type_}.ndjson", "w", force_zip64=True) as file:
                async for line in lines:
                    file.write(line)
                    yield pipe.take()
    yield pipe.take()
