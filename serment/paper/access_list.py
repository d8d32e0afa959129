"""The list of who saw a record, on paper, with what proves it: the checkpoint of the ledger as a QR.

The lines come from `ledger/sentences`, already in words; the checkpoint is the signed note (C2SP) that the
person keeps: whoever later holds it against the ledger sees whether the list was rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from serment.model import Instant
from serment.paper.people import Subject, in_words
from serment.paper.press import Code, Heading, Part, Sheet, Table, Text
from serment.words import Language, say


@dataclass(frozen=True, slots=True)
class Seen:
    """One line: when, who, what they did and why, in words."""

    when: str
    who: str = field(repr=False)
    what: str = field(repr=False)
    why: str = field(default="", repr=False)
    emergency: bool = False


def access_list(
    subject: Subject,
    lines: Sequence[Seen],
    on: date,
    made: Instant,
    language: Language = Language.FR,
    checkpoint: str = "",
) -> Sheet:
    """Lay out the list, accesses in an emergency first; `checkpoint` is the text of the signed note."""
    title = say("paper.access-title", language)
    parts: list[Part] = [Heading(title), Text(subject.name, bold=True)]
    parts.append(Text(say("paper.own-made", language, date=in_words(on, language))))
    header = tuple(say(f"paper.access-{name}", language) for name in ("when", "who", "what", "why"))
    for sentence, some in (
        ("paper.access-emergencies", [one for one in lines if one.emergency]),
        ("paper.access-others", [one for one in lines if not one.emergency]),
    ):
        if some:
            parts.append(Heading(say(sentence, language), 2))
            rows = tuple((one.when, one.who, one.what, one.why) for one in some)
            parts.append(Table(header, rows, (3, 4, 5, 5)))
    if not lines:
        parts.append(Text(say("paper.access-none", language)))
    if checkpoint:
        parts.append(Code(checkpoint, say("paper.code-checkpoint", language)))
    return Sheet(title, tuple(parts), made, language, footer=say("paper.own-footer", language))
