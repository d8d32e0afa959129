"""The paper that a patient at the counter is handed: a code, where it is typed, until when; no name.

Whoever finds it in the street does not know whose it was, and it is over.
"""

from __future__ import annotations

from serment.model import Instant
from serment.paper.press import Heading, Sheet, Text
from serment.words import Language, say


def counter_code(code: str, until: str, made: Instant, language: Language = Language.FR) -> Sheet:
    """Lay out a code of the counter; `until` is the time of day at which it is over."""
    title = say("counter.paper-title", language)
    parts = (
        Heading(title),
        Text(say("counter.paper-where", language, time=until)),
        Text(code, bold=True),
        Text(say("counter.type-hint", language), small=True),
        Text(say("counter.may", language)),
        Text(say("counter.ends", language)),
        Text(say("counter.paper-keep", language), small=True),
    )
    return Sheet(title, parts, made, language)
