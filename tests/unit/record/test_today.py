"""Who is on the unit list, by the dated acts of care of a record: plain values."""

from __future__ import annotations

import pytest

from serment.access.record_facts import (
    APPOINTMENT,
    CARE_TEAM,
    DECLARED,
    ENCOUNTER,
    ORDER,
    REGISTRATION,
    STAY,
    RecordFacts,
    TeamFact,
)
from serment.model import Instant
from serment.record.today import DAY, MOST_RUNNING, RUNNING, day, days, places

HOUR = 3600 * 1000
NOW = Instant(1_795_312_800_000)  # 2026-11-22T02:00:00Z
TODAY, TOMORROW = "2026-11-22", "2026-11-23"


def facts(kind: str, start: float, end: float | None = None, said: int = 0) -> RecordFacts:
    """Give a record with one act of care, in hours from now."""
    until = None if end is None else int(NOW + end * HOUR)
    return RecordFacts(team=(TeamFact("rpps:1", kind, int(NOW + start * HOUR), until, said=said),))


@pytest.mark.parametrize(
    ("kind", "start", "end", "parts"),
    [
        (APPOINTMENT, 7, 7.5, {TODAY}),
        (APPOINTMENT, 26, 26.5, {TOMORROW}),
        (APPOINTMENT, 21.75, 22.25, {TODAY, TOMORROW}),
        (APPOINTMENT, -1, -0.5, {TODAY}),
        (APPOINTMENT, -40, -39, set()),
        (ENCOUNTER, -1, None, {TODAY}),
        (ENCOUNTER, -24 * 90, None, set()),
        (ENCOUNTER, -2, 50, {RUNNING}),
        (STAY, -24 * 20, None, {RUNNING}),
        (STAY, -24 * 20, 24 * 5, {RUNNING}),
        (STAY, 24 * 5, 24 * 9, {RUNNING}),
        (STAY, -24 * 20, -24 * 2, set()),
        (STAY, 1, -1, set()),
        (STAY, -24 * 400, None, set()),
        (ORDER, 0, None, set()),
        (CARE_TEAM, -24, None, set()),
        (DECLARED, 0, None, set()),
        (REGISTRATION, 0, 24, set()),
        ("something-new", 0, 24, set()),
    ],
)
def test_an_act_of_care_stands_where_somebody_is_here_or_expected(
    kind: str, start: float, end: float | None, parts: set[str]
) -> None:
    assert set(places(facts(kind, start, end), NOW)) == parts


def test_a_stay_that_is_said_to_run_is_listed_a_year_from_then() -> None:
    old = facts(STAY, -24 * 400, said=NOW - DAY)
    assert places(old, NOW) == {RUNNING: (NOW - 400 * DAY, NOW - DAY + MOST_RUNNING)}


def test_two_acts_on_one_day_make_one_span() -> None:
    morning, evening = facts(APPOINTMENT, 5, 5.5), facts(APPOINTMENT, 15, 16)
    both = RecordFacts(team=(*morning.team, *evening.team))
    assert places(both, NOW) == {TODAY: (NOW + 5 * HOUR, NOW + 16 * HOUR)}


def test_the_evening_already_prepares_the_morning() -> None:
    assert days(NOW) == (RUNNING, TODAY)
    assert days(Instant(NOW + 12 * HOUR)) == (RUNNING, TODAY, TOMORROW)
    assert day(NOW) == TODAY
