"""What devices send into a record: ten codes an hour, in the order of time, taken in as an import does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from serment.fhir import document
from serment.intake import import_
from serment.intake.import_.prepare import ready
from serment.record.house import House
from serment.record.imports.importing import Importing
from serment.record.imports.lot import Arrival, Lot, Progress

LOT = 2_000
BEGINNING = datetime(2025, 9, 1, tzinfo=UTC)
CODES = (
    "8867-4", "9279-1", "59408-5", "8310-5", "8480-6", "8462-4", "29463-7", "2339-0", "41909-3", "8478-0",
)  # fmt: skip
"""Codes of LOINC that a monitor sends every hour."""
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def send(house: House, structure: str, patient: str, count: int, begun: int = 0, label: str = "") -> None:
    """Take in `count` values of a patient, the first of them being the `begun`th that was ever sent.

    All of them carry `label`, when one is given.
    """
    importing, asking = Importing(house.passage), import_.service(house, structure)
    arrivals, place = list(_arrivals(house, patient, range(begun, begun + count), label)), begun
    for start in range(0, count, LOT):
        some = arrivals[start : start + LOT]
        lot = Lot("devices", asking.now, some, Progress(patient, place, place + len(some)))
        importing.warm(asking, lot, {})
        taken = importing.deposit(asking, lot, {}).result().tally
        assert taken.created == len(some), taken
        place += len(some)


def _arrivals(house: House, patient: str, numbers: range, label: str) -> Iterator[Arrival]:
    now = house.passage.clock()
    for number in numbers:
        raw, id_ = measured(patient, number, label), identified(patient, number)
        made = ready(document.read(raw), id_, now)
        yield Arrival("Observation", id_, id_, raw, sha256(raw).digest(), made)


def identified(patient: str, number: int) -> str:
    """Give the id of a value by its place among those that were sent."""
    return sha256(f"{patient}/{number}".encode()).hexdigest()[:32]


def measured(patient: str, number: int, label: str = "") -> bytes:
    """Write the value that was sent at a place."""
    moment = BEGINNING + timedelta(hours=number // len(CODES))
    unit = {"unit": "1", "system": "http://unitsofmeasure.org", "code": "1"}
    security = {"meta": {"security": [{"system": "urn:serment:label", "code": label}]}} if label else {}
    return json.dumps(
        {
            "resourceType": "Observation",
            **security,
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": CODES[number % len(CODES)]}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": moment.isoformat(timespec="seconds"),
            "valueQuantity": {"value": 60 + number % 40, **unit},
            "device": {"display": "monitor"},
        }
    ).encode()
