"""Counts of tries hold for every process; one that is refused is not counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import TooManyError
from serment.model import Instant
from serment.people.lockout import FREE, MOST_WAIT_MS, Lockout
from serment.record.entrance.tries import Count, Tries
from tests.installation import Installation, bare_installation

DAY = 24 * 3600 * 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("tries")) as made:
        yield made


def stands(tries: Tries, name: str, now: Instant) -> Count:
    seen: list[Count] = []

    def look(_place: int, count: Count) -> Count:
        seen.append(count)
        return count

    tries.counted([name], now, look)
    return seen[0]


def test_what_one_process_counts_another_finds_and_a_refusal_changes_nothing(made: Installation) -> None:
    now = made.house.passage.clock()
    ours, theirs = Tries(made.house.passage), Tries(made.house.passage)
    ours.counted(["a", "b"], now, lambda place, count: (count[0] + 1 + place, 7))
    assert (stands(theirs, "a", now), stands(theirs, "b", now)) == ((1, 7), (2, 7))

    def refuse(_place: int, _count: Count) -> Count:
        raise TooManyError("signin.slow-down", seconds=1)

    with pytest.raises(TooManyError):
        theirs.counted(["a"], now, refuse)
    assert stands(ours, "a", now) == (1, 7)


def test_waits_double_up_to_a_quarter_of_an_hour_and_are_forgotten(made: Installation) -> None:
    lockout, now = Lockout(Tries(made.house.passage)), made.house.passage.clock()
    waits: list[int] = []
    for _ in range(FREE[0] + 12):
        try:
            lockout.count("dorval", f"net{len(waits)}", b"", now)
        except TooManyError as slow:
            seconds = int(str(slow.parameters["seconds"]))
            waits.append(seconds)
            now = Instant(now + seconds * 1000)
            lockout.count("dorval", f"net{len(waits)}", b"", now)
    assert waits == sorted(waits)
    assert waits[0] <= 3
    assert waits[-1] <= MOST_WAIT_MS[0] // 1000 + 1
    lockout.count("dorval", "elsewhere", b"", Instant(now + DAY // 12))


def test_a_success_forgets_the_login_and_gives_the_network_one_back(made: Installation) -> None:
    lockout, now = Lockout(Tries(made.house.passage)), made.house.passage.clock()
    for _ in range(FREE[1] * 2):
        lockout.count("brume", "hospital", b"", now)
        lockout.succeeded("brume", "hospital", b"", now)
