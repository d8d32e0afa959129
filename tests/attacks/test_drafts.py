"""A draft is its author's alone: nobody else meets it, whatever they ask, steal or kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from serment.errors import ConflictError, MalformedError, NotFoundError, TooLargeError
from serment.ledger.entry import Event, Interaction
from serment.model import Instant, PatientId, RequestId
from serment.record.asking import Asking
from serment.record.probes.disk import search
from serment.record.visits.drafting import DAY, LASTS, MOST, Drafting, fresh_id
from serment.record.writing import new_id
from tests.attacks.watching import watched
from tests.installation import Installation, installation, on_a_file, run

ROOT = Path(__file__).parents[2]
MARK = "CANARIBROUILLON"
TYPED = {"note": [f"{MARK} toux depuis trois jours"], "renew": ["a", "b"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("drafts")) as one:
        yield one


@pytest.fixture
def drafting(made: Installation) -> Iterator[Drafting]:
    yield made.house.drafting
    for role in ("team-doctor", "attending"):
        run(made.house.drafting.discard(asked(made, role), made.record()))


def asked(made: Installation, role: str = "team-doctor", later: int = 0) -> Asking:
    """Ask anew: a request of its own, so many ms later."""
    asking = made.as_staff(role)
    return replace(asking, request=RequestId(new_id()), now=Instant(made.house.passage.clock() + later))


def told(made: Installation) -> list[Event]:
    bodies = run(made.house.proving.trail(made.as_patient(), made.record()))
    return [body.event for body in bodies if body.event.interaction is Interaction.DRAFT]


def test_what_was_typed_is_there_again_word_for_word(made: Installation, drafting: Drafting) -> None:
    id_, asking = fresh_id(), asked(made)
    assert run(drafting.taken_up(asking, made.record())) is None
    run(drafting.keep(asking, made.record(), id_, {"note": ["toux"]}))
    run(drafting.keep(asked(made), made.record(), id_, TYPED))
    back = run(drafting.taken_up(asked(made), made.record()))
    assert back is not None
    assert (back.id, back.fields) == (id_, TYPED)


def test_nobody_else_meets_it_by_any_way(made: Installation, drafting: Drafting) -> None:
    run(drafting.keep(asked(made), made.record(), fresh_id(), TYPED))
    assert run(drafting.taken_up(asked(made, "attending"), made.record())) is None
    assert run(drafting.taken_up(asked(made, "unrelated-doctor"), made.record())) is None
    assert run(drafting.taken_up(made.as_patient(), made.record())) is None
    for asking in (asked(made), asked(made, "attending"), made.as_patient()):
        view = run(made.house.showing.first_view(asking, made.record(), most=50))
        assert MARK not in repr([one.body for some in view.groups.values() for one in some])


def test_an_id_that_somebody_sends_names_nobody_elses_bytes(made: Installation, drafting: Drafting) -> None:
    """The id of a colleague's draft, sent by another: each has their own, and neither is lost."""
    id_ = fresh_id()
    run(drafting.keep(asked(made), made.record(), id_, TYPED))
    run(drafting.keep(asked(made, "attending"), made.record(), id_, {"note": ["autre"]}))
    mine = run(drafting.taken_up(asked(made), made.record()))
    theirs = run(drafting.taken_up(asked(made, "attending"), made.record()))
    assert mine is not None
    assert theirs is not None
    assert (mine.fields, theirs.fields) == (TYPED, {"note": ["autre"]})
    for wrong in ("", "../x", id_.upper(), id_ + "0"):
        with pytest.raises(MalformedError):
            run(drafting.keep(asked(made), made.record(), wrong, TYPED))


@pytest.mark.parametrize("word", ["block", "oppose"])
def test_a_doctor_who_may_write_there_no_more_gets_the_answer_of_absence(tmp_path: Path, word: str) -> None:
    with installation(tmp_path) as one:
        drafting, record = one.house.drafting, one.record()
        asking = asked(one, "team-doctor")
        run(drafting.keep(asking, record, fresh_id(), TYPED))
        choosing = one.house.choosing
        if word == "block":
            number = asking.actor.id.removeprefix("rpps:")
            run(choosing.block(one.as_patient(), record, number))
        else:
            run(choosing.oppose(one.as_patient(), record))
        assert run(drafting.taken_up(asked(one), record)) is None
        with pytest.raises(NotFoundError) as hidden:
            run(drafting.keep(asked(one), record, fresh_id(), TYPED))
        with pytest.raises(NotFoundError) as absent:
            run(drafting.keep(asked(one), PatientId(new_id()), fresh_id(), TYPED))
        assert str(hidden.value) == str(absent.value)


