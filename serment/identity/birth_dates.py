"""Dates of birth: what a person may type, and what INSi may answer (rule 13).

A typed date exists in the calendar. INSi keeps "lunar" dates of people whose day or month nobody knows: a
month 00 or above 12, a day that the month has not. They are adjusted as the RNIV says, from memory of its
table: unknown day 01, unknown month 01, both unknown 31 December; an unknown year is guessed by nobody here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from serment.errors import RequestError

_WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A date of the calendar, `YYYY-MM-DD`, and whether it is the very date that was received."""

    day: str = field(repr=False)
    exact: bool


def check(text: str, today: str = "") -> str:
    """Take a whole date as a person typed it.

    Raises `RequestError` for one that the calendar has not, or that is later than `today` (`YYYY-MM-DD`).
    """
    try:
        day = date.fromisoformat(text).isoformat() if _WRITTEN.fullmatch(text) else ""
    except ValueError:
        day = ""
    if not day:
        raise RequestError("identity.birth-date")
    if today and day > today:
        raise RequestError("identity.birth-date-later")
    return day


def adjusted(text: str) -> Adjusted:
    """Give the calendar date for one that INSi answered.

    Raises `RequestError` for what is no date at all, and for an unknown year.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise RequestError("identity.birth-date")
    year, month, day = (int(part) for part in found.groups())
    if _exists(year, month, day):
        return Adjusted(text, exact=True)
    if not 1 <= month <= 12:
        both = not 1 <= day <= 31
        return Adjusted(f"{year:04d}-12-31" if both else f"{year:04d}-01-{day:02d}", exact=False)
    return Adjusted(f"{year:04d}-{month:02d}-01", exact=False)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
