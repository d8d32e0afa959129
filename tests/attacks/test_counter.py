"""The counter: a code guessed, used twice, kept, handed over by a stranger; a session that does too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.access.record_facts import BLOCKED
from serment.errors import RefusedError, RequestError, SignInError, TooManyError
from serment.model import EmergencyReason, Instant, PatientId, Purpose, RequestId
from serment.people.counter import CODE_MS, FREE, LENGTH, SESSION_MS, Counter
from serment.people.signing import Where
from serment.record.asking import Asking
from serment.record.entrance.session_rows import COUNTER_IDLE_MS
from serment.record.registry import Registry
from serment.record.today import KEEPER
from serment.record.writing import new_id
from tests.installation import Installation, installation, run

SECOND = 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("counter")) as one:
        yield one


def counter(made: Installation) -> Counter:
    house = made.house
    return Counter(house.passage, house.reading, house.writing, house.sessions)


def nobody(made: Installation, later: int = 0) -> Asking:
    now = Instant(made.house.passage.clock() + later)
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def tablet(made: Installation, source: str = "10.0.0.7") -> Where:
    return Where(made.house.sessions.device_of("tablet"), "Safari, iPad", source, "10.0.")


def handed(made: Installation, role: str = "patient", by: str = "secretary") -> str:
    return run(counter(made).hand_over(made.as_staff(by), made.record(role), "document")).text


def test_the_secretary_hands_over_a_code_and_the_patient_reads_their_record(made: Installation) -> None:
    text = handed(made)
    secret = run(counter(made).open(nobody(made), f" {text[:5].lower()}-{text[5:]} ", tablet(made)))
    now = made.house.passage.clock()
    session = made.house.sessions.open(secret, now, "tablet")
    assert (session.actor.patient, session.bound.at_counter) == (made.record(), True)
    assert session.ends <= now + SESSION_MS
    bodies = run(made.house.proving.trail(made.as_patient(), made.record()))
    told = {body.event.reason: body.event.actor for body in bodies if "counter" in body.event.reason}
    assert told == {
        "counter-document": made.staff("secretary").id,
        "counter": f"patient:{made.record()}",
    }


def test_a_code_used_twice_opens_nothing(made: Installation) -> None:
    text = handed(made)
    run(counter(made).open(nobody(made), text, tablet(made)))
    with pytest.raises(SignInError):
        run(counter(made).open(nobody(made), text, tablet(made)))


def test_a_code_kept_for_later_opens_nothing(made: Installation) -> None:
    text = handed(made)
    with pytest.raises(SignInError):
        run(counter(made).open(nobody(made, CODE_MS + SECOND), text, tablet(made)))


def test_an_earlier_code_of_the_same_person_opens_nothing(made: Installation) -> None:
    first, second = handed(made), handed(made)
    with pytest.raises(SignInError):
        run(counter(made).open(nobody(made), first, tablet(made)))
    assert run(counter(made).open(nobody(made), second, tablet(made)))


def test_codes_are_not_guessed(made: Installation) -> None:
    source = tablet(made, "10.0.0.66")
    for _ in range(FREE):
        with pytest.raises(SignInError):
            run(counter(made).open(nobody(made), "ABCDEFGHJK", source))
    with pytest.raises((SignInError, TooManyError)):
        run(counter(made).open(nobody(made), "ABCDEFGHJK", source))
    with pytest.raises(TooManyError):
        run(counter(made).open(nobody(made), handed(made), source))
    assert run(counter(made).open(nobody(made), handed(made), tablet(made, "10.0.0.67")))


def test_a_code_stands_nowhere_in_the_store(made: Installation) -> None:
    text = handed(made)
    kept = Registry(made.house.passage).all(nobody(made), "counter")
    assert len(text) == LENGTH
    assert all(text.encode() not in value for value in kept.values())


def test_whom_the_patient_has_blocked_hands_a_code_over_to_themselves(made: Installation) -> None:
    """It is a paper like any other, told like any other, and opens nothing; the desk's own opens."""
    doctor = made.staff("team-doctor").id
    run(made.house.choosing.block(made.as_patient(), made.record(), doctor.partition(":")[2]))
    try:
        text = handed(made, by="team-doctor")
        assert len(text) == LENGTH
        with pytest.raises(SignInError):
            run(counter(made).open(nobody(made), text, tablet(made)))
        assert run(counter(made).open(nobody(made), handed(made), tablet(made)))
    finally:
        standing = run(made.house.chosen.standing(made.as_patient(), made.record()))
        for one in standing.of(BLOCKED):
            run(made.house.choosing.take_back(made.as_patient(), made.record(), one.id))
    assert run(counter(made).open(nobody(made), handed(made, by="team-doctor"), tablet(made)))


@pytest.mark.parametrize("role", ["unrelated-doctor", "officer", "dpo", "researcher", "pharmacist"])
def test_who_may_not_see_who_the_person_is_hands_over_nothing(made: Installation, role: str) -> None:
    with pytest.raises(RefusedError) as refused:
        run(counter(made).hand_over(made.as_staff(role), made.record(), "document"))
    with pytest.raises(RefusedError) as unknown:
        run(counter(made).hand_over(made.as_staff(role), PatientId(new_id()), "document"))
    assert refused.value.sentence == unknown.value.sentence == "counter.not-yours"


def test_no_code_is_handed_over_by_a_patient_or_without_a_check(made: Installation) -> None:
    with pytest.raises(RefusedError):
        run(counter(made).hand_over(made.as_patient(), made.record(), "document"))
    with pytest.raises(RequestError):
        run(counter(made).hand_over(made.as_staff("secretary"), made.record(), "no"))


def test_an_emergency_hands_over_nothing(made: Installation) -> None:
    urgent = replace(
        made.as_staff("emergency-doctor"),
        purpose=Purpose.EMERGENCY,
        reasons=frozenset({EmergencyReason.LIFE_THREAT}),
    )
    with pytest.raises(RefusedError):
        run(counter(made).hand_over(urgent, made.record(), "document"))


def test_a_tablet_left_alone_shows_nothing_after_five_minutes(made: Installation) -> None:
    secret = run(counter(made).open(nobody(made), handed(made), tablet(made)))
    now = made.house.passage.clock()
    assert made.house.sessions.open(secret, Instant(now + 4 * 60 * SECOND), "tablet")
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, Instant(now + 4 * 60 * SECOND + COUNTER_IDLE_MS + SECOND), "tablet")
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, Instant(now + SECOND), "tablet")


def test_a_session_carried_away_from_the_tablet_ends(made: Installation) -> None:
    secret = run(counter(made).open(nobody(made), handed(made), tablet(made)))
    now = made.house.passage.clock()
    for device in ("", "thief"):
        with pytest.raises(SignInError):
            made.house.sessions.open(secret, now, device)
    with pytest.raises(SignInError):
        made.house.sessions.open(secret, now, "tablet")
