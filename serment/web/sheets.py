"""Content for a print: each page drawn by a process that holds nothing, or its plain text. Nothing active."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from serment.paper.pixels import picture
from serment.paper.press import MOST_TEXT, Picture, Text
from serment.web import sandbox
from serment.web.shell import HEADERS
from serment.words import Language, say

MOST_PAGES: Final = 60


class Drawing:
    """Draws the content of documents page by page (`exits/printing.Draw`)."""

    def __init__(self, language: Language) -> None:
        self._language = language

    async def __call__(self, media_type: str, content: bytes) -> Sequence[Picture | Text]:
        """Give the pages of a content. What cannot be drawn is said, with what to do."""
        kind = media_type.partition(";")[0].strip().lower()
        if kind == "application/pdf":
            return await self._pages(content)
        if kind == "text/plain":
            text = content.decode("utf-8", "replace")
            return [Text(text[at : at + MOST_TEXT]) for at in range(0, len(text), MOST_TEXT)]
        return [self._said()]

    async def _pages(self, content: bytes) -> list[Picture | Text]:
        pages: list[Picture | Text] = []
        number, last = 1, 1
        while number <= min(last, MOST_PAGES):
            sheet = await asyncio.to_thread(sandbox.sheet, content, number)
            page = None if sheet.fault else picture(sheet.picture)
            if page is None:
                return [self._said()]
            pages.append(page)
            number, last = number + 1, sheet.pages
        return [self._said()] if last > MOST_PAGES else pages

    def _said(self) -> Text:
        return Text(say("paper.not-printable", self._language))


def pdf(content: bytes, name: str) -> Response:
    """Answer with a PDF to be kept or printed. `name` is ours: nothing of a person stands in it."""
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}.pdf"'}
    return Response(content, 200, headers, media_type="application/pdf")
