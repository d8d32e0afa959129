"""From a consultation to the resources that say it: one transaction, every item with author, source and time.

A visit (Encounter) that everything refers to; the note and the reason as one document with its sections
(Composition); each measure, the problem, the allergy, the vaccination; one MedicationRequest for each line
and for each renewal, which names the one before (`priorPrescription`); letter and certificate as documents
with their text. Links inside are `urn:uuid:` of ids that the caller gives. Pure: nothing is looked up or
dated here.

Order: who and when, the transaction, the visit and its note, measures, what is on record, treatments, papers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from typing import Any, Final

from serment.fhir.consultation import (
    DIASTOLIC,
    KINDS,
    PRESSURE_CODE,
    SYSTOLIC,
    Consultation,
    Kind,
    Pressure,
)
from serment.identity import rpps

Json = dict[str, Any]

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
VISIBILITY: Final = "urn:oid:1.2.250.1.213.1.1.4.13"

NOTE: Final = "34109-9"
LETTER: Final = "96349-6"
CERTIFICATE: Final = "89601-9"
"""LOINC codes of what is written: a note; of JDV_J07, a letter to a colleague and a medical certificate."""

LABELS: Final[Mapping[str, str]] = {
    "patient": "INVISIBLE_PATIENT",
    "representatives": "INVISIBLE_REPRESENTANTS_LEGAUX",
}
"""Whom the person chose not to show it to for now → code of TRE_A07."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose consultation it is, by whom and when: instants with their offset (FHIR `instant`).

    `actor` is the id of who signs in (`rpps:…`); `words` are the titles of what is written, by name.
    """

    patient: str = field(repr=False)
    actor: str = field(repr=False)
    name: str = field(repr=False)
    begun: str
    ended: str
    words: Mapping[str, str]

    @property
    def subject(self) -> Json:
        """Refer to the person."""
        return {"reference": f"Patient/{self.patient}"}

    @property
    def author(self) -> Json:
        """Refer to the professional by their number, as they are signed in."""
        kind, _, value = self.actor.partition(":")
        system = rpps.SYSTEM if kind == "rpps" else "urn:serment:actor"
        said = {"system": system, "value": value if kind == "rpps" else self.actor}
        return {"identifier": said, "display": self.name}


class _Sheet:
    """The entries so far; each resource is dated, signed and labelled as the consultation is."""

    def __init__(self, said: Consultation, about: About, new_id: Callable[[], str]) -> None:
        self.said, self.about, self._new_id = said, about, new_id
        self.entries: list[Json] = []
        self.visit: Json = {}

    def add(self, resource: Json) -> Json:
        """Append one resource and give the reference to it."""
        label = LABELS.get(self.said.secret)
        if label is not None:
            resource["meta"] = {"security": [{"system": VISIBILITY, "code": label}]}
        url = f"urn:uuid:{self._new_id()}"
        request = {"method": "POST", "url": resource["resourceType"]}
        self.entries.append({"fullUrl": url, "resource": resource, "request": request})
        return {"reference": url}


def transaction(
    said: Consultation,
    about: About,
    new_id: Callable[[], str],
    renewed: Mapping[str, tuple[Json, int, bool]],
) -> bytes:
    """Make the transaction that saves a consultation, as FHIR JSON.

    `renewed` are the treatments to renew as they stand: `MedicationRequest/id` → resource, version, and
    whether the one before is completed by it (only who may change it completes it).
    """
    sheet = _Sheet(said, about, new_id)
    sheet.visit = sheet.add(_visit(sheet))
    _note(sheet)
    _measured(sheet)
    _recorded(sheet)
    _treatments(sheet, renewed)
    _papers(sheet)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": sheet.entries}
    return json.dumps(bundle, ensure_ascii=False, default=_as_number).encode()


def _as_number(value: object) -> float | int:
    """Write a decimal as JSON does; every one here has at most six digits, which a float keeps."""
    if not isinstance(value, Decimal):
        raise TypeError
    return int(value) if value == value.to_integral_value() else float(value)


# The visit and its note.


def _visit(sheet: _Sheet) -> Json:
    said, about = sheet.said, sheet.about
    visit: Json = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB"},
        "subject": about.subject,
        "participant": [{"individual": about.author}],
        "period": {"start": about.begun, "end": about.ended},
    }
    if said.reason:
        visit["reasonCode"] = [{"text": said.reason}]
    if said.known_problem:
        visit["reasonReference"] = [{"reference": said.known_problem}]
    return visit


def _note(sheet: _Sheet) -> None:
    """Add the note: a document of sections, the reason before what was found."""
    said, about = sheet.said, sheet.about
    parts = [("reason", said.reason), ("note", said.note)]
    sections = [{"title": about.words[name], "text": narrative(text)} for name, text in parts if text]
    if sections:
        sheet.add(
            {
                "resourceType": "Composition",
                "status": "final",
                "type": _coded(NOTE, about.words["title"]),
                "subject": about.subject,
                "encounter": sheet.visit,
                "date": about.ended,
                "author": [about.author],
                "title": about.words["title"],
                "section": sections,
            }
        )


def narrative(text: str) -> Json:
    """Write a text as a Narrative: every sign that XHTML knows is escaped, paragraphs and lines stay."""
    paragraphs = [one.strip("\n") for one in text.replace("\r", "").split("\n\n")]
    said = "".join(
        f"<p>{escape(one, quote=False).replace(chr(10), '<br/>')}</p>" for one in paragraphs if one.strip()
    )
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{said}</div>'}


def _coded(code: str, text: str) -> Json:
    return {"coding": [{"system": LOINC, "code": code}], "text": text}


# Measures.


def _measured(sheet: _Sheet) -> None:
    for kind in KINDS:
        value = sheet.said.measures.get(kind.name)
        if value is not None:
            measured = _observation(sheet, kind.loinc, kind.name)
            sheet.add({**measured, "valueQuantity": _quantity(value, kind)})
    if sheet.said.pressure is not None:
        sheet.add(_pressure(sheet, sheet.said.pressure))


def _pressure(sheet: _Sheet, said: Pressure) -> Json:
    parts = ((SYSTOLIC, said.systolic), (DIASTOLIC, said.diastolic))
    found = _observation(sheet, PRESSURE_CODE, "pressure")
    found["component"] = [
        {"code": _coded(kind.loinc, sheet.about.words[kind.name]), "valueQuantity": _quantity(value, kind)}
        for kind, value in parts
    ]
    return found


def _observation(sheet: _Sheet, loinc: str, name: str) -> Json:
    category = {"system": f"{TERMINOLOGY}/observation-category", "code": "vital-signs"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [category]}],
        "code": _coded(loinc, sheet.about.words[name]),
        "subject": sheet.about.subject,
        "encounter": sheet.visit,
        "effectiveDateTime": sheet.about.ended,
        "performer": [sheet.about.author],
    }


def _quantity(value: Decimal, kind: Kind) -> Json:
    return {"value": value, "unit": kind.unit, "system": UCUM, "code": kind.ucum}


# What is on record.


def _recorded(sheet: _Sheet) -> None:
    """Add the problem, the allergy and the vaccination."""
    said, about = sheet.said, sheet.about
    if said.problem:
        sheet.add(
            {
                "resourceType": "Condition",
                "clinicalStatus": _state("condition-clinical", "active"),
                "verificationStatus": _state("condition-ver-status", "confirmed"),
                "category": [_state("condition-category", "problem-list-item")],
                "code": {"text": said.problem},
                "subject": about.subject,
                "encounter": sheet.visit,
                "recordedDate": about.ended,
                "recorder": about.author,
            }
        )
    if said.allergy:
        sheet.add(_allergy(sheet))
    if said.vaccine:
        sheet.add(_vaccination(sheet))


def _allergy(sheet: _Sheet) -> Json:
    said, about = sheet.said, sheet.about
    found: Json = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": _state("allergyintolerance-clinical", "active"),
        "verificationStatus": _state("allergyintolerance-verification", "confirmed"),
        "code": {"text": said.allergy},
        "patient": about.subject,
        "encounter": sheet.visit,
        "recordedDate": about.ended,
        "recorder": about.author,
    }
    if said.criticality:
        found["criticality"] = said.criticality
    if said.reaction:
        found["reaction"] = [{"manifestation": [{"text": said.reaction}]}]
    return found


def _vaccination(sheet: _Sheet) -> Json:
    said, about = sheet.said, sheet.about
    found: Json = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"text": said.vaccine},
        "patient": about.subject,
        "encounter": sheet.visit,
        "occurrenceDateTime": about.ended,
        "primarySource": True,
        "performer": [{"actor": about.author}],
    }
    if said.lot:
        found["lotNumber"] = said.lot
    return found


def _state(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}


# Treatments.

RENEWED: Final = (
    "medicationCodeableConcept",
    "medicationReference",
    "dosageInstruction",
    "dispenseRequest",
    "reasonCode",
    "reasonReference",
    "substitution",
    "category",
    "courseOfTherapyType",
)
"""What a renewal keeps of the prescription before."""


def _treatments(sheet: _Sheet, renewed: Mapping[str, tuple[Json, int, bool]]) -> None:
    for reference in sheet.said.renewed:
        if reference in renewed:
            before, version, completes = renewed[reference]
            kept: Json = {name: before[name] for name in RENEWED if name in before}
            sheet.add({**_prescribed(sheet), **kept, "priorPrescription": {"reference": reference}})
            if completes:
                sheet.entries.append(_completed(reference, before, version))
    for line in sheet.said.medicines:
        name, dosage = _line(line)
        made = {**_prescribed(sheet), "medicationCodeableConcept": {"text": name}}
        sheet.add({**made, "dosageInstruction": [{"text": dosage}]} if dosage else made)


def _prescribed(sheet: _Sheet) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": sheet.about.subject,
        "encounter": sheet.visit,
        "authoredOn": sheet.about.ended,
        "requester": sheet.about.author,
    }


def _completed(reference: str, before: Json, version: int) -> Json:
    request = {"method": "PUT", "url": reference, "ifMatch": f'W/"{version}"'}
    return {"resource": {**before, "status": "completed"}, "request": request}


def _line(text: str) -> tuple[str, str]:
    """Cut a line as it is written: the medicine, then how it is taken, behind a colon or a dash."""
    for sign in (" : ", " – ", " — ", " - ", ": ", "; "):
        name, found, dosage = text.partition(sign)
        if found and name.strip() and dosage.strip():
            return name.strip(), dosage.strip()
    return text, ""


# Papers.


def _papers(sheet: _Sheet) -> None:
    said, words = sheet.said, sheet.about.words
    to = f"{words['to']} {said.letter_to}\n\n" if said.letter_to else ""
    for text, code, name in (
        (to + said.letter if said.letter else "", LETTER, "letter"),
        (said.certificate, CERTIFICATE, "certificate"),
    ):
        if text:
            _paper(sheet, text, code, words[name])


def _paper(sheet: _Sheet, text: str, code: str, title: str) -> None:
    """Add a document and its text, as one that is received would stand: a type, a date, an author."""
    about = sheet.about
    content = sheet.add(
        {
            "resourceType": "Binary",
            "contentType": "text/plain; charset=utf-8",
            "securityContext": about.subject,
            "data": base64.b64encode(text.encode()).decode(),
        }
    )
    sheet.add(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "type": _coded(code, title),
            "subject": about.subject,
            "date": about.ended,
            "author": [about.author],
            "description": title,
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "url": content["reference"],
                        "title": title,
                        "creation": about.ended,
                    }
                }
            ],
            "context": {"encounter": [sheet.visit]},
        }
    )
