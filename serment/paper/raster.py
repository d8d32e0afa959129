"""A page of a PDF as a picture, and the words on it. Bytes in, bytes out; runs in a process of its own.

A PDF is a program for a reader that many have broken: nobody draws one in a process that holds keys
(`raster_child` is where this runs, `confinement` what holds it there). Form fields are drawn, for a form that
is shown empty lies; nothing of a PDF is executed (the library is built without a script engine).

Order: what is asked and given, drawing, the picture as PNG (RFC 2083), what goes between the processes.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict, dataclass, field
from typing import Final

import pypdfium2 as pdfium

MOST_BYTES: Final = 32 * 1024 * 1024
"""A file larger than that is not drawn: it can be downloaded."""

MOST_PAGES: Final = 500
WIDTH: Final = 1240
"""Pixels across: an A4 page at 150 dots to the inch."""

MOST_PIXELS: Final = 6_000_000
MOST_WORDS: Final = 40_000
"""Characters of the text of a page that are given."""

MOST_ANSWER: Final = 24 * 1024 * 1024

LOCKED: Final = "locked"
BROKEN: Final = "broken"
NO_PAGE: Final = "no-page"
_PASSWORD: Final = 4
"""FPDF_ERR_PASSWORD of fpdfview.h."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page as it was drawn. `fault` is "" or why there is none; `picture` is PNG, empty when not asked.

    `pages` counts those of the file; `words` are the text on this one, empty for a scan.
    """

    fault: str = ""
    pages: int = 0
    words: str = field(default="", repr=False)
    picture: bytes = field(default=b"", repr=False)


def sheet(content: bytes, number: int, *, drawn: bool = True) -> Sheet:
    """Draw page `number` (the first is 1) of a PDF, or give its words only. No PDF raises anything."""
    try:
        with pdfium.PdfDocument(content) as document:
            return _sheet(document, number, drawn=drawn)
    except pdfium.PdfiumError as error:
        return Sheet(LOCKED if error.err_code == _PASSWORD else BROKEN)


def _sheet(document: pdfium.PdfDocument, number: int, *, drawn: bool) -> Sheet:
    pages = len(document)
    if not 1 <= number <= min(pages, MOST_PAGES):
        return Sheet(NO_PAGE, pages)
    document.init_forms()
    page = document[number - 1]
    words = page.get_textpage().get_text_bounded()[:MOST_WORDS]
    return Sheet("", pages, words.replace("\r\n", "\n").replace("\x00", ""), _drawn(page) if drawn else b"")


def _drawn(page: pdfium.PdfPage) -> bytes:
    width, height = (max(1.0, side) for side in page.get_size())
    scale = min(WIDTH / width, (MOST_PIXELS / (width * height)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=True)
    return png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride)


def png(pixels: bytes, width: int, height: int, stride: int) -> bytes:
    """Write rows of 8-bit red, green, blue as PNG. `stride`: bytes from one row to the next."""
    rows = (pixels[at : at + width * 3] for at in range(0, stride * height, stride))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"".join(b"\x00" + row for row in rows), 6)
    parts = (b"IHDR", head), (b"IDAT", content), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Between the processes: a line of JSON, then bytes.


def asked(content: bytes, number: int, *, drawn: bool) -> bytes:
    """Write what the child is asked."""
    return json.dumps({"number": number, "drawn": drawn}).encode() + b"\n" + content


def answered(request: bytes) -> bytes:
    """Do what is asked, and write the answer."""
    line, _, content = request.partition(b"\n")
    wish = json.loads(line)
    found = sheet(content, int(wish["number"]), drawn=bool(wish["drawn"]))
    said = asdict(found)
    picture = said.pop("picture")
    return json.dumps(said).encode() + b"\n" + bytes(picture)


def given(answer: bytes) -> Sheet:
    """Read the answer of a child that is not trusted: what is no answer is a broken file."""
    line, newline, picture = answer.partition(b"\n")
    try:
        said = json.loads(line)
        found = Sheet(said["fault"], said["pages"], said["words"], picture)
    except (ValueError, KeyError, TypeError):
        return Sheet(BROKEN)
    kinds = isinstance(found.pages, int) and isinstance(found.words, str)
    if not (newline and kinds and found.fault in {"", LOCKED, BROKEN, NO_PAGE}):
        return Sheet(BROKEN)
    return found if not picture or picture.startswith(b"\x89PNG\r\n\x1a\n") else Sheet(BROKEN)
