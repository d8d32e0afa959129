"""What has just happened in the demonstration, so that each page has something true to show.

Everything goes through the product's own doors, by the people of the demonstration: a nurse and the attending
doctor look, somebody without a link is refused, a colleague opens in an emergency, a stranger asks for an
access, a paper is asked for, the laboratory answers, a change of blood group waits for a second professional.
Only the demonstration that people look at has it: tests begin from an untouched record.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from serment.demo import clinic, people, resources
from serment.demo.people import Person
from serment.demo.population import DemoPatient
from serment.demo.store import DemoStore
from serment.errors import NotFoundError
from serment.model import EmergencyReason, PatientId, Purpose
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.founding import FOUNDER

PAPER: Final = "Le compte rendu de l'ophtalmologue"
BLOOD_GROUP: Final = ("883-9", "Groupe sanguin ABO")
LABORATORY: Final = resources.concept(f"{resources.TERMINOLOGY}/observation-category", "laboratory", "")
GROUPS: Final = (("LA19710-5", "A"), ("LA19708-9", "O"))


async def live(store: DemoStore) -> None:
    """Let the last hours happen."""
    patient = _record(store, "patient")
    await _looked(store, patient)
    await _answered(store, patient)
    await _asked(store, patient)
    await _grouped(store, patient)


def _record(store: DemoStore, role: str) -> PatientId:
    one = store.people.cast[role]
    if not isinstance(one, DemoPatient):
        raise TypeError(f"{role} is a patient of the demonstration")
    return store.ids[one.key]


def _as(store: DemoStore, person: Person) -> Asking:
    return store.asking(person.actor())


async def _looked(store: DemoStore, patient: PatientId) -> None:
    """Open the record: by who may, by somebody without a link (refused), in an emergency."""
    showing = store.house.showing
    for person in (people.ATTENDING, people.ASSOCIATE):
        await showing.first_view(_as(store, person), patient)
    with suppress(NotFoundError):
        await showing.first_view(_as(store, people.UNRELATED_DOCTOR), patient)
    urgent = replace(_as(store, people.PRACTICE_NURSE), purpose=Purpose.EMERGENCY)
    await store.house.emergency.open(urgent, patient, {EmergencyReason.ON_CALL})


async def _answered(store: DemoStore, patient: PatientId) -> None:
    """Let the laboratory answer: a result that the attending doctor has to read."""
    sugar, when = clinic.TESTS["hba1c"], store.house.passage.clock()
    service = replace(FOUNDER, structure=people.PRACTICE.id)
    asking = replace(_as(store, people.ATTENDING), actor=service, purpose=Purpose.RECORD_MANAGEMENT)
    found: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "category": [LABORATORY],
        "code": resources.concept(resources.LOINC, sugar.loinc, sugar.text),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": _day(when),
        "performer": [people.reference(people.BIOLOGIST)],
        "valueQuantity": resources.quantity(7.0, sugar.unit, sugar.ucum),
        "referenceRange": [
            {
                "low": resources.quantity(sugar.low or 0, sugar.unit, sugar.ucum),
                "high": resources.quantity(sugar.high or 0, sugar.unit, sugar.ucum),
            }
        ],
    }
    await _write(store, asking, found)


async def _asked(store: DemoStore, patient: PatientId) -> None:
    """Ask the patient: a hospital doctor for an access, the attending doctor for a paper."""
    await store.house.permitting.ask(_as(store, people.HOSPITAL_DOCTOR), patient, "follow-up")
    attending = _as(store, people.ATTENDING)
    await store.house.errands.ask_deposit(
        attending, patient, "letter", "Le compte rendu de l'ophtalmologue", 30
    )


async def _grouped(store: DemoStore, patient: PatientId) -> None:
    """Write a blood group, then another: the second one waits for somebody else to confirm it."""
    for place, (code, text) in enumerate(GROUPS):
        group: dict[str, Any] = {
            "resourceType": "Observation",
            "status": "final",
            "category": [LABORATORY],
            "code": resources.concept(resources.LOINC, *BLOOD_GROUP),
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": _day(store.house.passage.clock()),
            "valueCodeableConcept": resources.concept(resources.LOINC, code, text),
        }
        author = people.ATTENDING if place == 0 else people.ASSOCIATE
        await _write(store, _as(store, author), group)


async def _write(store: DemoStore, asking: Asking, resource: dict[str, Any]) -> None:
    raw = json.dumps(resource, ensure_ascii=False).encode()
    await store.house.writing.create(asking, incoming.read(raw))


def _day(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
