"""A session is what its row says at each request; what is kept opened never outlives the row."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import pytest

from serment.errors import SignInError
from serment.model import Instant, Purpose
from serment.record.entrance import sessions
from tests.installation import Installation, bare_installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("sessions")) as made:
        yield made


def issued(made: Installation, role: str = "team-doctor") -> tuple[str, Instant]:
    now = made.house.passage.clock()
    return made.house.sessions.issue(made.staff(role), Purpose.TREAT, now), now


def test_a_session_says_the_same_each_time(made: Installation) -> None:
    secret, now = issued(made)
    first, again = (made.house.sessions.open(secret, now) for _ in range(2))
    assert first == again
    assert first.actor == made.staff("team-doctor")


def test_a_session_that_was_open_is_over_once_it_is_ended(made: Installation) -> None:
    secret, now = issued(made)
    made.house.sessions.open(secret, now)
    made.house.sessions.end(secret)
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, now)


def test_a_row_dropped_behind_our_back_ends_the_session_at_once(made: Installation) -> None:
    secret, now = issued(made)
    passage = made.house.passage
    made.house.sessions.open(secret, now)
    token = passage.installation.session_token(secret)
    passage.store.submit(lambda txn: txn.drop_session(token)).result()
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, now)


def test_an_open_session_still_ends_at_its_hour(made: Installation) -> None:
    secret, now = issued(made)
    made.house.sessions.open(secret, now)
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, Instant(now + sessions.SESSION_MS))


def test_a_code_opens_nothing_however_often_it_is_shown(made: Installation) -> None:
    now = made.house.passage.clock()
    code = made.house.sessions.issue(made.staff("team-doctor"), Purpose.TREAT, now, once=True)
    for _ in range(2):
        with pytest.raises(SignInError):
            made.house.sessions.open(code, now)


def test_more_sessions_than_are_kept_opened_all_stay_open(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_OPENED", 2)
    secrets = [issued(made)[0] for _ in range(4)]
    now = made.house.passage.clock()
    for secret in [*secrets, *secrets]:
        assert made.house.sessions.open(secret, now).actor == made.staff("team-doctor")


def test_secrets_of_sessions_are_of_256_random_bits(made: Installation) -> None:
    now, actor = made.house.passage.clock(), made.staff("team-doctor")
    secrets = {made.house.sessions.issue(actor, Purpose.TREAT, now) for _ in range(20)}
    assert len(secrets) == 20
    assert {len(b64decode(one + "=", altchars=b"-_")) for one in secrets} == {32}
