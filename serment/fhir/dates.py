"""FHIR dates as ranges of instants.

Every date of FHIR is a range: `2024-03` is a whole month, `2024-03-01T10:00Z` a whole minute. A range
is `(low, high)` in milliseconds since 1970-01-01T00:00:00Z, low included, high excluded. A text
without a zone is read in UTC (R4 search.html#date leaves that to the server). Open ends are
`EARLIEST` and `LATEST`. Order: reading, widening, writing, comparing. No clock is read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

Range = tuple[int, int]

EARLIEST: Final = -(1 << 47)
LATEST: Final = 1 << 48

_DAY: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_END_OF_9999: Final = 253_402_300_800_000
_FORM = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)


def parse(text: str) -> Range:
    """Read a FHIR date, dateTime or instant. Raises `ValueError` for any other text.

    Parts may be missing from the right, as search allows (hours and minutes come together). Second 60
    (a leap second) is read as the first millisecond of the next minute's range.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is None:
        return _whole_days(int(year), month, day)
    start = _midnight(int(year), int(month), int(day)) - _offset(zone)
    low, width = _clock(int(hour), int(minute), second, fraction)
    return start + low, start + low + width


def _whole_days(year: int, month: str | None, day: str | None) -> Range:
    if month is None:
        return _midnight(year, 1, 1), _midnight(year + 1, 1, 1)
    if day is None:
        after = (year, int(month) + 1) if int(month) < 12 else (year + 1, 1)
        return _midnight(year, int(month), 1), _midnight(*after, 1)
    low = _midnight(year, int(month), int(day))
    return low, low + _DAY


def _midnight(year: int, month: int, day: int) -> int:
    if year == 10_000:
        return _END_OF_9999
    return (date(year, month, day).toordinal() - _EPOCH_DAY) * _DAY


def _clock(hour: int, minute: int, second: str | None, fraction: str | None) -> Range:
    """Give milliseconds since midnight and the width of what was written."""
    seconds = int(second or 0)
    if hour > 23 or minute > 59 or seconds > 60:
        raise ValueError("not a time of day")
    low = (hour * 60 + minute) * 60_000 + seconds * 1000
    if second is None:
        return low, 60_000
    if fraction is None:
        return low, 1000
    return low + int(fraction[:3].ljust(3, "0")), max(1, 10 ** (3 - len(fraction)))


def _offset(zone: str | None) -> int:
    """Give the offset of a zone to UTC in milliseconds."""
    if zone is None or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise ValueError("not a zone")
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes) * 60_000


def widened(span: Range) -> Range:
    """Widen a range by its own width on both sides: `2024` becomes 2023 to 2025.

    This is what `ap` looks in: R4 recommends a share of the distance to now and lets systems choose
    otherwise; an answer that does not change while one turns its pages was chosen.
    """
    low, high = span
    return low - (high - low), high + (high - low)


def instant_text(milliseconds: int) -> str:
    """Write a FHIR instant in UTC, three digits after the second."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


Comparison = Callable[[Range, Range], bool]
"""From (range asked, range found) to whether they agree."""

COMPARISONS: Final[dict[str, Comparison]] = {
    # R4 search.html#prefix: "the range of the search value fully contains the range of the target value"
    "eq": lambda asked, found: asked[0] <= found[0] and found[1] <= asked[1],
    # the negation of eq
    "ne": lambda asked, found: not (asked[0] <= found[0] and found[1] <= asked[1]),
    # "the range above the search value intersects with the range of the target value"
    "gt": lambda asked, found: found[1] > asked[1],
    # "the range below the search value intersects with the range of the target value"
    "lt": lambda asked, found: found[0] < asked[0],
    # gt or eq
    "ge": lambda asked, found: found[1] > asked[1] or (asked[0] <= found[0] and found[1] <= asked[1]),
    # lt or eq
    "le": lambda asked, found: found[0] < asked[0] or (asked[0] <= found[0] and found[1] <= asked[1]),
    # "the range of the search value does not overlap …, and the range above … contains the target"
    "sa": lambda asked, found: found[0] >= asked[1],
    # the same below
    "eb": lambda asked, found: found[1] <= asked[0],
    # "the range of the search value overlaps with the range of the target value", asked being widened
    "ap": lambda asked, found: found[0] < asked[1] and asked[0] < found[1],
}
