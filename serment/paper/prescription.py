"""A prescription: what it says, what it lacks, how it is laid out.

In this order: the lines, what must stand on it, the digest that its QR carries, the sheet. The rules are
those of CSP R5132-3 and CSS R161-45; of R5132-3 the wording is recalled, not read again: ADR 61 says so. No
check of interactions, doses or contraindications is made, and the sheet does not pretend otherwise.

A prescription in two parts (CSS L324-1, form of health insurance S3321) has the treatments of the long-term
illness above, everything else below; a line stands in one of them only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from hashlib import sha256

from serment.model import Instant
from serment.paper.people import CHILD, Subject, Writer, letterhead
from serment.paper.press import Code, Frame, Heading, Part, Sheet, Text
from serment.words import Language, say

DIGEST_SIZE = 16
MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One treatment. `name` is the substance (DCI) with its strength and form; `renewals` counts them.

    `long_term` says that it belongs to the long-term illness (the upper part).
    """

    name: str = field(repr=False)
    dose: str = field(repr=False)
    duration: str = field(default="", repr=False)
    renewals: int = 0
    long_term: bool = False
    not_substituted: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Prescription:
    """Everything that a prescription says. `number` is ours, never the national one."""

    number: str
    writer: Writer = field(repr=False)
    subject: Subject = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    on: date
    two_parts: bool = False

    @property
    def digest(self) -> bytes:
        """SHA-256, cut to 16 bytes, of all that the paper says: the QR carries it."""
        said = [
            self.number,
            self.on.isoformat(),
            [self.writer.name, self.writer.number, self.writer.structure],
            [getattr(self.subject, name) for name in ("name", "born", "sex", "weight", "height")],
            [astuple(line) for line in self.lines],
            self.two_parts,
        ]
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        return sha256(b"serment/prescription/1\n" + text.encode()).digest()[:DIGEST_SIZE]


def lacking(prescription: Prescription) -> list[str]:
    """Name what is missing from a prescription, as ids of sentences; none when it can be signed."""
    return list(_lacking(prescription))


def _lacking(one: Prescription) -> Iterable[str]:
    age = one.subject.age(one.on)
    if not one.lines or len(one.lines) > MOST_LINES:
        yield "paper.lacks-lines"
    if any(not line.name.strip() or not line.dose.strip() for line in one.lines):
        yield "paper.lacks-dose"
    if not one.writer.name or not one.writer.number:
        yield "paper.lacks-number"
    if not one.subject.name or not one.subject.born:
        yield "paper.lacks-person"
    if age is not None and age < CHILD and not one.subject.weight:
        yield "paper.lacks-weight"


def prescription_sheet(
    one: Prescription, made: Instant, language: Language = Language.FR, code: str = "", national: str = ""
) -> Sheet:
    """Lay out a prescription. `code` is the text of our QR, `national` the national number or ""."""
    parts: list[Part] = [letterhead(one.writer, one.subject, one.on, language)]
    parts.append(Heading(say("paper.prescription", language)))
    parts += _zones(one, language) if one.two_parts else _lines(one.lines, language)
    parts.append(Text(_count(one, language), small=True))
    parts.append(Text(say("paper.signed-by", language, name=one.writer.name), right=True))
    parts.append(Text(say("paper.no-interaction-check", language), small=True))
    if national:
        parts.append(Text(say("paper.national-number", language, number=national)))
    if code:
        parts.append(Code(code, say("paper.code-prescription", language, number=spaced(one.number))))
    footer = say("paper.footer-prescription", language, number=spaced(one.number))
    title = say("paper.prescription", language)
    return Sheet(title, tuple(parts), made, language, author=one.writer.name, footer=footer)


def spaced(number: str) -> str:
    """Write a number in groups of four, as people read it out."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _zones(one: Prescription, language: Language) -> list[Part]:
    upper = [line for line in one.lines if line.long_term]
    lower = [line for line in one.lines if not line.long_term]
    return [
        Frame(say(f"paper.zone-{name}", language), _boxed(lines, language))
        for name, lines in (("long-term", upper), ("other", lower))
    ]


def _boxed(lines: Sequence[Line], language: Language) -> tuple[Text | Heading, ...]:
    """Fill a zone; an empty one is struck out in words, so that nothing is added to it by hand."""
    return tuple(_lines(lines, language)) or (Text(say("paper.zone-empty", language)),)


def _lines(lines: Sequence[Line], language: Language) -> list[Text]:
    said: list[Text] = []
    for line in lines:
        said.append(Text(line.name, bold=True))
        said.append(Text("\n".join(_how(line, language))))
    return said


def _how(line: Line, language: Language) -> Iterable[str]:
    yield line.dose
    if line.duration:
        yield say("paper.duration", language, duration=line.duration)
    if line.renewals:
        yield say("paper.renewals", language, count=line.renewals)
    if line.not_substituted:
        yield say("paper.not-substituted", language, reason=line.not_substituted)


def _count(one: Prescription, language: Language) -> str:
    """Say how many treatments there are: a line added by hand is seen."""
    count = len(one.lines)
    return say(f"paper.lines-{'one' if count == 1 else 'many'}", language, count=count)
