"""A letter or a certificate on the letterhead of who wrote it, from the document in the record."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from serment.errors import RefusedError
from serment.exits.letterhead import number_of, subject, writer
from serment.exits.printing import contents, local
from serment.fhir.summary import summary
from serment.paper.letter import Written, letter
from serment.paper.press import MOST_TEXT, press
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.outward.leaving import PRINTED


async def printed(house: House, asking: Asking, patient: str, document: str) -> bytes:
    """Draw a document of plain text as its author's letter: a print, traced as one.

    Raises `NotFoundError`, and `RefusedError` for who did not write it: nobody writes under another's name.
    """
    served = await house.leaving.items(asking, patient, [f"DocumentReference/{document}"], PRINTED)
    resource: dict[str, Any] = msgspec.json.decode(served[1].body)
    number = number_of(asking.actor)
    if not number or number not in _authors(resource):
        raise RefusedError("paper.not-your-letter")
    texts = [
        content.decode("utf-8", "replace")
        async for media_type, content in contents(house, asking, resource, PRINTED)
        if media_type.startswith("text/plain")
    ]
    written = Written(summary(resource, asking.language).title, "\n\n".join(texts)[:MOST_TEXT])
    by, person = await writer(house, asking), subject(served[0].body)
    sheet = letter(by, person, written, local(asking.now).date(), asking.now, asking.language)
    return await asyncio.to_thread(press, sheet)


def _authors(resource: dict[str, Any]) -> set[str]:
    """Give the numbers of who wrote a document."""
    return {str(one.get("identifier", {}).get("value", "")) for one in resource.get("author", [])}
