"""What is typed to find somebody: words and a birth date, in any order and as far as it is typed (pure).

"dup jea 1975", "jean dupont", "12/05/1975 le goff": accents and case do not count. One word must have three
letters, and there is no wildcard: nobody lists people (capability 0-21). What is typed identifies somebody:
no `repr`, error or log shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from serment.errors import RequestError
from serment.identity import names

LEAST_LETTERS: Final = 3
MOST_TYPED: Final = 100
"""Characters that are read: as long as a name may be (RNIV rule 12); more is hostile."""
MOST_WORDS: Final = 6

_WORD = re.compile("[A-Z]+")
_DATE = re.compile(r"(?<![^\s])[0-9][0-9/.-]*(?![^\s])")
_OTHER = re.compile(r"[^\w\s'’.-]|[0-9_]")


@dataclass(frozen=True, slots=True)
class Born:
    """What was typed of a birth date: the year lies between two; 0 is a month or day not said."""

    first: int
    last: int
    month: int = 0
    day: int = 0

    def fits(self, born: int) -> bool:
        """Say whether a date (the number `YYYYMMDD`, 0 for what is not known) may be the one typed."""
        year, rest = divmod(born, 10_000)
        month, day = divmod(rest, 100)
        within = self.first <= year <= self.last
        return within and self.month in {0, month} and self.day in {0, day}


ANY_DATE: Final = Born(0, 9999)


@dataclass(frozen=True, slots=True)
class Typed:
    """Words in capitals without accents, the longest first, and what is said of the birth date."""

    words: tuple[str, ...] = field(repr=False)
    born: Born = field(repr=False, default=ANY_DATE)


def read(text: str) -> Typed:
    """Read what was typed.

    Raises `RequestError` when no word has three letters, when there is too much of it or more than one date,
    on a letter of another script, and on any sign that is no part of a name or a date.
    """
    dates, rest = _DATE.findall(text), _DATE.sub(" ", text)
    if len(text) > MOST_TYPED or _OTHER.search(rest) or len(dates) > 1:
        raise RequestError("identity.typed")
    words = sorted(set(words_of(rest)), key=lambda word: (-len(word), word))
    if not words or len(words) > MOST_WORDS or len(words[0]) < LEAST_LETTERS:
        raise RequestError("identity.typed")
    return Typed(tuple(words), _born(dates[0]) if dates else ANY_DATE)


def words_of(name: str) -> list[str]:
    """Cut a name into words of capital letters; none when it is of another script, or has no letter."""
    try:
        return _WORD.findall(name.upper() if name.isascii() else names.normalise(name))
    except RequestError:
        return []


def _born(date: str) -> Born:
    """Read a birth date as far as it is typed: `19`, `1975-05`, `12/05/1975`, `12051975`."""
    parts = [part for part in re.split(r"[/.-]", date) if part]
    if len(parts) == 1 and len(date) == len("ddmmyyyy"):
        parts = [date[:2], date[2:4], date[4:]]
    if len(parts) > len("dmy") or any(len(part) > len("yyyy") for part in parts):
        raise RequestError("identity.typed")
    said = (*parts, "", "")[:3]
    year_first = len(parts) == 1 or len(parts[0]) > len("dd")
    year, month, day = said if year_first else reversed(said)
    first, last = (int(f"{year:{fill}<4}") for fill in "09")
    return Born(first, last, int(month or 0), int(day or 0))
