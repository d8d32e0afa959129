"""French medical documents as real PDF, made by reportlab.

Order: the kinds (what each says stands in `documents.toml`), then the page: letterhead, patient
block, body, signature.
The same arguments give the same bytes (`invariant`): no date of making, no random name inside. The
fonts come with reportlab and are embedded, so that accents show on any machine. Texts are invented.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape
from importlib.resources import files
from io import BytesIO
from typing import Any

from serment.demo.people import Person, Structure, of
from serment.demo.traits import Traits

_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_INK = "#1d3b36"
_LINE = "#9db5ae"
_PALE = "#eef3f1"

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document: its JDV_J07 type (a LOINC code), its title, what it says.

    `body` mixes paragraphs and tables; the first row of a table is its heading. In a paragraph
    `{name}`, `{born}` and `{age}` stand for the patient's.
    """

    key: str
    code: str
    label: str
    title: str
    body: tuple[str | Rows, ...]
    closing: str = ""


@cache
def kinds() -> Mapping[str, Kind]:
    """Read the kinds of `documents.toml`: key → kind."""
    tables = tomllib.loads(files(__package__).joinpath("documents.toml").read_text("utf-8"))
    return {
        key: Kind(
            key=key,
            code=table["code"],
            label=table["label"],
            title=table["title"],
            body=tuple(
                part if isinstance(part, str) else tuple(tuple(row) for row in part) for part in table["body"]
            ),
            closing=table.get("closing", ""),
        )
        for key, table in tables.items()
    }


