"""Tickets: sealed, for one use, for a while, once on whatever process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import SignInError
from serment.model import Instant
from serment.record.entrance.tickets import MOST_MS, Tickets
from tests.installation import Installation, bare_installation

MINUTE = 60_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("tickets")) as one:
        yield one


@pytest.fixture
def tickets(made: Installation) -> Tickets:
    return Tickets(made.house.passage, made.house.sessions)


def now(made: Installation) -> Instant:
    return made.house.passage.clock()


def test_what_was_written_is_read_and_spent_once(made: Installation, tickets: Tickets) -> None:
    at = now(made)
    ticket = tickets.issue("one", b"value", Instant(at + MINUTE))
    assert tickets.read("one", ticket, at) == tickets.read("one", ticket, at) == b"value"
    assert tickets.spend("one", ticket, at) == b"value"
    with pytest.raises(SignInError):
        Tickets(made.house.passage, made.house.sessions).spend("one", ticket, at)


def test_two_tickets_of_one_value_are_two(made: Installation, tickets: Tickets) -> None:
    at = now(made)
    one, other = (tickets.issue("one", b"value", Instant(at + MINUTE)) for _ in range(2))
    assert one != other
    tickets.spend("one", one, at)
    assert tickets.spend("one", other, at) == b"value"


def test_a_ticket_for_something_else_is_none(made: Installation, tickets: Tickets) -> None:
    at = now(made)
    with pytest.raises(SignInError):
        tickets.read("other", tickets.issue("one", b"value", Instant(at + MINUTE)), at)


@pytest.mark.parametrize("late", [MINUTE, MINUTE + 1, -MOST_MS])
def test_a_ticket_is_over_at_its_end_and_when_the_clock_is_put_back(
    made: Installation, tickets: Tickets, late: int
) -> None:
    at = now(made)
    ticket = tickets.issue("one", b"value", Instant(at + MINUTE))
    with pytest.raises(SignInError):
        tickets.read("one", ticket, Instant(at + late))


def test_no_ticket_lasts_longer_than_the_longest(made: Installation, tickets: Tickets) -> None:
    at = now(made)
    ticket = tickets.issue("one", b"value", Instant(at + 10 * MOST_MS))
    with pytest.raises(SignInError):
        tickets.read("one", ticket, Instant(at + MOST_MS + MINUTE))


def test_a_ticket_that_was_changed_is_none_and_rings_no_alarm(made: Installation, tickets: Tickets) -> None:
    at = now(made)
    ticket = tickets.issue("one", b"value", Instant(at + MINUTE))
    middle = len(ticket) // 2
    flipped = ticket[:middle] + ("A" if ticket[middle] != "A" else "B") + ticket[middle + 1 :]
    for spelled in (flipped, ticket[:-8], ticket + "AAAA", "", "é", "====", ticket.replace("-", "+") + "!"):
        with pytest.raises(SignInError):
            tickets.read("one", spelled, at)
    assert b"value" not in ticket.encode()


def test_handing_out_writes_nothing(made: Installation, tickets: Tickets) -> None:
    with made.house.passage.store.snapshot() as snapshot:
        before = len(snapshot.sessions(b"", 1000))
    tickets.issue("one", b"value", Instant(now(made) + MINUTE))
    with made.house.passage.store.snapshot() as snapshot:
        assert len(snapshot.sessions(b"", 1000)) == before
