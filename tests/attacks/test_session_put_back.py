"""Somebody has signed out, and the row of their session is put back by hand; so is that of a spent code."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from serment import app
from serment.errors import IntegrityError, LedgerError, SignInError
from serment.keys.custody.contract import StoreKind
from serment.model import Instant, Purpose
from serment.record.entrance.sessions import SWEPT, Sessions
from tests.attacks.sql import Row, Thief
from tests.installation import Installation

DAY = 24 * 3600 * 1000


def issued(made: Installation, *, once: bool = False, now: Instant | None = None) -> str:
    actor, at = made.staff("team-doctor"), now or made.house.passage.clock()
    return made.house.sessions.issue(actor, Purpose.TREAT, at, once=once)


def row_of(made: Installation, thief: Thief, secret: str) -> list[Row]:
    token = made.house.passage.installation.session_token(secret)
    return thief.saved("session", "token = ?", token)


def another(made: Installation) -> Sessions:
    """Give what a second process of ours would hold, over the same store."""
    return Sessions(made.house.passage, StoreKind.DEMO)


def opens(sessions: Sessions, secret: str, now: Instant) -> bool:
    try:
        sessions.open(secret, now)
    except SignInError:
        return False
    return True


def test_a_session_that_was_ended_stays_ended(made: Installation, thief: Thief) -> None:
    secret, now = issued(made), made.house.passage.clock()
    row = row_of(made, thief, secret)
    assert opens(made.house.sessions, secret, now)
    made.house.sessions.end(secret)
    thief.put("session", row)
    assert not opens(made.house.sessions, secret, now)


def test_another_process_that_has_the_session_open_knows_at_once(made: Installation, thief: Thief) -> None:
    """It never saw the row gone: the row was back before its next request."""
    secret, now, other = issued(made), made.house.passage.clock(), another(made)
    row = row_of(made, thief, secret)
    assert opens(other, secret, now)
    made.house.sessions.end(secret)
    thief.put("session", row)
    assert not opens(other, secret, now)


def test_a_server_that_starts_again_knows(made: Installation, thief: Thief) -> None:
    secret, kept = issued(made), issued(made)
    row = row_of(made, thief, secret)
    made.house.sessions.end(secret)
    thief.put("session", row)
    made.house.close()
    house = made.reopen()
    assert not opens(house.sessions, secret, house.passage.clock())
    assert opens(house.sessions, kept, house.passage.clock())


@pytest.mark.parametrize("restarted", [False, True])
def test_a_spent_code_is_spent(made: Installation, thief: Thief, *, restarted: bool) -> None:
    code, now = issued(made, once=True), made.house.passage.clock()
    row = row_of(made, thief, code)
    assert made.house.sessions.exchange(code, now)
    thief.put("session", row)
    sessions = another(made) if restarted else made.house.sessions
    for _ in range(2):
        with pytest.raises(SignInError):
            sessions.exchange(code, now)


def test_an_end_of_the_last_hour_of_a_year_holds_in_the_next(made: Installation, thief: Thief) -> None:
    year = datetime.now(UTC).year + 1
    midnight = int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)
    eve, morning = Instant(midnight - 1_800_000), Instant(midnight + 1_800_000)
    passage = replace(made.house.passage, clock=lambda: eve)
    sessions = Sessions(passage, StoreKind.DEMO)
    secret = sessions.issue(made.staff("team-doctor"), Purpose.TREAT, eve)
    row = row_of(made, thief, secret)
    assert opens(sessions, secret, morning)
    sessions.end(secret)
    thief.put("session", row)
    assert not opens(sessions, secret, morning)
    assert not opens(another(made), secret, morning)


def test_the_end_taken_out_of_a_running_server_s_ledger_is_missed(made: Installation, thief: Thief) -> None:
    secret, kept, now = issued(made), issued(made), made.house.passage.clock()
    row = row_of(made, thief, secret)
    made.house.sessions.end(secret)
    assert opens(made.house.sessions, kept, now)
    (newest,) = thief.rows("SELECT max(sequence) FROM entry")[0]
    assert isinstance(newest, int)
    with thief.changed("entry", "DELETE FROM entry WHERE sequence = ?", newest):
        thief.put("session", row)
        with pytest.raises(LedgerError):
            made.house.sessions.open(secret, now)


def test_the_end_taken_out_of_the_ledger_of_a_stopped_server_keeps_it_shut(
    untouched: Installation,
) -> None:
    made, thief = untouched, Thief(untouched)
    secret = issued(made)
    row = row_of(made, thief, secret)
    made.house.sessions.end(secret)
    made.house.proving.checkpoint()
    made.house.close()
    thief.rows("DELETE FROM entry WHERE sequence = (SELECT max(sequence) FROM entry)")
    thief.put("session", row)
    thief.close()
    with pytest.raises(IntegrityError):
        app.open_house(made.settings)


# Rows that are over.


def test_rows_that_are_over_are_swept_some_at_each_sign_in(untouched: Installation) -> None:
    made, thief = untouched, Thief(untouched)
    now = made.house.passage.clock()
    old = Instant(now - 3 * DAY)
    live = [issued(made) for _ in range(3)]
    for _ in range(4 * SWEPT):
        issued(made, now=old)
    before = len(thief.rows("SELECT token FROM session"))
    issued(made)
    assert before - SWEPT <= len(thief.rows("SELECT token FROM session")) < before
    live += [issued(made) for _ in range(6)]
    assert len(thief.rows("SELECT token FROM session")) == len(live) + 1
    assert all(opens(made.house.sessions, secret, now) for secret in live)
    thief.close()
