"""The drawing itself, by reportlab: A4, embedded fonts, compressed. Called by `press` only.

The PDF has a title, a language and an outline of its headings (PDF 32000-1, 12.3.3 and 14.9.2). It has no
structure tree: reportlab writes none, so a reader that needs tags is given the page of the record instead.
No link, form, script or file is ever put in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from io import BytesIO
from typing import Any

import segno
from PIL import Image
from reportlab import platypus
from reportlab.lib import colors, pagesizes, styles, utils
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics, ttfonts
from reportlab.pdfgen.canvas import Canvas

from serment.model import Instant
from serment.paper.press import Code, Frame, Heading, Pair, Part, Picture, Sheet, Table, Text, inert

PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN = 18 * mm
FOOT = 14 * mm
WIDTH, HEIGHT = pagesizes.A4
ACROSS = WIDTH - 2 * MARGIN
QR_MM = 34 * mm
_INK, _LINE, _PALE = colors.HexColor("#12211e"), colors.HexColor("#7d8f8a"), colors.HexColor("#eef3f1")
_GHOST = colors.HexColor("#dfe5e3")
_SIZES = {1: 15, 2: 12, 3: 10.5}


def drawn(sheet: Sheet) -> bytes:
    """Draw a sheet as PDF bytes."""
    _fonts()
    raw = BytesIO()
    document = platypus.BaseDocTemplate(
        raw,
        pagesize=pagesizes.A4,
        title=_plain(sheet.title),
        author=_plain(sheet.author),
        producer="Serment",
        creator="Serment",
        lang=sheet.language.value,
        displayDocTitle=True,
        pageCompression=1,
    )
    frame = platypus.Frame(MARGIN, MARGIN + FOOT, ACROSS, HEIGHT - 2 * MARGIN - FOOT, 0, 0, 0, 0, id="body")
    bare = platypus.Frame(0, 0, WIDTH, HEIGHT, 0, 0, 0, 0, id="bare")
    document.addPageTemplates(
        [
            platypus.PageTemplate("text", [frame], onPage=lambda canvas, _: _behind(canvas, sheet)),
            platypus.PageTemplate("picture", [bare], onPageEnd=lambda canvas, _: _behind(canvas, sheet)),
        ]
    )
    document.build(
        _story(sheet), canvasmaker=lambda *given, **options: _canvas(sheet.made, *given, **options)
    )
    return raw.getvalue()


@cache
def _fonts() -> frozenset[int]:
    """Register the embedded fonts once; give the code points that both draw."""
    found = []
    for name in (PLAIN, BOLD):
        font = ttfonts.TTFont(
            name, BytesIO(files("serment.paper").joinpath(f"fonts/{name}.ttf").read_bytes())
        )
        pdfmetrics.registerFont(font)
        found.append(set(font.face.charToGlyph))
    return frozenset(found[0] & found[1])


def _plain(text: str) -> str:
    return inert(text, _fonts())


def _marked(text: str) -> str:
    """Give a text as the paragraphs of reportlab take it: escaped, its line breaks as breaks."""
    return escape(_plain(text), quote=False).replace("\n", "<br/>")


class _Instant(utils.TimeStamp):  # type: ignore[misc]  # reportlab has no types
    """The instant of making, in UTC, in the place where reportlab would read the clock."""

    def __init__(self, at: Instant) -> None:
        moment = datetime.fromtimestamp(at / 1000, UTC)
        self.t, self.lt = at / 1000, tuple(moment.timetuple())
        self.YMDhms, self.dhh, self.dmm, self.tzname = self.lt[:6], 0, 0, "UTC"


def _canvas(made: Instant, *given: Any, **options: Any) -> Any:
    canvas = Canvas(*given, **{**options, "invariant": 1})
    canvas._doc._timeStamp = _Instant(made)
    return canvas


def _behind(canvas: Any, sheet: Sheet) -> None:
    """Draw what each page carries besides its text: the watermark, the footer, the number of the page."""
    canvas.saveState()
    if sheet.watermark:
        canvas.setFillColor(_GHOST, alpha=0.55)
        canvas.setFont(BOLD, 22)
        canvas.translate(WIDTH / 2, HEIGHT / 2)
        canvas.rotate(52)
        for line in (-9, -3, 3, 9):
            canvas.drawCentredString(0, line * 12 * mm, _plain(sheet.watermark)[:70])
    canvas.restoreState()
    canvas.saveState()
    canvas.setFillColor(_INK)
    footer = _paragraph(sheet.footer, size=7)
    _, high = footer.wrap(ACROSS - 15 * mm, FOOT)
    footer.drawOn(canvas, MARGIN, MARGIN + FOOT - 4 * mm - high)
    canvas.setFont(PLAIN, 7)
    canvas.drawRightString(WIDTH - MARGIN, MARGIN + FOOT - 4 * mm - 7, str(canvas.getPageNumber()))
    canvas.restoreState()


def _story(sheet: Sheet) -> list[Any]:
    story: list[Any] = []
    for place, part in enumerate(sheet.parts):
        pictured = isinstance(part, Picture)
        if pictured:
            story += [platypus.NextPageTemplate("picture"), platypus.PageBreak()] if story else []
        story += _flowing(part, place)
        if pictured:
            story.append(platypus.NextPageTemplate("text"))
    if sheet.parts and isinstance(sheet.parts[0], Picture):
        story.insert(0, platypus.NextPageTemplate("picture"))
    return story or [platypus.Spacer(1, 1)]


def _flowing(part: Part, place: int) -> Iterable[Any]:
    gap = platypus.Spacer(1, 3 * mm)
    match part:
        case Heading():
            return [_Outlined(part, place)]
        case Text():
            return [_text(part)]
        case Picture():
            return [_Drawn(part)]
        case Frame():
            return [_framed(part), gap]
        case Pair():
            return [_pair(part), gap]
        case _:
            return [_table(part) if isinstance(part, Table) else _coded(part), gap]


def _paragraph(
    text: str, *, bold: bool = False, size: float = 9.5, after: float = 5, right: bool = False
) -> Any:
    style = styles.ParagraphStyle(
        "text",
        fontName=BOLD if bold else PLAIN,
        fontSize=size,
        leading=size * 1.45,
        spaceAfter=after,
        textColor=_INK,
        alignment=2 if right else 0,
        splitLongWords=1,
    )
    return platypus.Paragraph(_marked(text), style)


def _text(part: Text) -> Any:
    return _paragraph(part.text, bold=part.bold, size=7.5 if part.small else 9.5, right=part.right)


class _Outlined(platypus.Flowable):  # type: ignore[misc]  # reportlab has no types
    """A heading that also stands in the outline."""

    def __init__(self, part: Heading, place: int) -> None:
        super().__init__()
        self._text, self._name = _plain(part.text), f"part-{place}"
        size = _SIZES.get(part.level, 10)
        self._said = _paragraph(part.text, bold=True, size=size, after=0)
        self.keepWithNext = 1

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Give the room that it takes, with some above and below."""
        wide, high = self._said.wrap(width, height)
        return wide, high + 5 * mm

    def draw(self) -> None:
        """Draw it and note its place."""
        self.canv.bookmarkPage(self._name)
        self.canv.addOutlineEntry(self._text[:200].replace("\n", " "), self._name, 0, closed=False)
        self._said.drawOn(self.canv, 0, 2 * mm)


