"""What an exercise must be, and which functions one person may hold."""

from __future__ import annotations

import msgspec
import pytest

from serment.access.policy import shipped_policy
from serment.errors import RequestError
from serment.people.accounts import Exercise
from serment.people.exercises import LOCUM_MS, checked, together

RPPS, OTHER = "rpps:10000000009", "rpps:10100000008"
DOCTOR = Exercise("1", RPPS, "professional", "associate", "10", structure="cabinet")
SECRETARY = Exercise("2", "staff:anne", "staff", "secretary", structure="cabinet")


def changed(one: Exercise, **values: object) -> Exercise:
    return msgspec.structs.replace(one, **values)


@pytest.mark.parametrize(
    "exercise",
    [
        DOCTOR,
        SECRETARY,
        changed(DOCTOR, function="locum", replaces=OTHER, start=5, end=9),
        changed(DOCTOR, function="trainee", supervisor=OTHER),
        Exercise("3", "patient:p1", "patient", patient="p1"),
        Exercise("4", "proxy:r1", "proxy"),
        Exercise("5", "staff:o", "officer", "dpo", structure="cabinet"),
    ],
    ids=lambda one: f"{one.kind}-{one.function}",
)
def test_an_exercise_that_says_what_it_must_stands(exercise: Exercise) -> None:
    assert checked(exercise) == exercise


@pytest.mark.capability("0-06", "refuses")
@pytest.mark.parametrize(
    ("exercise", "sentence"),
    [
        (changed(DOCTOR, actor="rpps:10000000001"), "identity.rpps-key"),
        (changed(DOCTOR, actor="rpps:1000000000"), "identity.rpps-length"),
        (changed(DOCTOR, actor="staff:marie"), "people.exercise-name"),
        (changed(DOCTOR, profession=""), "people.exercise-where"),
        (changed(DOCTOR, structure=""), "people.exercise-where"),
        (changed(DOCTOR, function="secretary"), "people.exercise-unknown"),
        (changed(DOCTOR, function="sorcerer"), "people.exercise-unknown"),
        (changed(DOCTOR, kind="insurer"), "people.exercise-unknown"),
        (changed(DOCTOR, kind="service", actor="service:x"), "people.exercise-name"),
        (changed(DOCTOR, start=9, end=9), "people.exercise-dates"),
        (changed(DOCTOR, function="trainee"), "people.trainee-supervisor"),
        (changed(DOCTOR, supervisor=OTHER), "people.trainee-supervisor"),
        (changed(DOCTOR, function="trainee", supervisor=RPPS), "people.oneself"),
        (changed(DOCTOR, function="trainee", supervisor="rpps:10100000005"), "identity.rpps-key"),
        (changed(DOCTOR, function="locum"), "people.locum-replaces"),
        (changed(DOCTOR, replaces=OTHER), "people.locum-replaces"),
        (changed(DOCTOR, function="locum", replaces=RPPS, end=9), "people.oneself"),
        (changed(DOCTOR, function="locum", replaces=OTHER), "people.locum-dates"),
        (changed(DOCTOR, function="locum", replaces=OTHER, end=LOCUM_MS + 1), "people.locum-dates"),
        (changed(SECRETARY, structure=""), "people.exercise-where"),
        (changed(SECRETARY, function="dpo"), "people.exercise-unknown"),
        (changed(SECRETARY, kind="officer"), "people.exercise-unknown"),
        (Exercise("3", "patient:p1", "patient", patient="p2"), "people.exercise-name"),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.kind}-{one.function}",
)
def test_an_exercise_in_which_nobody_may_act_is_refused(exercise: Exercise, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        checked(exercise)
    assert refused.value.sentence == sentence


def test_a_doctor_may_work_in_two_places_and_be_a_patient() -> None:
    hospital = changed(DOCTOR, id="9", function="hospital-doctor", structure="hopital")
    together([DOCTOR, hospital, Exercise("3", "patient:p1", "patient", patient="p1")], shipped_policy())


@pytest.mark.parametrize(
    "second",
    [
        changed(SECRETARY, actor=RPPS),
        Exercise("5", "staff:o", "officer", "security-officer", structure="cabinet"),
        Exercise("6", "staff:r", "researcher", "researcher"),
    ],
    ids=lambda one: one.function,
)
def test_nobody_is_on_both_sides(second: Exercise) -> None:
    with pytest.raises(RequestError):
        together([DOCTOR, second], shipped_policy())


def test_a_role_that_has_ended_is_remembered() -> None:
    with pytest.raises(RequestError):
        together(
            [
                changed(DOCTOR, end=9),
                Exercise("5", "staff:o", "officer", "security-officer", structure="cabinet"),
            ],
            shipped_policy(),
        )
