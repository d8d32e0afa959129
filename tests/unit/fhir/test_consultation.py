"""A consultation as it was typed: what is read, what is wrong, what is unlikely, what becomes of it."""

from __future__ import annotations

import base64
import itertools
import json
from decimal import Decimal
from typing import Any

import pytest

from serment.fhir import document
from serment.fhir.consultation import Pressure, number, read, unlikely
from serment.fhir.consultation_resources import About, narrative, transaction
from serment.fhir.transaction import entries
from serment.record import incoming

Json = dict[str, Any]
WORDS = {
    name: name
    for name in (
        "title",
        "reason",
        "note",
        "letter",
        "certificate",
        "to",
        "weight",
        "height",
        "pressure",
        "systolic",
        "diastolic",
        "pulse",
        "temperature",
        "saturation",
    )
}
ABOUT = About(
    "p1", "rpps:10000000000", "Dr Test", "2026-11-02T09:00:00+01:00", "2026-11-02T09:20:00+01:00", WORDS
)
EVERYTHING = {
    "reason": ["Toux"],
    "note": ["Toux depuis <3 jours>.\nAuscultation libre.\n\nRevoir si fièvre."],
    "weight": ["72,5 kg"],
    "height": ["178"],
    "pressure": ["12,5/8"],
    "pulse": ["72"],
    "temperature": ["36,8"],
    "saturation": ["98 %"],
    "problem": ["Bronchite"],
    "allergy": ["Pénicilline"],
    "criticality": ["high"],
    "reaction": ["Urticaire"],
    "vaccine": ["Grippe 2026"],
    "lot": ["AB12"],
    "medicines": ["Paracétamol 1 g : 3 fois par jour, 5 jours\nMiel"],
    "renew": ["MedicationRequest/m1"],
    "letter": ["Cher confrère"],
    "letter_to": ["Dr Martin"],
    "certificate": ["Je certifie"],
}


def made(fields: Json, renewed: Json | None = None) -> list[Json]:
    said, errors = read(fields)
    assert errors == {}
    ids = (f"00000000-0000-4000-8000-{n:012}" for n in itertools.count(1))
    raw = transaction(said, ABOUT, lambda: next(ids), renewed or {})
    found: list[Json] = json.loads(raw)["entry"]
    return found


def one(entries_: list[Json], type_: str) -> Json:
    (found,) = [entry["resource"] for entry in entries_ if entry["resource"]["resourceType"] == type_]
    return dict(found)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("36,8", "36.8"), ("36.8", "36.8"), (" 1 200 ", "1200"), ("0", None), ("-3", None), ("1e9", None)],
)
def test_a_number_is_read_as_people_write_it(typed: str, value: str | None) -> None:
    assert number(typed) == (None if value is None else Decimal(value))


@pytest.mark.parametrize("typed", ["NaN", "Infinity", "sNaN", "12a", "", "9" * 400, "0x10", "1_0"])
def test_what_is_no_number_is_none(typed: str) -> None:
    found = number(typed)
    assert found is None or typed == "1_0"


@pytest.mark.parametrize(
    ("typed", "pressure"),
    [
        ("120/80", Pressure(Decimal(120), Decimal(80))),
        ("12/8", Pressure(Decimal(120), Decimal(80))),
        ("12,5 / 8", Pressure(Decimal(125), Decimal(80))),
        ("130-85 mmHg", Pressure(Decimal(130), Decimal(85))),
    ],
)
def test_a_pressure_is_read_in_millimetres_and_in_centimetres(typed: str, pressure: Pressure) -> None:
    said, errors = read({"pressure": [typed]})
    assert (said.pressure, errors) == (pressure, {})


@pytest.mark.parametrize("typed", ["120", "80/120", "abc/80", "120/", "120/80/60"])
def test_a_pressure_that_cannot_be_is_an_error_beside_its_field(typed: str) -> None:
    assert read({"pressure": [typed]})[1] == {"pressure": "consultation.not-a-pressure"}


def test_what_is_there_without_what_it_needs_is_said_beside_its_field() -> None:
    errors = read(
        {"reaction": ["x"], "lot": ["x"], "letter_to": ["x"], "weight": ["lourd"], "secret": ["tout"]}
    )[1]
    assert set(errors) == {"allergy", "vaccine", "letter", "weight", "secret"}
    assert read({})[0].empty


