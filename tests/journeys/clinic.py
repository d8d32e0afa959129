"""What a clinic writes in a day, as plain FHIR: what the clients that others wrote are given to send."""

from __future__ import annotations

from typing import Any

from tests.doors.samples import LOINC, Json, bundle, entry, person, weight

STORES = ("sqlite", "postgresql")
PERSON, VISIT = (f"urn:uuid:0e2f6f0e-5d0c-4a57-8f0b-7f1c5b7a01{number:02}" for number in (1, 2))
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400
"""Content that is no text, large enough to stand in chunks."""


def encounter(patient: str, day: str = "2026-03-02", **more: Any) -> Json:
    """Make a visit. `patient` is a reference."""
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": patient},
        "period": {"start": f"{day}T09:00:00+01:00", "end": f"{day}T09:20:00+01:00"},
        **more,
    }


def condition(patient: str, visit: str) -> Json:
    """Make a problem that a visit found."""
    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": status, "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]},
        "subject": {"reference": patient},
        "encounter": {"reference": visit},
    }


def prescription(patient: str, visit: str) -> Json:
    """Make an order of a medicine."""
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Amlodipine 5 mg"},
        "subject": {"reference": patient},
        "encounter": {"reference": visit},
        "dosageInstruction": [{"text": "1 comprimé le matin"}],
    }


def measure(patient: str, visit: str, kilograms: float, **more: Any) -> Json:
    """Make a weight taken at a visit."""
    return weight(patient, kilograms, encounter={"reference": visit}, **more)


def first_visit(family: str, born: str) -> Json:
    """Make the transaction of a new person: who they are, one visit, five weights."""
    days = [f"2026-03-0{day}" for day in range(1, 6)]
    weights = [measure(PERSON, VISIT, 70 + n, effectiveDateTime=day) for n, day in enumerate(days)]
    return bundle(
        {"fullUrl": PERSON, **entry(person(family, born))},
        {"fullUrl": VISIT, **entry(encounter(PERSON))},
        *(entry(one) for one in weights),
    )


def weights_of(patient: str) -> dict[str, str]:
    """Ask for the weights of a person in order, two a page."""
    return {"patient": patient, "code": f"{LOINC}|29463-7", "_sort": "date", "_count": "2"}