def test_a_hidden_record_and_none_leave_the_same_statements_openings_and_entries(made: Installation) -> None:
    house, log = watched(made.house)
    logs = []
    unknown = PatientId(new_id())
    for record in (unknown, made.record()) * 2:  # the first round opens what the second finds open
        for act in (house.drafting.keep, house.drafting.taken_up, house.protecting.of):
            asking = asked(made, "unrelated-doctor")
            given = (fresh_id(), TYPED) if act == house.drafting.keep else ()
            with suppress(NotFoundError):
                run(act(asking, record, *given))
        logs.append(log[:])
        log.clear()
    assert logs[2] == logs[3]


def test_beginning_is_one_line_of_the_list_and_going_on_is_none(
    made: Installation, drafting: Drafting
) -> None:
    before, id_ = len(told(made)), fresh_id()
    for _ in range(5):
        run(drafting.keep(asked(made), made.record(), id_, TYPED))
    assert len(told(made)) == before + 1
    run(drafting.taken_up(asked(made), made.record()))
    events = told(made)
    assert len(events) == before + 2
    assert all(not event.resources for event in events)


def test_it_is_gone_after_a_week_and_its_bytes_are_swept(made: Installation, drafting: Drafting) -> None:
    run(drafting.keep(asked(made), made.record(), fresh_id(), TYPED))
    assert run(drafting.taken_up(asked(made, later=6 * DAY), made.record())) is not None
    late = 6 * DAY + LASTS + 1
    assert run(drafting.taken_up(asked(made, later=late), made.record())) is None
    passage = made.house.passage
    later = Drafting(replace(passage, clock=lambda: Instant(passage.clock() + late)), made.house.writing)
    assert later.sweep() >= 1
    assert later.sweep() == 0
    assert run(drafting.taken_up(asked(made), made.record())) is None


def test_a_second_window_takes_nothing_from_the_first(made: Installation, drafting: Drafting) -> None:
    run(drafting.keep(asked(made), made.record(), fresh_id(), TYPED))
    with pytest.raises(ConflictError):
        run(drafting.keep(asked(made), made.record(), fresh_id(), {"note": ["vide"]}))
    back = run(drafting.taken_up(asked(made), made.record()))
    assert back is not None
    assert back.fields == TYPED


def test_a_draft_larger_than_one_chunk_is_refused_and_the_one_before_stays(
    made: Installation, drafting: Drafting
) -> None:
    id_ = fresh_id()
    run(drafting.keep(asked(made), made.record(), id_, TYPED))
    with pytest.raises(TooLargeError):
        run(drafting.keep(asked(made), made.record(), id_, {"note": ["x" * MOST]}))
    back = run(drafting.taken_up(asked(made), made.record()))
    assert back is not None
    assert back.fields == TYPED


@on_a_file
def test_a_stolen_disk_shows_no_word_of_it(made: Installation, drafting: Drafting) -> None:
    run(drafting.keep(asked(made), made.record(), fresh_id(), TYPED))
    assert search(made.settings.directory, [MARK]).found == 0


def test_a_house_that_stops_between_two_keepings_loses_nothing_kept(tmp_path: Path) -> None:
    with installation(tmp_path) as one:
        run(one.house.drafting.keep(asked(one), one.record(), fresh_id(), TYPED))
        one.house.close()
        one.reopen()
        back = run(one.house.drafting.taken_up(asked(one), one.record()))
        assert back is not None
        assert back.fields == TYPED
        assert one.house.depositing.sweep() == 0


def test_a_machine_that_is_killed_while_it_keeps_loses_no_keeping_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.keeping", str(tmp_path), "4"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    lives = json.loads(done.stdout)
    assert len(lives) == 4
    for acknowledged, back in lives:
        assert back in {acknowledged, acknowledged + 1}, "the one in flight may stand, none before is lost"