def french_date(day: date) -> str:
    """Write a date as a French letter does: 1er mars 2026."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS.split()[day.month - 1]} {day.year}"


def render(kind: Kind, traits: Traits, author: Person, day: date) -> bytes:
    """Draw one document as PDF bytes; equal arguments give equal bytes."""
    draw = _Drawing()
    structure = of(author.structure)
    parts = [
        *draw.patient(traits, day),
        draw.title(kind.title),
        *draw.body(kind.body, lambda text: _filled(text, traits, day)),
        *draw.signature(author, kind.closing),
    ]
    return draw.pages(parts, kind.title, author, structure)


def _filled(text: str, traits: Traits, day: date) -> str:
    """Fill the blanks of a paragraph; no line begins with a French sign that follows a space."""
    filled = text.format(name=traits.name, born=french_date(traits.birth_date), age=traits.age(day))
    return re.sub(" (?=[:;?!%])", "\N{NO-BREAK SPACE}", filled)


class _Drawing:
    """reportlab, imported when the first document is drawn, and the styles of the house."""

    def __init__(self) -> None:
        from reportlab import platypus
        from reportlab.lib import colors, styles, units

        self._platypus: Any = platypus
        self._units: Any = units
        self._colors: Any = colors
        self._styles: Any = styles
        self._fonts()

    def _fonts(self) -> None:
        """Register the embedded fonts once (registering again the same name is harmless)."""
        from reportlab.pdfbase import pdfmetrics as metrics
        from reportlab.pdfbase import ttfonts as truetype

        for name, file in (("Vera", "Vera.ttf"), ("VeraBd", "VeraBd.ttf"), ("VeraIt", "VeraIt.ttf")):
            metrics.registerFont(truetype.TTFont(name, file))
        metrics.registerFontFamily("Vera", normal="Vera", bold="VeraBd", italic="VeraIt", boldItalic="VeraBd")

    def _style(self, name: str, **options: Any) -> Any:
        base = {"fontName": "Vera", "fontSize": 9.5, "leading": 14.5, "spaceAfter": 8}
        return self._styles.ParagraphStyle(name, **(base | options))

    def _paragraph(self, text: str, **options: Any) -> Any:
        return self._platypus.Paragraph(text, self._style("text", **options))

    def title(self, text: str) -> Any:
        """Give the title of the document."""
        return self._paragraph(
            escape(text),
            fontName="VeraBd",
            fontSize=14,
            leading=19,
            textColor=_INK,
            spaceBefore=16,
            spaceAfter=14,
        )

    def patient(self, traits: Traits, day: date) -> Iterable[Any]:
        """Give the block that says of whom, and where and when the letter is written."""
        born = f"{'Née' if traits.sex == 'female' else 'Né'} le {french_date(traits.birth_date)}"
        number = traits.matricule
        groups = (number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], number[13:])
        said = (
            f"<b>{escape(traits.name)}</b><br/>Nom de naissance : {escape(traits.birth_name)}<br/>{born} "
            f"à {escape(traits.place)}<br/>INS (test) : {' '.join(groups)}"
        )
        block = self._paragraph(said, fontSize=8.5, leading=12.5, spaceAfter=0)
        where = self._paragraph(
            f"Bourg-Tilleul,<br/>le {french_date(day)}", fontSize=8.5, leading=12.5, alignment=2, spaceAfter=0
        )
        table = self._platypus.Table([[block, where]], colWidths=[105 * self._units.mm, 61 * self._units.mm])
        table.setStyle(
            [
                ("BACKGROUND", (0, 0), (0, 0), self._colors.HexColor(_PALE)),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, 0), 10),
                ("TOPPADDING", (0, 0), (-1, -1), 7),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 9),
            ]
        )
        return [table]

    def body(self, parts: tuple[str | Rows, ...], fill: Callable[[str], str]) -> Iterable[Any]:
        """Give the paragraphs and tables of a document."""
        for part in parts:
            if isinstance(part, str):
                yield self._paragraph(escape(fill(part)))
            else:
                yield self._table(part)
                yield self._platypus.Spacer(1, 10)

    def _table(self, rows: Rows) -> Any:
        """Draw a table: the first column is the widest, the first row the heading."""
        columns = len(rows[0])
        first = {2: 90, 3: 66, 4: 62}.get(columns, 56)
        rest = (166 - first) / (columns - 1)
        cells = [
            [
                self._paragraph(
                    escape(cell),
                    fontSize=8.5,
                    leading=11.5,
                    spaceAfter=0,
                    fontName="VeraBd" if place == 0 else "Vera",
                )
                for cell in row
            ]
            for place, row in enumerate(rows)
        ]
        widths = [first * self._units.mm] + [rest * self._units.mm] * (columns - 1)
        table = self._platypus.Table(cells, colWidths=widths, repeatRows=1)
        table.setStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), self._colors.HexColor(_PALE)),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, self._colors.HexColor(_LINE)),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
            ]
        )
        return table

    def signature(self, author: Person, closing: str) -> Iterable[Any]:
        """Give the closing words and who signs."""
        if closing:
            yield self._paragraph(escape(closing), spaceBefore=6)
        signed = f"<b>{escape(author.name)}</b><br/>{escape(author.speciality)}<br/>RPPS {author.rpps}"
        yield self._paragraph(signed, alignment=2, spaceBefore=22)

    def pages(self, parts: list[Any], title: str, author: Person, structure: Structure) -> bytes:
        """Lay the parts out on A4 under the letterhead and give the file."""
        file = BytesIO()
        mm = self._units.mm
        template = self._platypus.SimpleDocTemplate(
            file,
            pagesize=(210 * mm, 297 * mm),
            leftMargin=22 * mm,
            rightMargin=22 * mm,
            topMargin=44 * mm,
            bottomMargin=24 * mm,
            title=title,
            author=author.name,
            creator="Serment",
            lang="fr-FR",
            invariant=1,
        )

        def letterhead(canvas: Any, _: Any) -> None:
            self._letterhead(canvas, author, structure)

        template.build(parts, onFirstPage=letterhead, onLaterPages=letterhead)
        return file.getvalue()

    def _letterhead(self, canvas: Any, author: Person, structure: Structure) -> None:
        """Draw the head and the foot of a page; the foot says that the person is invented."""
        mm, ink = self._units.mm, self._colors.HexColor(_INK)
        canvas.saveState()
        canvas.setFillColor(ink)
        canvas.rect(0, 291 * mm, 210 * mm, 6 * mm, stroke=0, fill=1)
        canvas.setFont("VeraBd", 13)
        canvas.drawString(22 * mm, 276 * mm, structure.name)
        canvas.setFont("Vera", 8)
        address = (
            f"{structure.line}, 99120 Bourg-Tilleul    Tél. {structure.phone}    FINESS {structure.finess}"
        )
        canvas.drawString(22 * mm, 270.5 * mm, address)
        canvas.drawString(22 * mm, 266 * mm, f"{author.name}, {author.speciality.lower()}")
        canvas.setStrokeColor(self._colors.HexColor(_LINE))
        canvas.line(22 * mm, 261.5 * mm, 188 * mm, 261.5 * mm)
        canvas.line(22 * mm, 18 * mm, 188 * mm, 18 * mm)
        canvas.setFont("Vera", 6.8)
        foot = (
            "Personne et document fictifs, pour la démonstration de Serment. Couvert par le secret médical."
        )
        canvas.drawString(22 * mm, 13.5 * mm, foot)
        canvas.drawRightString(188 * mm, 13.5 * mm, f"Page {canvas.getPageNumber()}")
        canvas.restoreState()
