"""Pro Santé Connect's claims: read as they come, and refused when they are anything else."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from serment.demo.people import ATTENDING, HOSPITAL, INTERN, PRACTICE
from serment.demo.provider import psc_claims
from serment.errors import SignInError
from serment.identity.claims import functions, professional
from serment.model import Function
from tests.vectors import MISSING, REFERENCE

Claims = dict[str, Any]
VECTORS = REFERENCE / "test_vectors_identity.json"


def claims(**changed: Any) -> Claims:
    return {**psc_claims(ATTENDING, (PRACTICE.id, HOSPITAL.id)), **changed}


def exercise(**changed: Any) -> Claims:
    one: Claims = copy.deepcopy(claims()["SubjectRefPro"])
    one["exercices"][0].update(changed)
    return claims(SubjectRefPro=one)


def test_a_professional_has_a_number_exercises_and_places() -> None:
    told = professional(claims())
    assert told.rpps == ATTENDING.rpps
    assert [(one.profession, one.category) for one in told.exercises] == [("10", "C")]
    assert told.exercises[0].places == {PRACTICE.finess, HOSPITAL.finess}
    assert told.level.startswith("APPPRIP3^")


@pytest.mark.parametrize(
    ("function", "allowed"),
    [
        (Function.TREATING_DOCTOR, True),
        (Function.LOCUM, True),
        (Function.EMERGENCY_DOCTOR, True),
        (Function.NURSE, False),
        (Function.SECRETARY, False),
        (Function.SECURITY_OFFICER, False),
        (Function.NONE, False),
    ],
)
def test_a_profession_allows_its_functions(function: Function, allowed: bool) -> None:
    assert professional(claims()).allows("10", function) is allowed


def test_a_profession_allows_nothing_of_another() -> None:
    assert not professional(claims()).allows("60", Function.NURSE)


def test_whoever_is_in_training_is_a_trainee_or_a_locum() -> None:
    told = professional(psc_claims(INTERN))
    assert told.allows("10", Function.TRAINEE)
    assert told.allows("10", Function.LOCUM)
    assert not told.allows("10", Function.TREATING_DOCTOR)


@pytest.mark.parametrize(("said", "meant"), [("VRAI", True), ("FAUX", False), ("vrai", False), (True, False)])
def test_medical_regulation_is_certified_by_one_word(said: object, meant: bool) -> None:
    assert professional(claims(Acces_Regulation_Medicale=said)).regulation is meant


@pytest.mark.parametrize(
    "identifier",
    [
        "8" + ATTENDING.rpps[:-1] + str((int(ATTENDING.rpps[-1]) + 1) % 10),
        "0" + ATTENDING.rpps,
        "3" + ATTENDING.rpps,
        ATTENDING.rpps,
        "8" + ATTENDING.rpps + "0",
        "8" + "٠" * 11,
        "",
        None,
        8,
        ["8" + ATTENDING.rpps],
    ],
)
@pytest.mark.capability("0-06", "refuses")
def test_a_number_that_is_no_rpps_is_refused(identifier: object) -> None:
    with pytest.raises(SignInError):
        professional(claims(SubjectNameID=identifier))


@pytest.mark.parametrize(
    "changed",
    [
        {"SubjectRefPro": None},
        {"SubjectRefPro": []},
        {"SubjectRefPro": {}},
        {"SubjectRefPro": {"exercices": []}},
        {"SubjectRefPro": {"exercices": ["10"]}},
        {"SubjectRefPro": {"exercices": {}}},
        {"SubjectRefPro": {"exercices": [{"codeProfession": 10, "codeCategorieProfessionnelle": "C"}]}},
        {"SubjectRefPro": {"exercices": [{"codeProfession": "10"}]}},
        {"SubjectRefPro": {"exercices": [{"codeProfession": "10", "codeCategorieProfessionnelle": "X"}]}},
        {"Palier_Authentification": ["x"]},
    ],
)
def test_claims_of_another_shape_are_refused(changed: Claims) -> None:
    with pytest.raises(SignInError):
        professional(claims(**changed))


def test_as_many_exercises_as_nobody_has_are_refused() -> None:
    one = claims()["SubjectRefPro"]["exercices"][0]
    with pytest.raises(SignInError):
        professional(claims(SubjectRefPro={"exercices": [one] * 65}))


def test_an_exercise_may_name_no_place() -> None:
    assert professional(exercise(activities=[{"numeroFinessSite": ""}])).exercises[0].places == frozenset()


def test_no_refusal_and_no_repr_names_anybody() -> None:
    told = professional(claims())
    assert ATTENDING.rpps not in repr(told)
    with pytest.raises(SignInError) as met:
        professional(claims(SubjectNameID="8" + ATTENDING.rpps[:-1] + "x"))
    assert ATTENDING.rpps[:-1] not in str(met.value)


def test_every_function_of_the_table_is_one_of_care() -> None:
    given = set().union(*functions().values())
    assert not given & {Function.SECRETARY, Function.SECURITY_OFFICER, Function.DPO, Function.OPERATOR}
    assert functions().get("99", frozenset()) == frozenset()


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
def test_official_numbers_are_read_and_official_wrong_ones_refused() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))["rpps"]
    for one in vectors["valid"]:
        assert professional(claims(SubjectNameID=one["idnps"])).rpps == one["value"]
    for one in vectors["invalid"]:
        with pytest.raises(SignInError):
            professional(claims(SubjectNameID="8" + one["value"]))
