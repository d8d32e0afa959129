"""The reason of an appointment in a half of its own: what an agenda needs stays, whatever else goes."""

import json
from typing import Any

import pytest

from serment.fhir import search
from serment.fhir.document import read
from serment.fhir.halves import SHOWN, beside, cut, cut_members, join

BOOKED: dict[str, Any] = {
    "resourceType": "Appointment",
    "status": "booked",
    "reasonCode": [{"text": "suivi d'une cirrhose"}],
    "start": "2026-11-22T09:00:00+01:00",
    "end": "2026-11-22T09:15:00+01:00",
    "comment": "à jeun",
    "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
}

WHY = {
    "reasonCode": [{"text": "x"}],
    "reasonReference": [{"reference": "Condition/c1"}],
    "description": "x",
    "_description": {"id": "d"},
    "comment": "x",
    "patientInstruction": "x",
    "supportingInformation": [{"reference": "DocumentReference/d1"}],
    "serviceType": [{"text": "x"}],
    "specialty": [{"text": "x"}],
    "basedOn": [{"reference": "ServiceRequest/s1"}],
    "text": {"status": "generated", "div": "x"},
    "contained": [{"resourceType": "Condition", "id": "c"}],
    "extension": [{"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.note"}],
    "whateverComesNext": "x",
}


def raw(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource, ensure_ascii=False).encode()


@pytest.mark.parametrize("member", sorted(WHY))
def test_what_may_say_why_stands_in_the_half(member: str) -> None:
    whole = raw({**BOOKED, member: WHY[member]})
    left, half = cut(read(whole))
    assert half is not None
    assert member not in read(left).value
    assert join(left, half) == whole


def test_an_agenda_keeps_when_and_with_whom() -> None:
    left, _ = cut(read(raw(BOOKED)))
    assert set(read(left).value) == {"resourceType", "status", "start", "end", "participant"}


def test_a_reason_that_the_person_shows_at_the_reception_is_not_cut() -> None:
    shown = {**BOOKED, "extension": [{"url": SHOWN, "valueBoolean": True}]}
    assert cut(read(raw(shown))) == (raw(shown), None)


@pytest.mark.parametrize("said", [False, "true", None, 1])
def test_anything_but_a_clear_yes_leaves_the_reason_hidden(said: object) -> None:
    assert "reasonCode" in cut_members({**BOOKED, "extension": [{"url": SHOWN, "valueBoolean": said}]})


def test_a_visit_keeps_no_reason_or_diagnosis_beside_its_dates() -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "reasonCode": [{"text": "x"}],
        "diagnosis": [{"condition": {"reference": "Condition/c1"}}],
        "extension": [{"url": SHOWN, "valueBoolean": True}],
    }
    assert cut_members(visit) == {"reasonCode", "diagnosis", "extension"}


def test_the_half_that_is_left_is_found_by_no_reason() -> None:
    coded = {**BOOKED, "reasonCode": [{"coding": [{"system": "http://loinc.org", "code": "1-8"}]}]}
    assert b"1-8" not in search.index(coded)
    assert b"1-8" in search.index(coded, part="reason")


def test_a_newer_reason_stands_and_the_older_half_adds_nothing_to_it() -> None:
    _, half = cut(read(raw(BOOKED)))
    assert half is not None
    newer = raw({**BOOKED, "reasonCode": [{"text": "vaccin"}]})
    joined = read(beside(newer, half)).value
    assert joined["reasonCode"] == [{"text": "vaccin"}]
