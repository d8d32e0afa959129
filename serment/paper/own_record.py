"""The patient's own record on paper, in plain words: what it holds, group by group, newest first.

The words come from the caller, who was given them by `record`; nothing here chooses what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from serment.model import Instant
from serment.paper.people import Subject, in_words
from serment.paper.press import MOST_TEXT, Heading, Part, Sheet, Table, Text
from serment.words import Language, say

MOST_CELL = 2_000
"""Characters of one item: a longer one is cut, and says so."""


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one kind: title, value and date of each, already in words. `total` may be seen in all."""

    title: str
    items: tuple[tuple[str, str, str], ...] = field(repr=False)
    total: int = 0


def own_record(
    subject: Subject, groups: Sequence[Group], on: date, made: Instant, language: Language = Language.FR
) -> Sheet:
    """Lay out a person's own copy. An empty group says that nothing is recorded that they may see."""
    title = say("paper.own-title", language)
    parts: list[Part] = [Heading(title), Text(subject.name, bold=True)]
    parts.append(Text(say("paper.own-made", language, date=in_words(on, language))))
    header = tuple(say(f"paper.own-{name}", language) for name in ("date", "what", "value"))
    for group in groups:
        parts.append(Heading(group.title, 2))
        if group.items:
            rows = tuple(
                (day, _cut(what, language), _cut(value, language)) for what, value, day in group.items
            )
            parts.append(Table(header, rows, (2, 5, 4)))
        else:
            parts.append(Text(say("paper.none-visible", language)))
        more = group.total - len(group.items)
        if more > 0:
            parts.append(Text(say("paper.own-more", language, count=more), small=True))
    parts.append(Text(say("paper.own-end", language), small=True))
    return Sheet(title, tuple(parts), made, language, footer=say("paper.own-footer", language))


def _cut(text: str, language: Language) -> str:
    most = min(MOST_CELL, MOST_TEXT)
    return text if len(text) <= most else f"{text[:most]} {say('paper.cut', language)}"
