"""What a declaration that the law demands may hold, and nothing beyond it."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

import msgspec
import pytest

from serment.errors import RequestError
from serment.exits.declaration import composed, diseases, forms, owes, stated
from serment.model import Function

TODAY = date(2026, 11, 22)
MEASLES = {"disease": "measles", "certainty": "confirmed", "department": "35"}
DEATH = {"day": "2026-11-21", "place": "35238", "forensic": "no", "coffin-at-once": "no"}
PERSON = {
    "name": [{"family": "Dorval", "given": ["Anne", "Marie"]}],
    "birthDate": "1950-11-23",
    "gender": "female",
    "identifier": [{"value": "250119912345678"}],
    "telecom": [{"value": "0600000000"}],
}


@pytest.mark.capability("4-05", "lets")
def test_a_listed_disease_is_declared_with_the_form_and_no_more() -> None:
    made = composed(stated("disease", MEASLES, TODAY), PERSON, "10000000009", TODAY)
    content = msgspec.json.decode(made.content)
    assert content == {
        "form": "disease",
        "declarant": "10000000009",
        "name": "Dorval Anne Marie",
        "birth-date": "1950-11-23",
        "sex": "female",
        **MEASLES,
    }
    assert len(made.digest) == 64
    assert made.stated.at_once


@pytest.mark.capability("4-05", "refuses")
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("disease", {**MEASLES, "diagnosis": "rougeole"}),
        ("disease", {**MEASLES, "name": "Dorval"}),
        ("disease", {**MEASLES, "treatment": "…"}),
        ("death", {**DEATH, "direct-cause": "…"}),
        ("cause-of-death", {"day": "2026-11-21", "direct-cause": "…", "name": "Dorval"}),
        ("birth", {"day": "2026-11-21", "time": "04:10", "place": "35238", "sex": "female", "weight": "3,2"}),
    ],
)
def test_a_field_beyond_the_form_is_refused_and_never_repeated(form: str, said: dict[str, str]) -> None:
    with pytest.raises(RequestError) as refused:
        stated(form, said, TODAY)
    assert refused.value.sentence == "declaration.beyond"
    assert "Dorval" not in str(refused.value)


@pytest.mark.parametrize(
    ("form", "said", "sentence"),
    [
        ("tax", {}, "declaration.form-unknown"),
        ("disease", {"disease": "measles"}, "declaration.missing"),
        ("disease", {**MEASLES, "disease": "influenza"}, "declaration.value"),
        ("disease", {**MEASLES, "certainty": "maybe"}, "declaration.value"),
        ("disease", {**MEASLES, "onset": "2026-11-23"}, "declaration.value"),
        ("disease", {**MEASLES, "onset": "2026-02-30"}, "declaration.value"),
        ("disease", {**MEASLES, "department": "Rennes"}, "declaration.value"),
        ("death", {**DEATH, "place": "3523"}, "declaration.value"),
        ("death", {**DEATH, "forensic": "perhaps"}, "declaration.value"),
        ("cause-of-death", {"day": "2026-11-21", "direct-cause": "x" * 201}, "declaration.value"),
        ("cause-of-death", {"day": "2026-11-21", "direct-cause": " "}, "declaration.value"),
    ],
)
def test_what_a_form_does_not_take_is_refused(form: str, said: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        stated(form, said, TODAY)
    assert refused.value.sentence == sentence


def test_the_causes_of_a_death_leave_without_identity() -> None:
    said = {"day": "2026-11-21", "direct-cause": "infarctus du myocarde"}
    content = composed(stated("cause-of-death", said, TODAY), PERSON, "10000000009", TODAY).content.decode()
    assert "Dorval" not in content
    assert "1950" not in content
    assert '"age":"75"' in content


def test_a_mother_who_asks_for_secrecy_is_not_named() -> None:
    said = {"day": "2026-11-21", "time": "04:10", "place": "35238", "sex": "female", "secrecy": "yes"}
    content = composed(stated("birth", said, TODAY), PERSON, "10000000009", TODAY).content
    assert b"Dorval" not in content
    told = composed(stated("birth", {**said, "secrecy": "no"}, TODAY), PERSON, "10000000009", TODAY)
    assert b"Dorval" in told.content


def test_each_function_owes_its_forms_and_no_secretary_owes_any() -> None:
    assert owes("birth", Function.MIDWIFE)
    assert not owes("disease", Function.MIDWIFE)
    assert owes("disease", Function.BIOLOGIST)
    assert not any(owes(form, Function.SECRETARY) for form in [*forms(), "tax"])


def test_thirty_eight_diseases_are_listed_and_five_need_no_call() -> None:
    assert len(diseases()) == 38
    assert sorted(key for key, at_once in diseases().items() if not at_once) == sorted(
        ["hiv", "hepatitis_b_acute", "tetanus", "mesothelioma", "covid19"]
    )
    assert not stated("disease", {**MEASLES, "disease": "hiv"}, TODAY).at_once


def test_every_row_of_the_forms_keeps_its_source_and_its_flag() -> None:
    text = files("serment.exits.declaration").joinpath("forms.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows
    assert all(row["source"] and row["verified"] in {"yes", "no"} for row in rows)
    functions = {function.value for function in Function}
    assert all(set(row["who"].split()) <= functions for row in rows)
