"""What searches as somebody types have shown is told in each person's own list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serment.ledger.entry import Event, Interaction
from serment.model import Instant
from serment.record.persons.telling import AT_ONCE, PAUSE, Telling
from tests.installation import Installation, run, small_installation

LATER = 2 * PAUSE


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with small_installation(tmp_path, 14, 2) as one:
        yield one


def typed(made: Installation, text: str) -> list[str]:
    return [who.patient for who in run(made.house.as_typed.search(made.as_staff("secretary"), text))]


def telling(made: Installation, after: int = LATER) -> Telling:
    passage = made.house.passage
    return Telling(replace(passage, clock=lambda: Instant(passage.clock() + after)))


def found(made: Installation, role: str = "patient") -> list[Event]:
    asking = made.as_patient(role)
    trail = run(made.house.proving.trail(asking, made.record(role)))
    return [one.event for one in trail if one.event.interaction is Interaction.FIND]


def test_the_patient_reads_who_was_shown_them_and_how_often(made: Installation) -> None:
    family = made.patient().traits.birth_name
    for end in range(3, len(family) + 1):
        assert made.record() in typed(made, family[:end])
    teller = telling(made)
    while teller.turn():
        pass
    (line,) = found(made)
    assert (line.actor, line.rule, line.count) == (made.staff("secretary").id, "F3.as-typed", len(family) - 2)
    assert line.resources == (f"Patient/{made.record()}",)
    assert made.house.proving.verify().faults == []


def test_each_search_is_told_once_whichever_process_tells_it(made: Installation) -> None:
    typed(made, made.patient().traits.birth_name)
    tellers = [telling(made) for _ in range(3)]
    for teller in tellers * 3:
        teller.turn()
    assert len(found(made)) == 1


def test_what_is_being_typed_waits_a_minute(made: Installation) -> None:
    typed(made, made.patient().traits.birth_name)
    teller = telling(made, after=0)
    assert (teller.turn(), found(made)) == (0, [])


def test_nobody_shown_is_nobody_told(made: Installation) -> None:
    assert typed(made, "Nemozyx") == []
    assert telling(made).turn() == 0


def test_more_people_than_one_turn_tells_are_told_in_the_next(made: Installation) -> None:
    names = {one.traits.birth_name for one in made.store.people.patients}
    shown = {id_ for name in sorted(names) for id_ in typed(made, name)}
    teller, told = telling(made), []
    while lines := teller.turn():
        told.append(lines)
    assert sum(told) >= len(shown) > AT_ONCE >= max(told)


def test_custody_that_is_away_is_waited_for(made: Installation) -> None:
    typed(made, made.patient().traits.birth_name)
    made.house.custody.lock()
    assert telling(made).turn() == 0
