"""How hard a French text is to read: the Flesch formula as Kandel and Moles fitted it to French (1958).

`207 − 1.015 × words per sentence − 73.6 × syllables per word`: over 60 reads as plain, under 30 as hard.
Syllables are counted by groups of vowels, the silent endings of French left out: good enough for a mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"[a-zàâäçéèêëîïôöùûüœæÿ]+", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?:;]+(?:\s|$)")
_VOWELS = re.compile(r"(?:[aeiouyàâäéèêëîïôöùûüœæ]+)", re.IGNORECASE)
_SILENT = re.compile(r"(?<=[bcdfghjklmnpqrstvwxzç])(?:e|es|ent)$", re.IGNORECASE)
LONG = 4
"""Syllables from which a word counts as long."""


@dataclass(frozen=True, slots=True)
class Ease:
    """What was measured: score, words in a mean sentence, share of long words, the longest sentence."""

    score: float
    words: float
    long: float
    longest: int


def syllables(word: str) -> int:
    """Count the syllables of a French word, one at least."""
    return max(1, len(_VOWELS.findall(_SILENT.sub("", word))))


def ease(texts: Iterable[str]) -> Ease:
    """Measure some texts together; a text that ends without a mark ends a sentence."""
    counts = [
        [syllables(word) for word in _WORD.findall(sentence)]
        for text in texts
        for sentence in _SENTENCE.split(text)
    ]
    said = [one for one in counts if one]
    words = sum(len(one) for one in said)
    if not words:
        return Ease(100, 0, 0, 0)
    each, spoken = words / len(said), sum(map(sum, said)) / words
    long = sum(1 for one in said for count in one if count >= LONG) / words
    return Ease(207 - 1.015 * each - 73.6 * spoken, each, long, max(map(len, said)))
