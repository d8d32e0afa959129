"""Accounts: one person, several exercises, one role at a time, nothing after they have left."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from serment.errors import ConflictError, SignInError
from serment.model import ActorKind, Function, Instant, Purpose, RequestId
from serment.people.accounts import Account, Exercise, by_actor, by_login
from serment.people.people import People
from serment.people.signing import Proof
from serment.record.asking import Asking
from serment.record.today import KEEPER
from serment.record.writing import new_id
from tests.installation import Installation, bare_installation

DOCTOR = "rpps:10000000009"
TWO = (
    Exercise("1", DOCTOR, "professional", "associate", "10", structure="a", label="Cabinet"),
    Exercise("2", DOCTOR, "professional", "hospital-doctor", "10", structure="b", label="Hôpital"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("people")) as one:
        yield one


@pytest.fixture(scope="module")
def people(made: Installation) -> People:
    return People.of(made.house)


def asking(made: Installation) -> Asking:
    now = made.house.passage.clock()
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def proof(asking: Asking, factors: int = 2) -> Proof:
    return Proof(("hwk", "user"), factors, asking.now)


def test_an_account_is_found_by_login_subject_and_actor(made: Installation, people: People) -> None:
    who = Account("", "Dr Dorval", TWO, "Dorval", (("https://issuer", "s1"),))
    account = people.accounts.add(asking(made), who)
    assert people.accounts.find(asking(made), by_login(" dorval ")) == account
    assert people.accounts.find(asking(made), by_actor(DOCTOR)) == account
    renamed = people.accounts.change(
        asking(made), account.id, lambda one: msgspec.structs.replace(one, login="dorval.m")
    )
    assert people.accounts.find(asking(made), by_login("dorval")) is None
    assert people.accounts.find(asking(made), by_login("DORVAL.M")) == renamed


def test_two_accounts_of_one_person_are_refused(made: Installation, people: People) -> None:
    with pytest.raises(ConflictError):
        people.accounts.add(asking(made), Account("", "again", TWO[:1], "other"))


def test_the_exercise_that_is_chosen_rules_the_session(made: Installation, people: People) -> None:
    account = people.accounts.find(asking(made), by_actor(DOCTOR))
    assert account is not None
    now = asking(made)
    first = people.signing_in.begin(now, account, "1", proof(now))
    assert made.house.sessions.open(first, now.now).actor.structure == "a"
    now = asking(made)
    second = people.signing_in.begin(now, account, "2", proof(now))
    later = made.house.passage.clock()
    assert made.house.sessions.open(second, later).actor.function is Function.HOSPITAL_DOCTOR
    with pytest.raises(SignInError):
        made.house.sessions.open(first, later)


def test_whoever_acts_for_another_is_no_holder_of_the_record_that_they_are_led_to() -> None:
    """The exercise says where it leads; the actor that the decision reads is a proxy of nothing yet."""
    led = Exercise("2", "proxy:r1", "proxy", patient="p1").actor_named("Anne")
    assert (led.kind, led.patient) == (ActorKind.PROXY, None)
    own = Exercise("1", "patient:p1", "patient", patient="p1").actor_named("Anne")
    assert own.patient == "p1"


def test_one_factor_a_wrong_exercise_or_a_leaver_gets_nothing(made: Installation, people: People) -> None:
    account = people.accounts.find(asking(made), by_actor(DOCTOR))
    assert account is not None
    now = asking(made)
    with pytest.raises(SignInError):
        people.signing_in.begin(now, account, "1", proof(now, 1))
    with pytest.raises(SignInError):
        people.signing_in.begin(now, account, "", proof(now))
    gone = msgspec.structs.replace(account, left=now.now)
    with pytest.raises(SignInError):
        people.signing_in.begin(now, gone, "1", proof(now))


def test_all_that_an_actor_began_ends_at_once_and_what_begins_later_lasts(made: Installation) -> None:
    actor = TWO[0].actor_named("Dr Dorval")
    sessions, clock = made.house.sessions, made.house.passage.clock
    one, two = (sessions.begin(actor, Purpose.TREAT, clock()) for _ in range(2))
    code = sessions.issue(actor, Purpose.TREAT, clock(), once=True)
    sessions.end_all(actor.id, KEEPER, clock())
    for secret in (one, two):
        with pytest.raises(SignInError):
            sessions.open(secret, clock())
    with pytest.raises(SignInError):
        sessions.exchange(code, clock())
    later = sessions.begin(actor, Purpose.TREAT, clock())
    assert sessions.open(later, Instant(clock() + 1)).actor.kind is ActorKind.PROFESSIONAL


@pytest.mark.capability("1-15", "refuses")
def test_whoever_leaves_between_the_proof_and_the_session_does_not_come_in(
    made: Installation, people: People
) -> None:
    role = msgspec.structs.replace(TWO[0], id="9", actor="rpps:10100000008")
    account = people.staff.enrol(asking(made), "Dr Part", "part", [role])
    people.staff.leave(asking(made), account.id, asking(made).now)
    now = asking(made)
    with pytest.raises(SignInError):
        people.signing_in.begin(now, account, "9", proof(now))


def test_an_end_of_everything_is_known_to_a_process_that_starts_later(made: Installation) -> None:
    actor = TWO[0].actor_named("Dr Dorval")
    secret = made.house.sessions.begin(actor, Purpose.TREAT, made.house.passage.clock())
    made.house.sessions.end_all(actor.id, KEEPER, made.house.passage.clock())
    made.house.close()
    house = made.reopen()
    with pytest.raises(SignInError):
        house.sessions.open(secret, house.passage.clock())