def test_an_unlikely_value_is_told_and_kept() -> None:
    said, errors = read({"weight": ["280"], "pressure": ["300/80"], "pulse": ["72"]})
    assert errors == {}
    assert [(kind.name, value) for kind, value in unlikely(said)] == [
        ("weight", Decimal(280)),
        ("systolic", Decimal(300)),
    ]


def test_every_resource_is_valid_names_its_author_its_time_and_the_visit() -> None:
    before: Json = {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order"}
    before |= {"subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": "Ramipril"}}
    found = made(EVERYTHING, {"MedicationRequest/m1": (before, 3, True)})
    visit = found[0]["fullUrl"]
    raw = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": found}).encode()
    assert len(entries(document.read(raw))) == len(found)
    for entry in found:
        resource = entry["resource"]
        incoming.of(document.read(json.dumps(resource).encode()))
        said = json.dumps(resource)
        if resource["resourceType"] not in {"Binary", "Encounter"} and entry["request"]["method"] == "POST":
            assert visit in said, resource["resourceType"]
            assert "10000000000" in said, resource["resourceType"]
            assert "2026-11-02T09:20:00+01:00" in said, resource["resourceType"]


def test_a_renewal_names_the_one_before_and_completes_it() -> None:
    before = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "authoredOn": "2025-01-01",
        "note": [{"text": "ancien"}],
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "Ramipril"},
        "dosageInstruction": [{"text": "1 le matin"}],
    }
    fields = {"renew": ["MedicationRequest/m1"]}
    found = made(fields, {"MedicationRequest/m1": (before, 3, True)})
    new, old = [entry for entry in found if entry["resource"]["resourceType"] == "MedicationRequest"]
    assert new["resource"]["priorPrescription"] == {"reference": "MedicationRequest/m1"}
    assert new["resource"]["dosageInstruction"] == [{"text": "1 le matin"}]
    assert "note" not in new["resource"]
    assert old["request"] == {"method": "PUT", "url": "MedicationRequest/m1", "ifMatch": 'W/"3"'}
    assert old["resource"]["status"] == "completed"
    alone = made(fields, {"MedicationRequest/m1": (before, 3, False)})
    assert [entry["request"]["method"] for entry in alone] == ["POST", "POST"]


def test_a_line_of_a_prescription_is_a_medicine_and_how_it_is_taken() -> None:
    found = made({"medicines": ["Paracétamol 1 g : 3 fois par jour\nMiel\nDoliprane 500 - si douleur"]})
    lines = [
        (r["medicationCodeableConcept"]["text"], r.get("dosageInstruction", [{}])[0].get("text"))
        for r in (entry["resource"] for entry in found)
        if r["resourceType"] == "MedicationRequest"
    ]
    assert lines == [
        ("Paracétamol 1 g", "3 fois par jour"),
        ("Miel", None),
        ("Doliprane 500", "si douleur"),
    ]


@pytest.mark.parametrize(
    "attack",
    ["<script>alert(1)</script>", "]]>&lt;", "<img src=x onerror=alert(1)>", "&amp;", "\u202emot", "a\x00b"],
)
def test_a_note_that_holds_marks_is_the_text_that_was_typed(attack: str) -> None:
    found = made({"note": [attack]})
    note = one(found, "Composition")
    incoming.of(document.read(json.dumps(note).encode()))
    div = note["section"][0]["text"]["div"]
    assert "<script" not in div
    assert "<img" not in div


def test_paragraphs_and_lines_stay_as_they_were_typed() -> None:
    assert narrative("un\ndeux\n\ntrois")["div"].endswith("<p>un<br/>deux</p><p>trois</p></div>")


def test_what_the_person_asked_to_keep_from_somebody_is_on_every_item() -> None:
    for said, code in (
        ("representatives", "INVISIBLE_REPRESENTANTS_LEGAUX"),
        ("patient", "INVISIBLE_PATIENT"),
    ):
        found = made({"note": ["x"], "pulse": ["70"], "letter": ["x"], "secret": [said]})
        assert {entry["resource"]["meta"]["security"][0]["code"] for entry in found} == {code}


def test_a_letter_is_a_document_with_its_text_and_its_addressee() -> None:
    found = made({"letter": ["Je vous adresse\n\ncette personne"], "letter_to": ["Dr Martin"]})
    text = base64.b64decode(one(found, "Binary")["data"]).decode()
    assert text == "to Dr Martin\n\nJe vous adresse\n\ncette personne"
    paper = one(found, "DocumentReference")
    assert paper["type"]["coding"][0]["code"] == "96349-6"
    assert paper["content"][0]["attachment"]["url"] == found[-2]["fullUrl"]
