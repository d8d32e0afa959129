"""What an import and its workers say to each other: nothing lost on the way, nothing shown."""

from __future__ import annotations

import io

import pytest

from serment.errors import DependencyError
from serment.intake.import_ import messages
from serment.intake.import_.jobs import Reading
from serment.intake.import_.messages import Answers, Asks, Failed, Job, Ready
from serment.intake.import_.naming import Directory, Named
from tests.unit.intake.pieces import NOW, bundle, flag, name, patient


def asked(raw: bytes) -> tuple[Reading, Asks]:
    reading = Reading()
    asks = reading.of(Job.of_bundle(5, raw, NOW))
    assert isinstance(asks, Asks)
    return reading, asks


def test_a_job_says_which_names_it_needs_and_is_made_with_them() -> None:
    reading, asks = asked(bundle(patient("p"), flag("f", "p")))
    assert set(asks.wanted.names) == {("Patient", "p"), ("Flag", "f")}
    assert asks.wanted.queries == ["Practitioner?identifier=urn:oid:1.2|810"]
    ready = reading.of(Answers(5, Directory(name).answer(asks.wanted)))
    assert isinstance(ready, Ready)
    assert (ready.number, ready.count, ready.unresolved) == (5, 2, 2)


def test_every_message_is_the_same_on_the_other_side() -> None:
    reading, asks = asked(bundle(patient("p"), flag("f", "p")))
    answers = Answers(5, Directory(name).answer(asks.wanted))
    job = Job.of_bundle(1, b"\xff", NOW)
    assert messages.decode_job(messages.encode(job)) == job
    assert messages.decode_job(messages.encode(answers)) == answers
    for said in (asks, reading.of(answers), Failed(1, "ValueError")):
        assert messages.decode_answer(messages.encode(said)) == said


def test_no_message_shows_what_it_carries() -> None:
    reading, asks = asked(bundle(patient("p")))
    answers = Answers(5, Directory(name).answer(asks.wanted))
    for message in (Job.of_bundle(1, b"Durand", NOW), asks, asks.wanted, answers, reading.of(answers)):
        assert repr(message) == f"{type(message).__name__}(…)"


def test_a_defect_is_told_by_its_type_and_not_by_what_it_met() -> None:
    reading, asks = asked(bundle(patient("p")))
    assert reading.of(Answers(5, Named([], {}))) == Failed(5, "ValueError")
    assert reading.of(Answers(6, Named([], {}))) == Failed(6, "KeyError")
    assert asks.number == 5


def test_a_frame_that_breaks_off_is_an_end_that_was_not_meant() -> None:
    file = io.BytesIO()
    messages.send(file, Failed(1, "x"))
    whole = file.getvalue()
    assert messages.receive(io.BytesIO(whole)) == whole[8:]
    assert messages.receive(io.BytesIO(b"")) is None
    for cut in (3, 8, len(whole) - 1):
        with pytest.raises(DependencyError):
            messages.receive(io.BytesIO(whole[:cut]))