def _pair(part: Pair) -> Any:
    cells = [[_text(one) for one in side] for side in (part.left, part.right)]
    table = platypus.Table([cells], colWidths=[ACROSS * 0.54, ACROSS * 0.46])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
    return table


def _table(part: Table) -> Any:
    shares = part.widths or (1,) * len(part.header)
    widths = [ACROSS * share / sum(shares) for share in shares]
    head = [_paragraph(cell, bold=True, size=8, after=0) for cell in part.header]
    rows = [[_paragraph(cell, size=8, after=0) for cell in row] for row in part.rows]
    table = platypus.Table([head, *rows], colWidths=widths, repeatRows=1, splitInRow=1)
    table.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), _PALE),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    return table


def _framed(part: Frame) -> Any:
    """Draw a box of one column, a row for each part, so that it splits where a page ends."""
    title = _paragraph(part.title, bold=True, size=9, after=0)
    rows = [[_paragraph(one.text, bold=isinstance(one, Heading) or one.bold, after=0)] for one in part.parts]
    table = platypus.Table([[title], *rows], colWidths=[ACROSS], repeatRows=1, splitInRow=1)
    table.setStyle([("BOX", (0, 0), (-1, -1), 1, _INK), ("BACKGROUND", (0, 0), (-1, 0), _PALE)])
    return table


def _coded(part: Code) -> Any:
    """Draw a QR (ISO/IEC 18004, level M) with its words beside it."""
    raw = BytesIO()
    segno.make(part.text, error="m", micro=False).save(raw, kind="png", scale=6, border=4)
    raw.seek(0)
    picture = platypus.Image(raw, QR_MM, QR_MM)
    said = _paragraph(part.caption, size=7.5, after=0)
    table = platypus.Table([[picture, said]], colWidths=[QR_MM + 4 * mm, ACROSS - QR_MM - 4 * mm])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
    return table


class _Drawn(platypus.Flowable):  # type: ignore[misc]  # reportlab has no types
    """A page that was drawn before, fitted into the page above the footer."""

    def __init__(self, part: Picture) -> None:
        super().__init__()
        scale = min((WIDTH - 8 * mm) / part.width, (HEIGHT - MARGIN - FOOT - 4 * mm) / part.height)
        self.width, self.height = part.width * scale, part.height * scale
        self._pixels = Image.frombytes("RGB", (part.width, part.height), part.pixels)

    def draw(self) -> None:
        """Draw it in the middle of the page's width."""
        left = (WIDTH - self.width) / 2
        self.canv.drawImage(ImageReader(self._pixels), left, 0, self.width, self.height)
