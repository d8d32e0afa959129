"""Which words of a text tell of somebody's health: to warn before it is sent where no care is (pure).

A list of ours (`health-words.csv`), French and English together, for people mix them; accents and case do not
count. It warns and redacts; it never judges, and what it does not know it lets pass: whoever asks for a
text must still say where not to write a diagnosis. Nothing is kept here.

Order: the list, what is found, what is left when it is taken out.
"""

from __future__ import annotations

import re
from csv import DictReader
from functools import cache
from importlib.resources import files
from typing import Final
from unicodedata import combining, normalize

TAKEN_OUT: Final = "[…]"
"""What stands in the place of a word that was taken out."""

_NUMBERS: Final = (
    r"[12]\s?\d{2}\s?(?:0[1-9]|1[0-2]|[2-9]\d)\s?\w{2}\s?\d{3}\s?\d{3}(?:\s?\d{2})?",
    r"\d+(?:[.,]\d+)?\s?(?:mg|µg|mmol|ui|g/l|mg/l|mmhg|mui)\b",
)
"""A number of social security, and a dose or a measure: they tell as much as a word."""


_LIGATURES: Final = {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"}
"""Letters that Unicode does not take apart."""


@cache
def _pattern() -> re.Pattern[str]:
    """Read the list as one expression, the longest words first; it is matched on folded text."""
    text = (files(__package__) / "health-words.csv").read_text("utf-8")
    rows = DictReader(line for line in text.splitlines() if not line.startswith("#"))
    words = sorted({row["word"] for row in rows}, key=len, reverse=True)
    known = "|".join(re.escape(word).replace(r"\*", r"[\w-]*").replace(r"\ ", r"\s+") for word in words)
    return re.compile(rf"(?<![\w-])(?:{known}|{'|'.join(_NUMBERS)})(?![\w])", re.IGNORECASE)


def health_words(text: str) -> list[str]:
    """Give the words of a text that tell of health, as they were written, each once, in order."""
    found = [text[start:stop] for start, stop in _spans(text)]
    return list(dict.fromkeys(found))


def without_health_words(text: str) -> str:
    """Give a text with `TAKEN_OUT` in the place of each word that tells of health."""
    left, at = [], 0
    for start, stop in _spans(text):
        left += [text[at:start], TAKEN_OUT]
        at = stop
    return "".join([*left, text[at:]])


def _spans(text: str) -> list[tuple[int, int]]:
    """Say where they stand in the text as it was written."""
    folded, places = _folded(text)
    return [(places[one.start()], places[one.end()]) for one in _pattern().finditer(folded)]


def _folded(text: str) -> tuple[str, list[int]]:
    """Fold accents, ligatures and case, and keep where each sign came from, and where the text ends."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        for one in _LIGATURES.get(sign, normalize("NFKD", sign)).casefold():
            if not combining(one):
                signs.append(one)
                places.append(place)
    return "".join(signs), [*places, len(text)]
