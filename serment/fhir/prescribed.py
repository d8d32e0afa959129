"""A prescription as resources: the treatments, the document with its content, and what becomes of it.

Values in, JSON values out. The number stands in `groupIdentifier` of each treatment and in `identifier` of
the document, under a system of ours; the national number, once there is one, beside it.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.fhir.dates import instant_text

SYSTEM: Final = "urn:serment:prescription"
NATIONAL: Final = "urn:serment:national-prescription"
"""System under which a national number is kept: whoever connects the real service names its own."""

TYPE: Final = {"system": "http://loinc.org", "code": "57833-6", "display": "Prescription"}
"""JDV_J07 (document_types.csv): Prescription de produits de santé."""

CONDITION: Final = "long-term-illness"
_COURSE: Final = "urn:serment:prescription-part"
_WITHDRAWN: Final = "entered-in-error"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One treatment: what, how, for how long, renewed how often, under the long-term illness or not."""

    name: str = field(repr=False)
    dose: str = field(repr=False)
    duration: str = field(default="", repr=False)
    renewals: int = 0
    long_term: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What is kept: number, title, instant (ms), whose, by whom (number and name), content and treatments."""

    number: str
    title: str
    at: int
    patient: str = field(repr=False)
    prescriber: tuple[str, str] = field(repr=False)
    pdf: bytes = field(repr=False)
    items: Sequence[Item] = field(repr=False)


def transaction(one: Written, rpps_system: str) -> bytes:
    """Write the transaction: the content first, the document that holds it, then the treatments."""
    places = [f"urn:uuid:{uuid.uuid4()}" for _ in range(len(one.items) + 2)]
    by = {"identifier": {"system": rpps_system, "value": one.prescriber[0]}, "display": one.prescriber[1]}
    data = base64.b64encode(one.pdf).decode("ascii")
    content = {"resourceType": "Binary", "contentType": "application/pdf", "data": data}
    resources = [
        content,
        _document(one, by, places[0], places[2:]),
        *(_request(one, by, item) for item in one.items),
    ]
    entries = [
        {
            "fullUrl": place,
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for place, resource in zip(places, resources, strict=True)
    ]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _document(one: Written, by: Json, content: str, requests: Sequence[str]) -> Json:
    at = instant_text(one.at)
    attachment = {"contentType": "application/pdf", "url": content, "title": one.title, "creation": at}
    context = {"context": {"related": [{"reference": place} for place in requests]}} if requests else {}
    return {
        "resourceType": "DocumentReference",
        "identifier": [{"system": SYSTEM, "value": one.number}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [TYPE]},
        "subject": {"reference": f"Patient/{one.patient}"},
        "date": at,
        "author": [by],
        "description": one.title,
        "content": [{"attachment": attachment}],
        **context,
    }


def _request(one: Written, by: Json, item: Item) -> Json:
    part = [{"coding": [{"system": _COURSE, "code": CONDITION}]}] if item.long_term else []
    dispense: Json = {"numberOfRepeatsAllowed": item.renewals} if item.renewals else {}
    how = item.dose if not item.duration else f"{item.dose} ({item.duration})"
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": item.name},
        "subject": {"reference": f"Patient/{one.patient}"},
        "authoredOn": instant_text(one.at),
        "requester": by,
        "groupIdentifier": {"system": SYSTEM, "value": one.number},
        "dosageInstruction": [{"text": how}],
        **({"category": part} if part else {}),
        **({"dispenseRequest": dispense} if dispense else {}),
    }


def number_of(document: Json) -> str:
    """Give the number of a prescription that stands, "" for a document that is none or was withdrawn."""
    withdrawn = document.get("status") != "current"
    return "" if withdrawn else _identified(document, SYSTEM)


def national_of(document: Json) -> str:
    """Give the national number, "" when there is none."""
    return _identified(document, NATIONAL)


def with_national(document: Json, number: str) -> Json:
    """Give the document with its national number."""
    more = {"system": NATIONAL, "value": number}
    return {**document, "identifier": [*document.get("identifier", []), more]}


def requests_of(document: Json) -> list[str]:
    """Name the treatments that a prescription made (ids)."""
    related = document.get("context", {}).get("related", [])
    references = (str(one.get("reference", "")) for one in related)
    return [
        one.removeprefix("MedicationRequest/") for one in references if one.startswith("MedicationRequest/")
    ]


def withdrawn(resource: Json) -> Json:
    """Give a document or a treatment as it stands once the prescription was taken back."""
    state = _WITHDRAWN if resource["resourceType"] == "DocumentReference" else "cancelled"
    return {**resource, "status": state}


def _identified(resource: Json, system: str) -> str:
    found = (one for one in resource.get("identifier", []) if one.get("system") == system)
    return next((str(one.get("value", "")) for one in found), "")
