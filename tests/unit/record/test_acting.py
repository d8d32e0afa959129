"""The list of one's own acts: noted as they are traced, put away once a minute, read by nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.ledger.entry import Event, Interaction
from serment.model import ActorId, ActorKind, Instant
from serment.record import acting
from serment.record.acting import DAY, KEPT_DAYS, MOST_A_DAY, Acting
from serment.record.acts import Acts
from serment.record.passage import Passage
from tests.installation import Installation, installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("acts")) as one:
        yield one


def event(request: str, **more: object) -> Event:
    values = {"t": 1, "request": request, "interaction": Interaction.READ, "actor": "rpps:1", "count": 1}
    return Event(**{**values, **more})  # type: ignore[arg-type]


def at(passage: Passage, later: int) -> Acting:
    now = passage.clock()
    return Acting(replace(passage, clock=lambda: Instant(now + later), acts=passage.acts))


@pytest.mark.capability("0-06", "lets")
def test_a_professional_finds_what_they_read_and_what_was_refused(made: Installation) -> None:
    passage, asking = made.house.passage, made.as_staff("team-doctor")
    asyncio.run(made.house.showing.first_view(asking, made.record()))
    lines = made.house.acting.of(asking)
    assert lines[0].interaction == "list"
    assert (lines[0].request, lines[0].denied) == (asking.request, False)
    at(passage, 0).turn(ending=True)
    assert passage.acts.of(asking.actor.id) == []
    assert made.house.acting.of(asking)[0] == lines[0]


@pytest.mark.capability("0-06", "refuses")
def test_nobody_reads_the_list_of_somebody_else(made: Installation) -> None:
    made.house.acting.turn(ending=True)
    mine = made.house.acting.of(made.as_staff("team-doctor"))
    others = made.house.acting.of(made.as_staff("unrelated-doctor"))
    assert mine
    assert not {line.request for line in mine} & {line.request for line in others}


def test_a_patient_has_no_such_list_and_a_repeated_trace_is_one_line() -> None:
    acts = Acts()
    acts.note(ActorKind.PATIENT, event("a"))
    acts.note(ActorKind.SERVICE, event("a"))
    acts.note(ActorKind.PROFESSIONAL, event("b"))
    acts.note(ActorKind.PROFESSIONAL, event("b"))
    assert [line.request for line in acts.of("rpps:1")] == ["b"]


def test_a_day_holds_so_many_lines_and_counts_those_that_went(made: Installation) -> None:
    passage = made.house.passage
    now = passage.clock()
    for place in range(MOST_A_DAY + 5):
        passage.acts.note(ActorKind.STAFF, event(f"{place}", t=now, actor="staff:x"))
    at(passage, 0).turn(ending=True)
    who = made.as_staff("secretary")
    found = made.house.acting.of(replace(who, actor=replace(who.actor, id=ActorId("staff:x"))))
    assert len(found) == MOST_A_DAY
    assert "0" not in {line.request for line in found}


def test_a_list_is_put_away_once_a_minute_with_one_entry_for_everybody(made: Installation) -> None:
    passage = made.house.passage
    passage.acts.take()
    keeper = at(passage, 0)
    for whose in ("staff:a", "staff:b"):
        passage.acts.note(ActorKind.STAFF, event("r", t=passage.clock(), actor=whose))
    with passage.store.snapshot() as snapshot:
        before = snapshot.ledger_size()
    assert keeper.turn() == 2
    with passage.store.snapshot() as snapshot:
        assert snapshot.ledger_size() == before + 1
    passage.acts.note(ActorKind.STAFF, event("s", t=passage.clock(), actor="staff:a"))
    assert keeper.turn() == 0


def test_after_thirty_days_a_day_is_forgotten(made: Installation) -> None:
    passage, now = made.house.passage, made.house.passage.clock()
    passage.acts.take()
    passage.acts.note(ActorKind.STAFF, event("old", t=now, actor="staff:old"))
    at(passage, 0).turn(ending=True)
    later = Instant(now + KEPT_DAYS * DAY)
    passage.acts.note(ActorKind.STAFF, event("new", t=later, actor="staff:old"))
    at(passage, KEPT_DAYS * DAY).turn(ending=True)
    who = replace(made.as_staff("secretary"), now=now)
    mine = replace(who, actor=replace(who.actor, id=ActorId("staff:old")))
    assert {line.request for line in made.house.acting.of(mine)} == set()
    assert [line.request for line in made.house.acting.of(replace(mine, now=later))] == ["new"]


def test_the_days_are_days_of_the_world() -> None:
    assert acting.day_of(0) == "1970-01-01"
