"""How dates, numbers and ages are written, in the language of whoever reads (Babel, CLDR). No sentence here.

A FHIR date may stop at the month or the year: it is written as far as it goes, never completed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from babel import dates, numbers

from serment.words import Language

LOCALES: Final = {Language.FR: "fr_FR", Language.EN: "en_GB"}


def day_of(text: str, language: Language) -> str:
    """Write a FHIR date or instant as lists do: 05/03/2020 or 03/2020 in French, 2020-03-05 in English."""
    parts = text[:10].split("-")
    return "/".join(reversed(parts)) if language is Language.FR else text[:10]


def instant(at_ms: int, language: Language) -> str:
    """Write an instant (ms since 1970) with its minute, by the clock of this house."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    return f"{day_of(at.date().isoformat(), language)} {at:%H:%M}"


def long_day(at_ms: int, language: Language) -> str:
    """Write the day of an instant (ms since 1970) as a sentence does: 5 mars 2026, 5 March 2026."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
    return dates.format_date(at.date(), "d MMMM y", locale=LOCALES[language])


def month(first: date, language: Language) -> str:
    """Write a month by any day of it: mars 2026, March 2026."""
    return dates.format_date(first, "MMMM y", locale=LOCALES[language])


def number(value: float, language: Language, *, digits: int = 2) -> str:
    """Write a number with at most `digits` decimals: 1 234,5 in French, 1,234.5 in English."""
    return str(numbers.format_decimal(round(value, digits), locale=LOCALES[language]))


def age(born: str, today: date) -> int | None:
    """Give whole years since a FHIR date of birth; None when it is not written to the day."""
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return None
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def lasting(ms: int, language: Language) -> str:
    """Write how long something lasts, in its largest unit: 12 heures, 12 hours."""
    return str(dates.format_timedelta(timedelta(milliseconds=ms), locale=LOCALES[language]))


def ago(ms: int, language: Language) -> str:
    """Write how long ago something was: il y a 3 heures, 3 hours ago."""
    since = timedelta(milliseconds=-max(1000, ms))
    return str(dates.format_timedelta(since, add_direction=True, locale=LOCALES[language]))
