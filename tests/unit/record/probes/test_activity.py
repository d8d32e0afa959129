"""What a month of work tells whoever runs the house, on plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from serment.ledger.entry import Kind
from serment.model import Instant
from serment.record.probes.activity import SMALLEST, by_month

NOW = Instant(int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000))


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.mark.capability("2-04", "lets")
def test_acts_are_counted_by_month_newest_first() -> None:
    days = [
        (Kind.ACCESS, day("2026-10-03"), 40),
        (Kind.ACCESS, day("2026-10-31"), 2),
        (Kind.WRITE, day("2026-09-30"), 12),
    ]
    october, september = by_month(days, NOW)
    assert (october.first, october.counts[Kind.ACCESS]) == (date(2026, 10, 1), 42)
    assert (september.first, september.counts[Kind.WRITE]) == (date(2026, 9, 1), 12)


@pytest.mark.capability("2-04", "refuses")
@pytest.mark.parametrize("count", [0, 1, SMALLEST - 1])
def test_a_small_count_is_told_like_none(count: int) -> None:
    """One refusal in a village would name somebody; and "0" told apart from "few" would, too."""
    days = [(Kind.ACCESS, day("2026-10-03"), 500), (Kind.REFUSAL, day("2026-10-03"), count)]
    (october,) = by_month(days, NOW)
    assert october.counts[Kind.REFUSAL] is None
    assert october.counts[Kind.ACCESS] == 500


@pytest.mark.capability("2-04", "refuses")
def test_the_month_that_runs_is_not_counted_day_after_day() -> None:
    """Two looks a day apart would tell by subtraction what one day held."""
    assert by_month([(Kind.ACCESS, day("2026-11-03"), 500)], NOW) == []


def test_what_people_chose_is_counted_for_nobody() -> None:
    (october,) = by_month([(Kind.FACTS, day("2026-10-03"), 500), (Kind.ACCESS, day("2026-10-03"), 10)], NOW)
    assert set(october.counts) == {Kind.ACCESS, Kind.WRITE, Kind.REFUSAL}
