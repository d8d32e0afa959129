"""What a sheet of paper is made of, and the press that turns it into PDF bytes.

In this order: the parts of a sheet, the sheet, what becomes of a text, the press. Texts are plain: nothing in
them is markup, a link or an instruction. What a font cannot draw, what has no shape (controls) and what turns
the direction of reading (Unicode 16, section 23.2) is drawn as U+FFFD, so that paper shows that something
stood there. Equal sheets give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from serment.errors import TooLargeError
from serment.model import Instant
from serment.words import Language

MOST_TEXT = 20_000
"""Characters of one part of a sheet."""

MOST_PARTS = 6_000
"""Parts, and rows of tables, of one sheet."""

MOST_CODE = 1_200
"""Characters of one QR: above, a camera no longer reads it from paper (ISO/IEC 18004, level M)."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_SHAPELESS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; it also stands in the outline of the PDF."""

    text: str = field(repr=False)
    level: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; its line breaks are kept. `small` is for notices, `right` sets it at the right margin."""

    text: str = field(repr=False)
    bold: bool = False
    small: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two blocks side by side, as a letterhead has them."""

    left: tuple[Text, ...] = field(repr=False)
    right: tuple[Text, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading row; `widths` are shares of the width."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """A box with a title, such as a zone of a prescription; it may go on over several pages."""

    title: str
    parts: tuple[Text | Heading, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Code:
    """A QR and what it is for, in words beside it."""

    text: str = field(repr=False)
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page that was drawn before: rows of 8-bit red, green, blue. It fills a page of its own."""

    pixels: bytes = field(repr=False)
    width: int
    height: int


Part = Heading | Text | Pair | Table | Frame | Code | Picture


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document to be printed. `footer` stands below each page, `watermark` behind its text."""

    title: str = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    made: Instant
    language: Language = Language.FR
    author: str = field(default="", repr=False)
    footer: str = field(default="", repr=False)
    watermark: str = field(default="", repr=False)


def inert(text: str, drawn: frozenset[int] | None = None) -> str:
    """Give the text as it can stand on paper: no control, nothing that turns the direction of reading.

    `drawn` are the code points that a font draws; what it does not draw becomes U+FFFD too.
    """
    plain = _SHAPELESS.sub(REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "))
    if drawn is None:
        return plain
    return "".join(one if one == "\n" or ord(one) in drawn else REPLACEMENT for one in plain)


def press(sheet: Sheet) -> bytes:
    """Draw a sheet as PDF. Raises `TooLargeError` when a part, or the whole, is longer than paper takes."""
    from serment.paper.drawing import drawn

    _check(sheet)
    return drawn(sheet)


def _check(sheet: Sheet) -> None:
    texts = [text for part in sheet.parts for text in texts_of(part)]
    codes = [part.text for part in sheet.parts if isinstance(part, Code)]
    too_long = any(len(text) > MOST_TEXT for text in (*texts, sheet.title, sheet.footer, sheet.watermark))
    if too_long or len(texts) > MOST_PARTS or any(len(text) > MOST_CODE for text in codes):
        raise TooLargeError("paper.too-long", limit=MOST_TEXT)


def texts_of(part: Part) -> Iterable[str]:
    """Give every text of a part."""
    if isinstance(part, Heading | Text):
        return [part.text]
    if isinstance(part, Pair):
        return [one.text for one in (*part.left, *part.right)]
    if isinstance(part, Table):
        return [*part.header, *(cell for row in part.rows for cell in row)]
    if isinstance(part, Frame):
        return [part.title, *(one.text for one in part.parts)]
    return [part.caption] if isinstance(part, Code) else []
