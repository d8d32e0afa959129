"""What becomes of a notice, on plain values: heard of, taken, told, missed, given up."""

from __future__ import annotations

import msgspec
import pytest

from serment.record.subscriptions.outbox import (
    DUE,
    FAILED,
    GAP,
    IDLE,
    LEASE,
    LONGEST_PAUSE,
    MOST_TRIES,
    SENDING,
    Address,
    Notice,
)

NOW = 1_000_000
IDLE_ONE = Notice("s", "p", "rpps:1", "https://hook.example/told", 2 * NOW)


def test_a_match_is_due_at_once_and_others_wait_with_it() -> None:
    due = IDLE_ONE.matched(NOW)
    assert (due.state, due.since, due.is_due(NOW)) == (DUE, NOW, True)
    assert due.matched(NOW + 1) is due


def test_an_earlier_match_that_is_written_later_is_not_older_than_what_is_told() -> None:
    due = IDLE_ONE.matched(NOW).matched(NOW - 5)
    assert (due.state, due.since, due.next) == (DUE, NOW - 5, NOW)
    again = IDLE_ONE.matched(NOW).taken(NOW).matched(NOW + 9).matched(NOW + 5)
    assert (again.state, again.again) == (SENDING, NOW + 5)
    missed = IDLE_ONE.matched(NOW).taken(NOW).matched(NOW - 5).missed(NOW)
    assert (missed.state, missed.since) == (DUE, NOW - 5)


def test_what_waits_goes_on_waiting_when_the_subscription_is_changed() -> None:
    due = IDLE_ONE.matched(NOW)
    assert due.changed(3 * NOW) == msgspec.structs.replace(due, end=3 * NOW)
    sending = due.taken(NOW).matched(NOW + 5)
    assert sending.changed(3 * NOW) == msgspec.structs.replace(sending, end=3 * NOW)
    assert sending.failed().changed(3 * NOW) == msgspec.structs.replace(IDLE_ONE, end=3 * NOW)


def test_a_sender_has_it_for_a_time_and_then_another_may() -> None:
    taken = IDLE_ONE.matched(NOW).taken(NOW)
    assert (taken.state, taken.tries) == (SENDING, 1)
    assert not taken.is_due(NOW + LEASE - 1)
    assert taken.is_due(NOW + LEASE)


def test_what_is_told_rests_for_a_moment() -> None:
    told = IDLE_ONE.matched(NOW).taken(NOW).told(NOW + 10)
    assert (told.state, told.since, told.tries) == (IDLE, 0, 0)
    assert told.matched(NOW + 20).next == NOW + 10 + GAP


def test_what_matched_on_the_way_is_told_next_from_its_own_instant() -> None:
    again = IDLE_ONE.matched(NOW).taken(NOW).matched(NOW + 5).matched(NOW + 6).told(NOW + 10)
    assert (again.state, again.since, again.next) == (DUE, NOW + 5, NOW + 10 + GAP)


def test_what_was_missed_keeps_its_instant_and_is_tried_ever_later() -> None:
    notice, pauses = IDLE_ONE.matched(NOW), []
    for _ in range(MOST_TRIES - 1):
        notice = notice.taken(NOW).matched(NOW + 1).missed(NOW)
        assert (notice.state, notice.since) == (DUE, NOW)
        pauses.append(notice.next - NOW)
    assert pauses == sorted(pauses)
    assert pauses[:3] == [10_000, 20_000, 40_000]
    assert pauses[-1] == LONGEST_PAUSE
    given_up = notice.taken(NOW).missed(NOW)
    assert given_up.state == FAILED
    assert given_up.matched(NOW + 9) is given_up
    assert not given_up.is_due(NOW * 9)


def test_what_is_older_stays_readable() -> None:
    packed = msgspec.msgpack.encode(IDLE_ONE.matched(NOW))
    assert msgspec.msgpack.decode(packed, type=Notice) == IDLE_ONE.matched(NOW)


@pytest.mark.parametrize("one", [IDLE_ONE, Address("lab", "https://a.example", "FR", "", "secret", False, 1)])
def test_a_repr_says_nobody_and_no_secret(one: object) -> None:
    assert "rpps" not in repr(one)
    assert "secret" not in repr(one)
