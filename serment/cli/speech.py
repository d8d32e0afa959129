"""Words of the command line, in the terminal's language, which is read once when the program starts."""

from __future__ import annotations

from serment.settings import terminal_language
from serment.words import say

LANGUAGE = terminal_language()


def told(sentence: str, **parameters: object) -> str:
    """Give a sentence of the catalogue in the terminal's language."""
    return say(sentence, LANGUAGE, **parameters)
