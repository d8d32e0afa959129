"""A letter, and a certificate: text that a professional wrote, under their letterhead.

What is written is theirs; nothing is added to it but who, of whom, when, and the notices at the foot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from serment.model import Instant
from serment.paper.people import Subject, Writer, letterhead
from serment.paper.press import Code, Heading, Part, Sheet, Text
from serment.words import Language, say


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote. `to` is the addressee of a letter, "" for a certificate."""

    title: str = field(repr=False)
    text: str = field(repr=False)
    to: str = field(default="", repr=False)


def letter(
    writer: Writer,
    subject: Subject,
    written: Written,
    on: date,
    made: Instant,
    language: Language = Language.FR,
    codes: Sequence[Code] = (),
) -> Sheet:
    """Lay out a letter or a certificate, dated `on`; `made` is the instant of drawing."""
    to = [Text(written.to, right=True)] if written.to else []
    parts: list[Part] = [letterhead(writer, subject, on, language), *to, Heading(written.title)]
    parts += [Text(paragraph) for paragraph in written.text.split("\n\n") if paragraph.strip()]
    parts += [Text(""), Text(writer.name, right=True), *codes]
    footer = say("paper.footer-letter", language, structure=writer.structure or writer.name)
    return Sheet(written.title, tuple(parts), made, language, author=writer.name, footer=footer)
