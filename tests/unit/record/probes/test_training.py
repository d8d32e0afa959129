"""The five-minute training: six answers, a dated proof, and an end after twelve months."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.ledger.entry import Event, Interaction
from serment.model import Instant
from serment.record.probes.training import ANSWERS, COURSE, DAY, LASTS, Proof, Trained, Training, state_of
from serment.record.registry import Registry
from tests.installation import Installation, bare_installation

NOW = Instant(1_795_000_000_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("training")) as one:
        yield one


@pytest.fixture
def training(made: Installation) -> Training:
    return Training(Registry(made.house.passage))


@pytest.mark.capability("1-09", "lets")
def test_six_right_answers_make_a_dated_proof(made: Installation, training: Training) -> None:
    asking = made.as_staff("secretary")
    graded = training.answered(asking, "one", ANSWERS)
    assert graded.wrong == ()
    assert graded.proof == Proof(asking.now, COURSE, asking.request)
    assert training.of(asking, "one") == graded.proof
    assert training.all(asking)["one"] == graded.proof


@pytest.mark.capability("1-09", "refuses")
@pytest.mark.parametrize("missing", ANSWERS)
def test_one_wrong_answer_makes_no_proof_and_is_named(
    made: Installation, training: Training, missing: str
) -> None:
    answers = {name: right for name, right in ANSWERS.items() if name != missing}
    for said in ({}, {missing: "z"}):
        graded = training.answered(made.as_staff("secretary"), "two", answers | said)
        assert (graded.wrong, graded.proof) == ((missing,), None)
    assert training.of(made.as_staff("secretary"), "two") is None


def test_a_training_is_an_act_of_whoever_followed_it(made: Installation, training: Training) -> None:
    asking = made.as_staff("secretary")
    training.answered(asking, "three", ANSWERS)
    line = made.house.passage.acts.of(asking.actor.id)[-1]
    assert (line.interaction, line.request) == (Interaction.TRAINING, asking.request)
    assert Event(t=1, request="r", interaction=Interaction.TRAINING).interaction == "training"


def test_a_proof_counts_for_a_year_and_reminds_in_its_last_month() -> None:
    proof = Proof(NOW, COURSE, "r")
    assert proof.counts(NOW)
    assert not proof.ends_soon(NOW)
    assert proof.ends_soon(Instant(NOW + LASTS - 29 * DAY))
    assert not proof.counts(proof.until)
    assert not proof.counts(Instant(NOW - 1))


@pytest.mark.parametrize(
    ("days", "state"),
    [
        (None, Trained.MISSING),
        (0, Trained.COUNTS),
        (340, Trained.SOON),
        (365, Trained.OVER),
        (-1, Trained.OVER),
    ],
)
def test_where_somebody_stands_follows_from_the_date_of_the_proof(days: int | None, state: Trained) -> None:
    proof = None if days is None else Proof(NOW - days * DAY, COURSE, "r")
    assert state_of(proof, NOW) is state


def test_a_training_followed_again_counts_from_then(made: Installation, training: Training) -> None:
    first, second = made.as_staff("secretary"), made.as_staff("secretary")
    training.answered(first, "four", ANSWERS)
    training.answered(second, "four", ANSWERS)
    proof = training.of(second, "four")
    assert proof is not None
    assert proof.request == second.request
