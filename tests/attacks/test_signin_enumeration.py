"""Somebody asks which logins exist: by what is answered, by how long it takes, by the work that is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import SermentError, SignInError, TooManyError
from serment.people import local
from serment.people.accounts import Account
from serment.people.local import Typed
from serment.people.lockout import FREE
from serment.people.people import People
from serment.record.entrance.factors import password_matches
from serment.record.house import House
from tests.attacks.watching import Log, watched
from tests.installation import Installation, bare_installation
from tests.unit.people.local_people import (
    CHEAP,
    PASSWORD,
    asking,
    doctor,
    enrolled,
    people_of,
    where,
    with_password,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("enumeration")) as one:
        yield one


@pytest.fixture(scope="module")
def watching(made: Installation) -> tuple[House, People, Log]:
    """Give an installation that writes down what is asked of it, with three people."""
    house, log = watched(made.house)
    people = people_of(house)
    with_password(house, people, "here", doctor())
    enrolled(house, people, "uninvited", doctor())
    gone = with_password(house, people, "gone", doctor())
    people.accounts.change(asking(house), gone.account.id, _left)
    with pytest.raises(SignInError):
        people.entering.local.by_password(asking(house), Typed("first", "x", "0"), where("z", "7.7.7.7"))
    return house, people, log


def _left(account: Account) -> Account:
    from msgspec.structs import replace as changed

    return changed(account, left=1)


LOGINS = ("here", "uninvited", "gone", "nobody-has-this", "~nobody", "")


def tried(watching: tuple[House, People, Log], login: str, password: str, number: int) -> tuple[str, Log]:
    """Try once from a network of its own: what was answered, what was asked of the store, and each hash."""
    house, people, log = watching
    matches = password_matches

    def counting(password: str, kept: str) -> bool:
        log.append(f"argon2id {kept.split('$')[3]}")
        return matches(password, kept)

    there = where("thief", f"10.{number}.0.1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "password_matches", counting)
        log.clear()
        with pytest.raises(SermentError) as refused:
            people.entering.local.by_password(asking(house), Typed(login, password, "000000"), there)
    return refused.value.sentence, list(log)


@pytest.mark.capability("0-06", "refuses")
def test_every_login_is_answered_alike_by_the_same_work(watching: tuple[House, People, Log]) -> None:
    seen = [tried(watching, login, PASSWORD, number) for number, login in enumerate(LOGINS)]
    assert {one[0] for one in seen} == {"signin.refused"}
    assert sum("argon2id" in one for one in seen[0][1]) == 1
    for login, (_, log) in zip(LOGINS, seen, strict=True):
        assert log == seen[0][1], login


def test_a_right_password_without_the_code_is_no_answer_either(watching: tuple[House, People, Log]) -> None:
    right = tried(watching, "here", PASSWORD, 50)
    wrong = tried(watching, "here", "not at all this one", 51)
    assert right == wrong


def test_waits_grow_alike_for_a_login_that_nobody_has(watching: tuple[House, People, Log]) -> None:
    waits = []
    for login in ("here", "never-was"):
        said = [tried(watching, login, "x", 100 + number)[0] for number in range(FREE[0] + 3)]
        waits.append(said)
    assert waits[0][-1] == "signin.slow-down"
    assert "signin.slow-down" in waits[1]


@pytest.mark.capability("4-07", "refuses")
def test_stuffing_credentials_from_one_network_is_slowed_whatever_the_logins(
    watching: tuple[House, People, Log],
) -> None:
    house, people, _ = watching
    there, slowed = where("bot", "66.66.1.1"), 0
    for number in range(FREE[1] + 5):
        try:
            people.entering.local.by_password(asking(house), Typed(f"leaked{number}", "pass", "0"), there)
        except TooManyError:
            slowed += 1
        except SignInError:
            pass
    assert slowed >= 3


def test_a_passkey_signs_in_while_a_password_has_to_wait(made: Installation) -> None:
    from tests.unit.people.local_people import Authenticator

    people = people_of(made.house)
    account = enrolled(made.house, people, "keyed", doctor())
    entering, now = people.entering, asking(made.house)
    device = Authenticator(entering.local.party.origin, entering.local.party.id)
    asked = entering.own.creation(now, account, where())
    code = entering.inviting.invite(now, account.id)
    entering.own.join_by_passkey(now, code, device.make(asked.options), asked.ticket, where())
    for _ in range(FREE[0] + 3):
        with pytest.raises((SignInError, TooManyError)):
            entering.local.by_password(now, Typed("keyed", "x", "0"), where("thief", "5.5.5.5"))
    challenge = entering.local.challenge("sign-in", where("thief", "5.5.5.5"), now.now)
    answer = device.sign(challenge.options)
    there = where("thief", "5.5.5.5")
    assert entering.local.by_passkey(now, "sign-in", answer, challenge.ticket, there).account.id == account.id


def test_the_cost_of_a_hash_is_what_the_decoy_has_too() -> None:
    from serment.keys.factors import COST, password_hash, unmatched

    assert unmatched(CHEAP).split("$")[:4] == password_hash("x", CHEAP).split("$")[:4]
    assert "m=65536,t=3,p=1" in unmatched(COST)
