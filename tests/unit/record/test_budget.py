"""How often one actor may do a thing that teaches by repetition."""

from __future__ import annotations

import pytest

from serment.errors import TooManyError
from serment.model import ActorId, Instant
from serment.record.budget import Budget, Quota

ONE, OTHER = ActorId("rpps:1"), ActorId("rpps:2")


def quota(most: int = 3) -> Quota:
    return Quota(most, 1_000, "record.too-many-shown")


def test_a_quota_counts_different_things_and_those_shown_again_are_free() -> None:
    counts = quota()
    for _ in range(10):
        counts.spend(ONE, ["a", "b", "c"], Instant(0))
    with pytest.raises(TooManyError):
        counts.spend(ONE, ["a", "d"], Instant(0))
    counts.spend(ONE, ["a"], Instant(0))


def test_what_is_refused_is_not_counted() -> None:
    counts = quota()
    counts.spend(ONE, ["a"], Instant(0))
    with pytest.raises(TooManyError):
        counts.spend(ONE, ["b", "c", "d"], Instant(0))
    counts.spend(ONE, ["b", "c"], Instant(0))


def test_a_quota_is_each_actors_own_and_ends_with_its_window() -> None:
    counts = quota(1)
    counts.spend(ONE, ["a"], Instant(0))
    counts.spend(OTHER, ["b"], Instant(0))
    with pytest.raises(TooManyError) as refused:
        counts.spend(ONE, ["b"], Instant(400))
    assert refused.value.parameters["seconds"] == 1
    counts.spend(ONE, ["b"], Instant(1_000))


def test_nothing_shown_costs_nothing() -> None:
    counts = quota(0)
    counts.spend(ONE, [], Instant(0))


def test_a_budget_that_is_spent_says_when_it_comes_back() -> None:
    budget = Budget(1, 10_000, "record.too-many-searches")
    budget.spend(ONE, Instant(0))
    with pytest.raises(TooManyError) as refused:
        budget.spend(ONE, Instant(1_000))
    assert refused.value.parameters["seconds"] == 10
