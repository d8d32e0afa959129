"""Signing in by oneself: a password and a code, a passkey; what fails says the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from serment.errors import RequestError, SermentError, SignInError, TooManyError
from serment.people.local import Typed, step_of
from serment.people.lockout import FREE
from serment.people.people import People
from serment.record.entrance.factors import STEP_MS
from tests.installation import Installation, bare_installation
from tests.unit.people.local_people import (
    PASSWORD,
    Authenticator,
    Somebody,
    asking,
    doctor,
    enrolled,
    people_of,
    where,
    with_password,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("local")) as one:
        yield one


@pytest.fixture(scope="module")
def people(made: Installation) -> People:
    return people_of(made.house)


@pytest.fixture(scope="module")
def dorval(made: Installation, people: People) -> Somebody:
    return with_password(made.house, people, "dorval", doctor())


def test_a_password_and_a_code_prove_a_person(people: People, dorval: Somebody) -> None:
    typed = Typed(" Dorval ", PASSWORD, dorval.code())
    proven = people.entering.local.by_password(asking(dorval.house), typed, where())
    assert proven.account.id == dorval.account.id
    assert (proven.proof.factors, proven.must_renew, proven.must_review) == (2, False, False)


@pytest.mark.capability("4-16", "refuses")
def test_a_code_serves_once(people: People, dorval: Somebody) -> None:
    typed = Typed("dorval", PASSWORD, dorval.code(1))
    people.entering.local.by_password(asking(dorval.house), typed, where())
    with pytest.raises(SignInError) as refused:
        people.entering.local.by_password(asking(dorval.house), typed, where())
    assert refused.value.sentence == "signin.refused"


def test_a_recovery_code_serves_once_and_is_told(people: People, dorval: Somebody) -> None:
    typed = Typed("dorval", PASSWORD, dorval.recovery[0])
    people.entering.local.by_password(asking(dorval.house), typed, where())
    with pytest.raises(SignInError):
        people.entering.local.by_password(asking(dorval.house), typed, where())
    file = people.entering.drawer.get(asking(dorval.house), dorval.account.id)
    assert len(file.recovery) == 9
    assert file.notices[0].sentence == "signin.told-recovery"


def test_a_recovery_code_is_too_long_to_be_guessed_from_what_is_kept(
    people: People, dorval: Somebody
) -> None:
    shown = [one.replace("-", "") for one in dorval.recovery]
    assert {len(one) for one in shown} == {30}
    assert len(set(shown)) == len(shown)
    assert all(4 * len(one) >= 112 for one in shown)
    kept = people.entering.drawer.get(asking(dorval.house), dorval.account.id).recovery
    assert not any(bytes.fromhex(one) in digest for one in shown for digest in kept)


def test_a_one_time_code_is_over_after_the_step_beside_its_own(dorval: Somebody) -> None:
    now = dorval.house.passage.clock()
    for away in (-1, 0, 1):
        assert step_of(dorval.secret, dorval.code(away), now) == now // STEP_MS + away
    for away in (-3, -2, 2, 3):
        assert step_of(dorval.secret, dorval.code(away), now) == 0


@pytest.mark.parametrize(
    ("login", "password", "right"),
    [("dorval", "wrong password 1", True), ("dorval", PASSWORD, False), ("nobody.here", PASSWORD, True)],
)
def test_whatever_is_wrong_the_answer_is_one(
    people: People, dorval: Somebody, login: str, password: str, right: bool
) -> None:
    typed = Typed(login, password, dorval.code(-1) if right else "000000")
    with pytest.raises(SignInError) as refused:
        people.entering.local.by_password(asking(dorval.house), typed, where("elsewhere", "1.2.3.4"))
    assert refused.value.sentence == "signin.refused"


@pytest.mark.parametrize("login", ["somebody", "dorval"])
def test_tries_wait_longer_and_longer_for_a_login_that_is_there_and_one_that_is_not(
    people: People, dorval: Somebody, login: str
) -> None:
    typed, there = Typed(login, "not the password", "000000"), where("thief", "9.9.9.9")
    seen: list[SermentError] = []
    for _ in range(FREE[0] + 2):
        try:
            people.entering.local.by_password(asking(dorval.house), typed, there)
        except (SignInError, TooManyError) as error:
            seen.append(error)
    refused, slowed = ([one for one in seen if isinstance(one, kind)] for kind in (SignInError, TooManyError))
    assert len(refused) <= FREE[0]
    assert {one.parameters["seconds"] for one in slowed} <= {1, 2, 3}
    assert slowed


def test_a_doctor_signs_in_from_a_browser_of_theirs_while_somebody_tries_their_login(
    made: Installation, people: People
) -> None:
    somebody = with_password(made.house, people, "attacked", doctor())
    now = asking(made.house)
    proven = people.entering.local.by_password(
        now, Typed("attacked", PASSWORD, somebody.code()), where("own")
    )
    people.signing_in.begin(now, proven.account, "", proven.proof, "/", where("own"))
    for _ in range(FREE[0] + 3):
        with pytest.raises((SignInError, TooManyError)):
            people.entering.local.by_password(
                asking(made.house), Typed("attacked", "x", "0"), where("thief", "8.8.8.8")
            )
    typed = Typed("attacked", PASSWORD, somebody.code(1))
    assert people.entering.local.by_password(asking(made.house), typed, where("own")).account


def test_a_passkey_is_two_factors_and_its_challenge_serves_once(made: Installation, people: People) -> None:
    account = enrolled(made.house, people, "keyed", doctor())
    local, own, now = people.entering.local, people.entering.own, asking(made.house)
    device = Authenticator(local.party.origin, local.party.id, counter=1)
    invitation = people.entering.inviting.invite(now, account.id)
    asked = own.creation(now, account, where())
    own.join_by_passkey(now, invitation, device.make(asked.options), asked.ticket, where())
    challenge = local.challenge("sign-in", where(), now.now)
    answer = device.sign(challenge.options)
    proven = local.by_passkey(now, "sign-in", answer, challenge.ticket, where())
    assert (proven.account.id, proven.proof.factors) == (account.id, 2)
    with pytest.raises(SignInError):
        local.by_passkey(now, "sign-in", answer, challenge.ticket, where())
    other = local.challenge("sign-in", where(), now.now)
    with pytest.raises(SignInError):
        local.by_passkey(now, "sign-in", device.sign(other.options), other.ticket, where("another"))


@pytest.mark.capability("0-18", "refuses")
def test_a_passkey_that_did_not_verify_its_person_is_one_factor_and_refused(
    made: Installation, people: People
) -> None:
    account = enrolled(made.house, people, "unverified", doctor())
    local, own, now = people.entering.local, people.entering.own, asking(made.house)
    device = Authenticator(local.party.origin, local.party.id, verified=False)
    invitation = people.entering.inviting.invite(now, account.id)
    asked = own.creation(now, account, where())
    with pytest.raises(SignInError):
        own.join_by_passkey(now, invitation, device.make(asked.options), asked.ticket, where())


def test_a_password_known_as_leaked_proves_but_must_change(made: Installation, people: People) -> None:
    somebody = with_password(made.house, people, "leaky", doctor())
    leaked = "Motdepasse2024!!"
    from serment.keys.factors import password_hash
    from tests.unit.people.local_people import CHEAP

    people.entering.drawer.change(
        asking(made.house),
        somebody.account.id,
        lambda one: msgspec.structs.replace(one, password=password_hash(leaked, CHEAP)),
    )
    typed = Typed("leaky", leaked, somebody.code(1))
    proven = people.entering.local.by_password(asking(made.house), typed, where())
    assert proven.must_renew
    with pytest.raises(RequestError):
        people.entering.own.change_password(asking(made.house), somebody.account, leaked, leaked)
