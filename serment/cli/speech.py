"""Words of the command line, in the terminal's language, which is read once when the program starts."""

from __future__ import annotations

from string import Formatter

from serment.settings import terminal_language
from serment.words import catalogue, say

LANGUAGE = terminal_language()


def told(sentence: str, **parameters: object) -> str:
    """Give a sentence of the catalogue in the terminal's language."""
    return say(sentence, LANGUAGE, **parameters)


def reason(sentence: str) -> str:
    """Give the sentence of a reason that was kept by its id alone: its blanks are gone, and shown so.

    An id that this version no longer knows is shown as it is.
    """
    texts = catalogue().get(sentence)
    if texts is None:
        return sentence
    blanks = {name for _, name, _, _ in Formatter().parse(texts[LANGUAGE]) if name}
    return texts[LANGUAGE].format(**dict.fromkeys(blanks, "…"))
