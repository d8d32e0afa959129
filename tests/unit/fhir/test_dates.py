"""Dates are ranges; the prefixes compare ranges."""

from __future__ import annotations

from datetime import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.fhir import dates
from serment.fhir.dates import COMPARISONS, EARLIEST, LATEST

DAY = 86_400_000
SPANS = [(low, high) for low in range(6) for high in range(low + 1, 7)]
SPANS += [(EARLIEST, high) for high in range(1, 6)] + [(low, LATEST) for low in range(1, 6)]


@pytest.mark.parametrize(
    ("text", "low", "width"),
    [
        ("1970", 0, 365 * DAY),
        ("1970-01", 0, 31 * DAY),
        ("1970-12", 334 * DAY, 31 * DAY),
        ("1970-01-02", DAY, DAY),
        ("1970-01-02T01:00", DAY + 3_600_000, 60_000),
        ("1970-01-02T01:00Z", DAY + 3_600_000, 60_000),
        ("1970-01-02T01:00:30+01:00", DAY + 30_000, 1000),
        ("1970-01-01T20:00:00-05:00", DAY + 3_600_000, 1000),
        ("1970-01-01T14:00:00+14:00", 0, 1000),
        ("1970-01-01T12:59:00+12:59", 0, 1000),
        ("1970-01-01T00:00:00.5Z", 500, 100),
        ("1970-01-01T00:00:00.12Z", 120, 10),
        ("1970-01-01T00:00:00.123Z", 123, 1),
        ("1970-01-01T00:00:00.123456Z", 123, 1),
        ("1970-01-01T23:59:60Z", DAY, 1000),
        ("2024-02-29", 19_782 * DAY, DAY),
        ("9999", 253_370_764_800_000, 365 * DAY),
        ("9999-12-31", 253_402_214_400_000, DAY),
    ],
)
def test_a_date_is_the_range_of_what_it_says(text: str, low: int, width: int) -> None:
    assert dates.parse(text) == (low, low + width)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-",
        "2024-13",
        "2024-00",
        "2023-02-29",
        "2024-02-30",
        "2024-3-1",
        "0000",
        "2024-01-01T24:00",
        "2024-01-01T10",
        "2024-01-01T10:60",
        "2024-01-01T10:00:61",
        "2024-01-01T10:00+15:00",
        "2024-01-01T10:00+14:01",
        "2024-01-01T10:00+12:60",
        "2024-01-01T10:00 02:00",
        "2024-01-01 10:00",
        "٢٠٢٤",
        "2024\n",
        "2024-01-01T10:00:00.1234567890Z",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        dates.parse(text)


@given(st.datetimes())
def test_any_instant_is_written_and_read_back(moment: datetime) -> None:
    text = f"{moment.isoformat(timespec='milliseconds')}Z"
    assert dates.instant_text(dates.parse(text)[0]) == text


def test_prefixes_obey_their_laws_on_every_small_range() -> None:
    for asked, found in product(SPANS, SPANS):
        is_so = {prefix: compare(asked, found) for prefix, compare in COMPARISONS.items()}
        overlaps = found[0] < asked[1] and asked[0] < found[1]
        assert is_so["ne"] != is_so["eq"]
        assert is_so["ge"] == (is_so["gt"] or is_so["eq"])
        assert is_so["le"] == (is_so["lt"] or is_so["eq"])
        assert is_so["ap"] == overlaps
        assert overlaps + is_so["sa"] + is_so["eb"] == 1  # before, after or together: one of the three
        assert is_so["eq"] <= overlaps
        assert is_so["sa"] <= is_so["gt"]
        assert is_so["eb"] <= is_so["lt"]
        assert is_so["eq"] == (not is_so["gt"] and not is_so["lt"])


def test_prefixes_say_what_sets_of_instants_say() -> None:
    """The same by brute force: a range is the set of its instants."""
    for asked, found in product(SPANS[:21], SPANS[:21]):
        inside, there = set(range(*asked)), set(range(*found))
        above, below = set(range(asked[1], 9)), set(range(-3, asked[0]))
        assert COMPARISONS["eq"](asked, found) == (there <= inside)
        assert COMPARISONS["gt"](asked, found) == bool(above & there)
        assert COMPARISONS["lt"](asked, found) == bool(below & there)
        assert COMPARISONS["sa"](asked, found) == (there <= above)
        assert COMPARISONS["eb"](asked, found) == (there <= below)
        assert COMPARISONS["ap"](asked, found) == bool(inside & there)


def test_approximately_a_year_reaches_the_years_beside_it() -> None:
    low, high = dates.widened(dates.parse("2023"))
    assert (low, high) == (dates.parse("2022")[0], dates.parse("2024")[0] + 365 * DAY)
