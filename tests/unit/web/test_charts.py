"""Curves: a gap is a gap, a shape says what is out of range, everything stays within the picture."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.web.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Point, picture, stretches

DAY = 86_400_000


def line(*days: int, value: float = 5.0) -> list[Point]:
    return [Point(day * DAY, value + day / 100) for day in days]


def test_a_long_silence_breaks_the_line() -> None:
    runs = stretches(line(0, 30, 60, 90, 300, 330))
    assert [[point.at // DAY for point in run] for run in runs] == [[0, 30, 60, 90], [300, 330]]


def test_a_line_is_not_broken_by_the_usual_interval_three_times_over() -> None:
    assert len(stretches(line(0, 30, 60, 150))) == 1
    assert len(stretches(line(0, 30, 60, 151))) == 2


def test_two_or_three_measures_say_nothing_of_what_is_usual() -> None:
    assert len(stretches(line(0, 1, 900))) == 1


def test_a_value_that_is_missing_breaks_the_line() -> None:
    runs = stretches([Point(0, 5.0), Point(DAY, None), Point(2 * DAY, 5.0)])
    assert [len(run) for run in runs] == [1, 1]


def test_a_gap_is_drawn_on_the_axis_of_time_and_never_between_values() -> None:
    drawn = picture([line(0, 30, 60, 90, 300, 330)])
    assert drawn is not None
    assert drawn.broken
    (gap,) = drawn.lines[0].gaps
    base = str(HEIGHT - BOTTOM)
    assert [place.split()[1] for place in gap[1:].split("L")] == [base, base]
    assert len(drawn.lines[0].stretches) == 2


def test_values_that_follow_without_any_time_between_are_one_stretch() -> None:
    assert len(stretches([Point(0, 1.0)] * 4 + [Point(DAY, 2.0)])) == 1


def test_a_shape_says_what_is_out_of_range() -> None:
    standings = ("inside", "high", "low", "outside", "unknown")
    points = [Point(place * DAY, 5.0, standing) for place, standing in enumerate(standings)]
    drawn = picture([points])
    assert drawn is not None
    shapes = [mark.shape for mark in drawn.lines[0].marks]
    assert [mark.out for mark in drawn.lines[0].marks] == [False, True, True, True, False]
    assert len({shape.count("L") for shape in shapes[1:3]}) == 1
    assert len(set(shapes)) == 4


def test_a_bound_has_a_shape_of_its_own() -> None:
    drawn = picture([[Point(0, 5.0, bound="<"), Point(DAY, 5.0)]])
    assert drawn is not None
    assert [bool(mark.shape) for mark in drawn.lines[0].marks] == [True, False]


def test_the_band_follows_the_range_of_each_value() -> None:
    points = [
        Point(0, 5.0, low=4, high=6),
        Point(DAY, 5.0, low=4, high=6),
        Point(2 * DAY, 5.0, low=4, high=7),
    ]
    drawn = picture([points])
    assert drawn is not None
    one, two = drawn.bands
    assert one.x + one.width == pytest.approx(two.x)
    assert two.height > one.height


def test_a_value_without_a_range_has_no_band() -> None:
    drawn = picture([line(0, 1)])
    assert drawn is not None
    assert drawn.bands == []


def test_nothing_measured_is_no_picture() -> None:
    assert picture([[Point(0, None)], []]) is None


def test_years_stand_on_the_axis_of_time_when_there_are_several() -> None:
    at = [round(datetime(year, 6, 1, tzinfo=UTC).timestamp() * 1000) for year in (2021, 2023, 2025)]
    drawn = picture([[Point(one, 5.0) for one in at]])
    assert drawn is not None
    assert drawn.by_year
    assert [datetime.fromtimestamp(tick.value / 1000, UTC).year for tick in drawn.across] == [
        2022,
        2023,
        2024,
        2025,
    ]


instants = st.integers(-62_000_000_000_000, 253_000_000_000_000)
values = st.floats(-1e12, 1e12, allow_nan=False) | st.none()
points = st.builds(
    Point, instants, values, st.sampled_from(["inside", "high", "low"]), st.just(""), values, values
)


@given(st.lists(st.lists(points, max_size=12), max_size=3))
def test_whatever_was_measured_stays_within_the_picture(lines: list[list[Point]]) -> None:
    drawn = picture(lines)
    if drawn is None:
        assert all(point.value is None for one in lines for point in one)
        return
    marks = [mark for one in drawn.lines for mark in one.marks]
    assert len(marks) == sum(point.value is not None for one in lines for point in one)
    for mark in marks:
        assert LEFT <= mark.x <= WIDTH - RIGHT
        assert TOP <= mark.y <= HEIGHT - BOTTOM
    for band in drawn.bands:
        assert band.width >= 0
        assert band.height > 0
    for tick in (*drawn.up, *drawn.across):
        assert 0 <= tick.place <= WIDTH
    assert len(drawn.up) <= 7
