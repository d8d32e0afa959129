"""What the first page of a record says of each item: its own words, its date, and nothing more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from serment.model import Category, ItemClass
from serment.record.pages.charting import Line
from serment.web.clinician import lines
from serment.words import Language

FR = Language.FR


def line(resource: dict[str, Any], category: Category = Category.NOTES, *, masked: bool = False) -> Line:
    unit = ItemClass(category, resource["resourceType"], ("N",), masked=masked)
    return Line(f"{resource['resourceType']}/1", 1, unit, 0, msgspec.json.encode(resource))


def test_an_allergy_is_severe_where_the_resource_says_so_and_not_otherwise() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "code": {"text": "Arachide"},
        "reaction": [{"manifestation": [{"text": "Urticaire"}, {"coding": [{"display": "Œdème"}]}]}],
        "recordedDate": "2024-03-05",
    }
    said = lines.allergy(line(allergy), FR)
    assert (said["title"], said["value"], said["date"]) == ("Arachide", "Urticaire, Œdème", "05/03/2024")
    assert not said["grave"]
    assert lines.allergy(line({**allergy, "criticality": "high"}), FR)["grave"]
    assert not lines.allergy(line({**allergy, "criticality": "unable-to-assess"}), FR)["grave"]


def test_a_treatment_says_its_dosage() -> None:
    drug = {"text": "Metformine 500 mg"}
    asked = {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": drug,
        "dosageInstruction": [{"text": "1 matin"}, {"timing": {}}, {"text": "1 soir"}],
    }
    taken = {
        "resourceType": "MedicationStatement",
        "medicationCodeableConcept": drug,
        "dosage": [{"text": "1"}],
    }
    assert lines.treatment(line(asked), FR)["value"] == "1 matin; 1 soir"
    assert lines.treatment(line(taken), FR)["value"] == "1"


def test_a_masked_item_says_that_it_is() -> None:
    problem = {"resourceType": "Condition", "code": {"text": "Asthme"}}
    assert lines.problem(line(problem, masked=True), FR)["masked"]
    assert not lines.problem(line(problem), FR)["masked"]


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        ({"resourceType": "ClinicalImpression", "summary": "Va mieux."}, "Va mieux."),
        ({"resourceType": "ClinicalImpression", "note": [{"text": "A revoir."}]}, "A revoir."),
        ({"resourceType": "Communication", "payload": [{"contentString": "Rappeler."}]}, "Rappeler."),
        (
            {
                "resourceType": "Composition",
                "title": "Consultation",
                "section": [
                    {"title": "Motif", "text": {"div": "<div><p>Toux</p><p>Fi&egrave;vre &lt; 39</p></div>"}},
                    {"text": {"div": "<div>Repos<br/>Eau</div>"}},
                ],
            },
            "Motif : Toux\nFièvre < 39\nRepos\nEau",
        ),
        ({"resourceType": "DocumentReference", "description": "Compte rendu"}, ""),
    ],
)
def test_a_note_says_its_own_text(resource: dict[str, Any], text: str) -> None:
    assert lines.note(line(resource), FR)["text"] == text


def test_a_note_says_who_wrote_it() -> None:
    note = {
        "resourceType": "Composition",
        "title": "Visite",
        "author": [{"display": "Dr A"}, {"reference": "x"}],
    }
    said = lines.note(line(note), FR)
    assert (said["title"], said["by"]) == ("Visite", "Dr A")


def test_a_long_note_is_cut_at_a_word_and_a_long_word_anywhere() -> None:
    words = lines.shortened("mot " * 1_000)
    assert words.endswith("mot …")
    assert len(words) <= lines.MOST_TEXT + 2
    assert len(lines.shortened("x" * 1_000_000)) == lines.MOST_TEXT + 2


@pytest.mark.parametrize(
    "div", ["<script>alert(1)</script>", "<div", "a < b > c", "<div>" * 10_000, "&#x202e;"]
)
def test_a_narrative_of_any_shape_is_text(div: str) -> None:
    assert "<script" not in lines.plain(div)


@pytest.mark.parametrize("shape", [None, "text", 3, {}, [], [None, 3, "x"], {"text": 3}])
def test_members_of_another_shape_say_nothing(shape: Any) -> None:
    resource = {"resourceType": "Composition", "author": shape, "section": shape, "note": shape}
    assert lines.note(line(resource), FR)["text"] == ""
    lines.allergy(line({"resourceType": "AllergyIntolerance", "reaction": shape}), FR)
    lines.treatment(line({"resourceType": "MedicationRequest", "dosageInstruction": shape}), FR)


def test_something_new_says_of_which_kind_it_is() -> None:
    result = {"resourceType": "Observation", "code": {"text": "Ferritine"}, "valueQuantity": {"value": 7.5}}
    said = lines.news(line(result, Category.LABS), FR)
    assert (said["title"], said["value"]) == ("Ferritine", "7,5")
    assert said["kind"]
    assert lines.news(line({"resourceType": "DocumentReference"}, Category.REPORT), FR)["kind"] == "Documents"
