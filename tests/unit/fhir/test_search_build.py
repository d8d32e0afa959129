"""How the official definitions become paths: every choice is made when the table is built."""

from __future__ import annotations

from typing import Any

import pytest

from serment.fhir import search
from tools.build_fhir_search import Walk, branches, compact, parameters


def element(path: str, *types: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return path, {"path": path, "type": [{"code": code} for code in types], **more}


BOUND = {"strength": "required", "valueSet": "http://x/ValueSet/mood|4.0.1"}
TYPES = {
    "Spell": dict(
        [
            element("Spell"),
            element("Spell.mood", "code", binding=BOUND),
            element("Spell.cast[x]", "dateTime", "Period", "string"),
            element("Spell.caster", "Reference"),
            element("Spell.telecom", "ContactPoint"),
            element("Spell.part", "BackboneElement"),
            element("Spell.part.mood", "code"),
            ("Spell.again", {"path": "Spell.again", "contentReference": "#Spell.part"}),
        ]
    ),
    "ContactPoint": dict([element("ContactPoint"), element("ContactPoint.value", "string")]),
}
WALK = Walk(TYPES, {"http://x/ValueSet/mood": "http://x/mood"})


@pytest.mark.parametrize(
    ("branch", "kind", "paths"),
    [
        ("Spell.mood", "token", [["mood", "code", "http://x/mood"]]),
        ("Spell.part.mood", "token", [["part.mood", "code", ""]]),
        ("Spell.again.mood", "token", [["again.mood", "code", ""]]),
        ("Spell.cast", "date", [["castDateTime", "dateTime", ""], ["castPeriod", "Period", ""]]),
        ("(Spell.cast as dateTime)", "date", [["castDateTime", "dateTime", ""]]),
        ("Spell.cast as Period", "date", [["castPeriod", "Period", ""]]),
        ("Spell.cast.as(string)", "string", [["castString", "string", ""]]),
        ("Spell.cast.ofType(string)", "date", []),
        ("Spell.caster.where(resolve() is Patient)", "reference", [["caster", "Reference", "Patient"]]),
        ("Spell.telecom.where(system='email')", "token", [["telecom[system=email]", "ContactPoint", ""]]),
        ("Spell.telecom[0].value", "token", [["telecom[0].value", "string", ""]]),
    ],
)
def test_a_branch_becomes_paths(branch: str, kind: str, paths: list[list[str]]) -> None:
    assert WALK.paths(branch, kind) == paths


@pytest.mark.parametrize(
    "branch", ["Spell.colour", "Spell.mood.where(x > 1)", "Spell.mood.trace('a')", "Spell.mood = 1"]
)
def test_what_cannot_be_walked_stops_the_build(branch: str) -> None:
    with pytest.raises(ValueError, match=r"element|step|branch"):
        WALK.paths(branch, "token")


def test_a_union_is_split_by_type() -> None:
    union = "Spell.mood | (Potion.mood as Coding) | Spellbook.mood | mood"
    assert branches(union, "Spell") == ["Spell.mood", "Spell.mood"]
    assert branches(union, "Potion") == ["(Potion.mood as Coding)", "Potion.mood"]


def definition(**members: Any) -> dict[str, Any]:
    given = {
        "id": "Spell-mood",
        "code": "mood",
        "type": "token",
        "base": ["Spell"],
        "expression": "Spell.mood",
    }
    return {"resourceType": "SearchParameter", **given, **members}


def test_definitions_that_are_examples_do_not_get_in() -> None:
    resources = {"a": definition(), "b": definition(id="example", expression="Spell.part.mood")}
    assert parameters(resources, WALK)["Spell"]["mood"][1] == "Spell-mood"


def test_two_definitions_of_one_code_stop_the_build() -> None:
    with pytest.raises(ValueError, match="twice"):
        parameters({"a": definition(), "b": definition(id="Spell-mood-2")}, WALK)


def test_a_reference_to_any_type_is_written_short() -> None:
    table = parameters({"a": definition(target=["Spell", "Potion"])}, WALK)
    assert compact(table, ["Potion", "Spell"])["parameters"]["Spell"]["mood"][4] == ["*"]


def test_the_committed_table_holds_what_the_build_left_in() -> None:
    assert len(search.resource_types()) == 146
    assert (
        search.parameters("Condition")["subject"].definition == "Condition-subject"
    )  # not `example-reference`
    assert "part-agree" not in search.parameters("Patient")  # an example, on an extension
    assert search.parameters("InsurancePlan")["name"].paths  # written without its type
