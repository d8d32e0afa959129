"""Printing: chosen items of one record as a PDF, under a trace that the patient reads.

Each page says who printed, when and under which act; the last one carries the signed state of the ledger, so
that paper outside the house proves later that its line was not erased. Content is drawn by `Draw` (a process
that holds no key) and never goes out as it came in. A secretary prints what they do not read: only the act
`print` is asked, here as in `record/outward/leaving`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from babel.dates import format_date, format_datetime

from serment.errors import TooLargeError
from serment.exits.letterhead import subject
from serment.fhir.binary_json import any_bytes
from serment.fhir.summary import summary
from serment.model import Instant
from serment.paper.people import day_in_words, identified
from serment.paper.press import Code, Heading, Part, Picture, Sheet, Text, press
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.outward.leaving import PRINTED, Leave
from serment.record.reading import Served
from serment.record.streaming import Opened
from serment.words import say

MOST_CONTENT: Final = 32 * 1024 * 1024
MOST_PAGES: Final = 60

Draw = Callable[[str, bytes], Awaitable[Sequence[Picture | Text]]]
"""From a media type and content to pages that hold nothing active."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A print: the bytes of the PDF, and the number of the act under which it was made."""

    pdf: bytes = field(repr=False)
    act: str


async def items(
    house: House, asking: Asking, patient: str, wanted: Sequence[str], draw: Draw, leave: Leave = PRINTED
) -> Printed:
    """Print chosen items (`Type/id`) of one record.

    Raises `NotFoundError` when one of them may not be printed or is not there, `TooLargeError`.
    """
    served = await house.leaving.items(asking, patient, wanted, leave)
    return await laid_out(house, asking, served, draw, leave)


async def laid_out(
    house: House, asking: Asking, served: Sequence[Served], draw: Draw, leave: Leave = PRINTED
) -> Printed:
    """Lay out what was opened, the person first, and draw it with the marks and the proof of a print."""
    person = subject(served[0].body)
    day = local(asking.now).date()
    parts: list[Part] = [Heading(person.name), *list(identified(person, day, asking.language))[1:]]
    for one in served[1:]:
        parts += await _parts(house, asking, one, draw, leave)
    sheet = Sheet(say("paper.print-title", asking.language), tuple(parts), asking.now, asking.language)
    return Printed(await marked(house, asking, sheet, leave), asking.request)


async def marked(house: House, asking: Asking, sheet: Sheet, leave: Leave = PRINTED) -> bytes:
    """Draw a sheet with who made it leave, when, under which act, and the state of the ledger.

    Its caller has decided and traced: nothing of a record is read here.
    """
    at, language = local(asking.now), asking.language
    name, locale = asking.actor.name, language.value
    when, day = format_datetime(at, "short", locale=locale), format_date(at, "short", locale=locale)
    footer = "paper.footer-link" if leave.recipient else "paper.footer-print"
    await asyncio.to_thread(house.proving.checkpoint_if_due)
    _, _, note = await asyncio.to_thread(house.sealing.ledger)
    proof = (Code(note.decode(), say("paper.code-checkpoint", language)),) if note else ()
    made = replace(
        sheet,
        parts=(*sheet.parts, *proof),
        footer=say(footer, language, name=name, when=when, act=asking.request),
        watermark=say("paper.watermark", language, name=name, date=day),
    )
    return await asyncio.to_thread(press, made)


def local(at: Instant) -> datetime:
    """Give an instant in the time of the place where the house stands."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone()


async def _parts(house: House, asking: Asking, one: Served, draw: Draw, leave: Leave) -> list[Part]:
    resource = msgspec.json.decode(one.body)
    said = summary(resource, asking.language)
    lines = (day_in_words(said.date, asking.language), said.value, *_texts(resource))
    parts: list[Part] = [Heading(said.title, 2), *(Text(line) for line in lines if line)]
    async for media_type, content in contents(house, asking, resource, leave):
        pages = await draw(media_type, content)
        if len(pages) > MOST_PAGES:
            raise TooLargeError("paper.too-many", limit=MOST_PAGES)
        parts += pages
    return parts


def _texts(resource: dict[str, Any]) -> Iterable[str]:
    """Give what a resource says in words beside its line: notes, the dose of a medicine, a conclusion."""
    for note in [*resource.get("note", []), *resource.get("dosageInstruction", [])]:
        yield str(note.get("text", ""))
    yield str(resource.get("conclusion", ""))


async def contents(
    house: House, asking: Asking, resource: dict[str, Any], leave: Leave
) -> AsyncIterator[tuple[str, bytes]]:
    """Give media type and bytes of each attachment of a document, opened under the act of the leave."""
    if resource.get("resourceType") != "DocumentReference":
        return
    for content in resource.get("content", []):
        attachment = content.get("attachment", {})
        if "data" in attachment:
            yield str(attachment.get("contentType", "")), any_bytes(str(attachment["data"]))
        elif id_ := binary_of(attachment):
            id_ = house.leafing.in_record(owner_of(resource), "Binary", id_)
            opened = await house.serving.open(asking, id_, act=leave.act)
            yield opened.content_type, await whole(opened)


def owner_of(document: dict[str, Any]) -> str:
    """Give the id of the patient whose document it is: what it points to elsewhere is not part of it."""
    return str(document.get("subject", {}).get("reference", "")).rpartition("/")[2]


def binary_of(attachment: dict[str, Any]) -> str:
    """Give the id of the Binary that an attachment points to, "" when it points elsewhere."""
    kind, _, rest = str(attachment.get("url", "")).partition("/")
    return rest.partition("/")[0] if kind == "Binary" else ""


async def whole(opened: Opened) -> bytes:
    """Take the whole of a content. Raises `TooLargeError` above `MOST_CONTENT` bytes."""
    if opened.size > MOST_CONTENT:
        raise TooLargeError("binary.too-large", limit=MOST_CONTENT)
    return b"".join([piece async for piece in opened.content()])
