"""Two at the same moment: one person in two roles, one code twice, one invitation twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest

from serment.errors import SermentError
from serment.people.accounts import Exercise
from serment.people.local import Typed
from serment.people.people import People
from serment.people.signing import Proof
from tests.installation import Installation, bare_installation
from tests.unit.people.local_people import (
    PASSWORD,
    asking,
    doctor,
    enrolled,
    people_of,
    where,
    with_password,
)

T = TypeVar("T")
ROUNDS = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("races")) as one:
        yield one


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Do all of it at the same moment; give what did not fail."""
    ready = Barrier(len(acts))

    def one(act: Callable[[], T]) -> T | None:
        ready.wait()
        try:
            return act()
        except SermentError:
            return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return [found for found in pool.map(one, acts) if found is not None]


@pytest.mark.capability("0-06", "refuses")
def test_two_roles_begun_at_the_same_moment_leave_one(made: Installation) -> None:
    house, people = made.house, people_of(made.house)
    chu = Exercise("2", "rpps:10000000003", "professional", "hospital-doctor", "10", structure="b")
    account = enrolled(house, people, "double", doctor(3), chu)

    def begin(one: People, exercise: str) -> str:
        now = asking(house)
        return one.signing_in.begin(now, account, exercise, Proof(("hwk",), 2, now.now))

    for _ in range(ROUNDS):
        other = people_of(house)
        begun = at_once(partial(begin, people, "1"), partial(begin, other, "2"))
        now = house.passage.clock()
        alive = at_once(*(partial(house.sessions.open, one, now) for one in begun))
        assert len({one.bound.exercise for one in alive}) == 1


def test_one_code_shown_twice_at_the_same_moment_lets_one_in(made: Installation) -> None:
    house, people = made.house, people_of(made.house)
    somebody = with_password(house, people, "jumelle", doctor())
    for code in (somebody.code(1), somebody.recovery[0]):
        typed = Typed("jumelle", PASSWORD, code)
        prove = partial(people.entering.local.by_password, asking(house), typed, where())
        let_in = at_once(prove, prove, prove)
        assert len(let_in) == 1


def test_one_invitation_taken_twice_at_the_same_moment_serves_once(made: Installation) -> None:
    house, people = made.house, people_of(made.house)
    account = enrolled(house, people, "invitee", doctor())
    code = people.entering.inviting.invite(asking(house), account.id)
    spend = partial(people.entering.inviting.spend, asking(house), code)
    taken = at_once(spend, spend, spend, spend)
    assert taken == [account.id]
