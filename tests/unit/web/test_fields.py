"""What a resource says in words, member by member, and what two versions say differently."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.fhir.measures import decoded
from serment.web.clinician.fields import Change, changes, fields
from serment.words import Language


def said(resource: dict[str, Any], language: Language = Language.FR) -> dict[str, tuple[str, ...]]:
    return {one.label: one.texts for one in fields(decoded(json.dumps(resource).encode()), language)}


def of(member: str, value: Any) -> tuple[str, ...]:
    (texts,) = said({"resourceType": "Basic", member: value}).values()
    return texts


@pytest.mark.parametrize(
    ("member", "value", "texts"),
    [
        ("code", {"text": "Asthme", "coding": [{"code": "J45"}]}, ("Asthme",)),
        ("code", {"coding": [{"code": "J45", "display": "Asthme"}]}, ("Asthme",)),
        ("code", {"coding": [{"code": "J45"}]}, ("J45",)),
        ("status", "entered-in-error", ("saisi par erreur",)),
        ("clinicalStatus", {"coding": [{"code": "active"}]}, ("actif",)),
        ("valueQuantity", {"value": 7.8, "unit": "g/L", "comparator": "<"}, ("<7,8 g/L",)),
        ("valueQuantity", {"value": 7, "code": "10*9/L"}, ("7 10⁹/L",)),
        ("onsetDateTime", "2020-03-05", ("05/03/2020",)),
        ("onsetDateTime", "2020-03", ("03/2020",)),
        ("effectiveDateTime", "2020-03-05T08:15:00+01:00", ("05/03/2020 08:15",)),
        ("period", {"start": "2020-03-05"}, ("05/03/2020 – …",)),
        ("recorder", {"reference": "Practitioner/1", "display": "Dr Lin"}, ("Dr Lin",)),
        ("encounter", {"reference": "Encounter/1"}, ("Passage",)),
        ("note", [{"text": "Un", "authorString": "Moi"}, {"text": "Six"}], ("Un · Auteur\u00a0: Moi", "Six")),
        ("valueBoolean", True, ("oui",)),
        ("valueBoolean", False, ("non",)),
        ("component", [{"code": {"text": "Systolique"}, "valueInteger": 130}], ("Systolique\u00a0: 130",)),
        ("referenceRange", [{"low": {"value": 1}, "high": {"value": 2}}], ("1 – 2",)),
        ("referenceRange", [{"high": {"value": 2, "unit": "g"}}], ("≤ 2 g",)),
        ("extension", [{"url": "http://a/b", "valueString": "x"}], ("b\u00a0: x",)),
        ("section", [{"title": "Examen", "text": {"div": "<div>Rien</div>"}}], ("Examen · Rien",)),
    ],
)  # fmt: skip
def test_each_value_is_said_as_people_do(member: str, value: Any, texts: tuple[str, ...]) -> None:
    assert of(member, value) == texts


def test_a_member_without_a_word_of_ours_stands_under_its_own_name() -> None:
    assert said({"resourceType": "Basic", "somethingNew": "x"}) == {"somethingNew": ("x",)}


def test_what_is_for_machines_is_left_out() -> None:
    machine = {"id": "1", "meta": {"versionId": "1"}, "subject": {"reference": "Patient/1"}, "_status": {}}
    assert said({"resourceType": "Basic", **machine, "text": {"status": "generated", "div": "x"}}) == {}


def test_a_narrative_that_says_more_than_the_members_is_shown() -> None:
    text = {"status": "additional", "div": "<div><b>Plus</b></div>"}
    assert list(said({"resourceType": "Basic", "text": text}).values()) == [("Plus",)]


def test_a_change_says_what_is_gone_and_what_is_come() -> None:
    old, new = (
        fields({"resourceType": "Basic", "note": [{"text": text} for text in texts]}, Language.EN)
        for texts in (("a", "b"), ("b", "c"))
    )
    assert changes(old, new) == [Change("Remark", ("a",), ("c",))]


def test_a_member_that_goes_and_one_that_comes_are_changes() -> None:
    old = fields({"resourceType": "Basic", "status": "active"}, Language.EN)
    new = fields({"resourceType": "Basic", "lotNumber": "B1"}, Language.EN)
    assert changes(old, new) == [Change("Lot", (), ("B1",)), Change("State", ("active",), ())]


def test_an_order_that_changes_is_a_change() -> None:
    old, new = (
        fields({"resourceType": "Basic", "note": [{"text": text} for text in texts]}, Language.EN)
        for texts in ("ab", "ba")
    )
    assert changes(old, new) == [Change("Remark", ("a", "b"), ("b", "a"))]


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
names = st.sampled_from(
    ["code", "coding", "text", "value", "unit", "start", "end", "low", "high", "reference", "url", "div"]
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names, trees, max_size=5))
def test_whatever_a_resource_holds_it_is_said_in_texts(members: dict[str, Any]) -> None:
    for texts in said({"resourceType": "Basic", **members}).values():
        assert all(isinstance(text, str) for text in texts)
