"""FHIR R4 resources of one invented record: one function per type, plain dicts out.

A `Chart` gathers them as entries of a transaction; links inside it are `urn:uuid:` and come from the
record's own seeded generator, so that the same seed gives the same bytes. Professionals are named as
`serment.demo.people.reference` does. Patient follows FR Core (INS profile); nothing here is checked
against the standard: the tests do that.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from serment.demo import people
from serment.demo.clinic import Assay, Medicine
from serment.demo.people import Person, Structure
from serment.demo.traits import Traits
from serment.identity.names import normalise

Json = dict[str, Any]

VISIBILITY = "urn:oid:1.2.250.1.213.1.1.4.13"
LOINC = "http://loinc.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_CORE = "https://hl7.fr/ig/fhir/core"
_CITY = {"city": "Bourg-Tilleul", "postalCode": "99120", "country": "FR"}


@dataclass
class Chart:
    """The transaction that will be one record. `subject` is the reference to its Patient."""

    traits: Traits
    rng: Random
    entries: list[Json] = field(default_factory=list)
    subject: Json = field(default_factory=dict)

    def add(self, resource: Json) -> Json:
        """Append one resource and give the reference to it."""
        url = self.url()
        kind = resource["resourceType"]
        self.entries.append(
            {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": kind}}
        )
        return {"reference": url}

    def url(self) -> str:
        """Draw a fresh `urn:uuid:`."""
        return f"urn:uuid:{uuid.UUID(int=self.rng.getrandbits(128), version=4)}"

    def bundle(self) -> Json:
        """Give the transaction bundle."""
        return {"resourceType": "Bundle", "type": "transaction", "entry": self.entries}


def instant(day: date, hour: int, minute: int = 0) -> str:
    """Write a local time of mainland France with its offset (directive 2000/84/EC), no time zone file."""
    begins, ends = _last_sunday(day.year, 3), _last_sunday(day.year, 10)
    offset = "+02:00" if begins <= day < ends else "+01:00"
    return f"{day.isoformat()}T{hour:02d}:{minute:02d}:00{offset}"


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=last.isoweekday() % 7)


def concept(system: str, code: str, text: str) -> Json:
    """Give a CodeableConcept; a code or a text may be "" and is then left out."""
    if not code:
        return {"text": text}
    if not text:
        return {"coding": [{"system": system, "code": code}]}
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def labelled(resource: Json, label: str) -> Json:
    """Put a visibility label of TRE_A07 on a resource."""
    resource["meta"] = {"security": [{"system": VISIBILITY, "code": label}]}
    return resource


def patient(traits: Traits, attending: Person, mother: Traits | None = None) -> Json:
    """Build the Patient as the desk enters it: strict traits in capitals, used name, contact."""
    official = {
        "use": "official",
        "extension": [
            {
                "url": f"{_CORE}/StructureDefinition/fr-core-patient-birth-list-given-name",
                "valueString": " ".join(normalise(given) for given in traits.given),
            }
        ],
        "family": normalise(traits.birth_name),
        "given": [normalise(traits.given[0])],
    }
    usual = {"use": "usual", "text": traits.name, "family": traits.used_name, "given": [traits.given[0]]}
    resource: Json = {
        "resourceType": "Patient",
        "extension": [_birth_place(traits)],
        "active": True,
        "name": [official, usual],
        "telecom": _telecom(traits.mobile, traits.mail),
        "gender": traits.sex,
        "birthDate": traits.birth_date.isoformat(),
        "address": [_CITY | {"use": "home", "line": [traits.line]}],
        "generalPractitioner": [people.reference(attending)],
    }
    if mother is not None:
        resource["contact"] = [_contact(mother)]
    if not resource["telecom"]:
        del resource["telecom"]
    return resource


def _birth_place(traits: Traits) -> Json:
    system = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
    code = {
        "url": f"{_CORE}/StructureDefinition/fr-core-address-insee-code",
        "valueCoding": {"system": system, "code": traits.place_code},
    }
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {"extension": [code], "city": traits.place},
    }


def _telecom(mobile: str, mail: str) -> list[Json]:
    phone = [{"system": "phone", "value": mobile, "use": "mobile"}] if mobile else []
    return phone + ([{"system": "email", "value": mail, "use": "home"}] if mail else [])


def _contact(other: Traits) -> Json:
    code = "MTH" if other.sex == "female" else "FTH"
    return {
        "relationship": [concept(f"{TERMINOLOGY}/v3-RoleCode", code, "Mère" if code == "MTH" else "Père")],
        "name": {"family": other.used_name, "given": [other.given[0]]},
        "telecom": _telecom(other.mobile, ""),
        "address": _CITY | {"use": "home", "line": [other.line]},
    }


def related(chart: Chart, other: Traits, role: tuple[str, str]) -> Json:
    """Build the RelatedPerson `other` of this record; `role` is a v3-RoleCode and its French word."""
    return {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": chart.subject,
        "relationship": [concept(f"{TERMINOLOGY}/v3-RoleCode", *role)],
        "name": [{"use": "usual", "text": other.name, "family": other.used_name, "given": [other.given[0]]}],
        "telecom": _telecom(other.mobile, other.mail),
        "gender": other.sex,
        "birthDate": other.birth_date.isoformat(),
        "address": [_CITY | {"use": "home", "line": [other.line]}],
    }


def encounter(
    chart: Chart,
    day: date,
    who: tuple[Person, ...],
    structure: Structure,
    reason: str,
    *,
    hour: int = 9,
    nights: int = 0,
) -> Json:
    """Build a visit of half an hour, or a stay of `nights`; `who` took part."""
    code, display = ("IMP", "Hospitalisation") if nights else ("AMB", "Consultation")
    end = instant(day + timedelta(days=nights), 11) if nights else instant(day, hour, 30)
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": code, "display": display},
        "subject": chart.subject,
        "participant": [{"individual": people.reference(person)} for person in who],
        "period": {"start": instant(day, hour), "end": end},
        "reasonCode": [{"text": reason}],
        "serviceProvider": people.place(structure),
    }


def condition(
    chart: Chart, code: str, text: str, since: date, by: Person, visit: Json, *, over: bool
) -> Json:
    """Build a problem, active or resolved."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept(f"{TERMINOLOGY}/condition-clinical", "resolved" if over else "active", ""),
        "verificationStatus": concept(f"{TERMINOLOGY}/condition-ver-status", "confirmed", ""),
        "category": [
            concept(
                f"{TERMINOLOGY}/condition-category",
                "encounter-diagnosis" if over else "problem-list-item",
                "",
            )
        ],
        "code": concept(ICD10, code, text),
        "subject": chart.subject,
        "encounter": visit,
        "onsetDateTime": since.isoformat(),
        "recordedDate": since.isoformat(),
        "recorder": people.reference(by),
    }


def allergy(chart: Chart, row: tuple[str, str, str, str, str], day: date, by: Person) -> Json:
    """Build an allergy from a row of `clinic.ALLERGIES`."""
    code, text, category, criticality, reaction = row
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": concept(f"{TERMINOLOGY}/allergyintolerance-clinical", "active", ""),
        "verificationStatus": concept(f"{TERMINOLOGY}/allergyintolerance-verification", "confirmed", ""),
        "type": "allergy",
        "category": [category],
        "criticality": criticality,
        "code": concept(ATC, code, text),
        "patient": chart.subject,
        "recordedDate": day.isoformat(),
        "recorder": people.reference(by),
        "reaction": [{"manifestation": [{"text": reaction}]}],
    }


def _observation(
    chart: Chart, category: str, code: Json, when: str, by: Person | None, visit: Json | None
) -> Json:
    found: Json = {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept(f"{TERMINOLOGY}/observation-category", category, "")],
        "code": code,
        "subject": chart.subject,
        "effectiveDateTime": when,
    }
    if visit is not None:
        found["encounter"] = visit
    if by is not None:
        found["performer"] = [people.reference(by)]
    return found


def quantity(value: float, unit: str, ucum: str) -> Json:
    """Give a Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": ucum}


def laboratory(chart: Chart, test: Assay, value: float, day: date, when: str = "") -> Json:
    """Build one laboratory result with its reference range and its flag; `when` is its instant, else 8:15."""
    found = _observation(
        chart, "laboratory", concept(LOINC, test.loinc, test.text), when or instant(day, 8, 15), None, None
    )
    found["valueQuantity"] = quantity(value, test.unit, test.ucum)
    span: Json = {}
    if test.low is not None:
        span["low"] = quantity(test.low, test.unit, test.ucum)
    if test.high is not None:
        span["high"] = quantity(test.high, test.unit, test.ucum)
    found["referenceRange"] = [span]
    flag = "L" if test.low is not None and value < test.low else "N"
    flag = "H" if test.high is not None and value > test.high else flag
    found["interpretation"] = [concept(f"{TERMINOLOGY}/v3-ObservationInterpretation", flag, "")]
    return found


def vital(chart: Chart, loinc: str, text: str, value: Json, when: str, by: Person, visit: Json) -> Json:
    """Build one vital sign; `value` is a Quantity."""
    found = _observation(chart, "vital-signs", concept(LOINC, loinc, text), when, by, visit)
    return found | {"valueQuantity": value}


def blood_pressure(chart: Chart, high: int, low: int, when: str, by: Person, visit: Json) -> Json:
    """Build a blood pressure panel with its two components, in mmHg."""
    found = _observation(
        chart, "vital-signs", concept(LOINC, "85354-9", "Pression artérielle"), when, by, visit
    )
    found["component"] = [
        {"code": concept(LOINC, code, text), "valueQuantity": quantity(value, "mmHg", "mm[Hg]")}
        for code, text, value in (("8480-6", "Systolique", high), ("8462-4", "Diastolique", low))
    ]
    return found


def prescription(
    chart: Chart, medicine: Medicine, day: date, by: Person, visit: Json, *, active: bool
) -> Json:
    """Build a MedicationRequest for one prescription of `medicine`."""
    return {
        "resourceType": "MedicationRequest",
        "status": "active" if active else "completed",
        "intent": "order",
        "medicationCodeableConcept": concept(ATC, medicine.atc, medicine.text),
        "subject": chart.subject,
        "encounter": visit,
        "authoredOn": day.isoformat(),
        "requester": people.reference(by),
        "dosageInstruction": [{"text": medicine.dosage}],
        "dispenseRequest": {
            "expectedSupplyDuration": quantity(medicine.days, "j", "d"),
        },
    }


def immunization(chart: Chart, atc: str, text: str, day: date, by: Person) -> Json:
    """Build one vaccination that was given."""
    lot = f"{chart.rng.choice('ABCDEFGHK')}{chart.rng.randint(1000, 9999)}"
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(ATC, atc, text),
        "patient": chart.subject,
        "occurrenceDateTime": day.isoformat(),
        "lotNumber": lot,
        "performer": [{"actor": people.reference(by)}],
    }


def appointment(chart: Chart, day: date, hour: int, minute: int, who: Person, *, past: bool) -> Json:
    """Build a quarter of an hour with `who`, kept or to come."""
    return {
        "resourceType": "Appointment",
        "status": "fulfilled" if past else "booked",
        "start": instant(day, hour, minute),
        "end": instant(day, hour + (minute + 15) // 60, (minute + 15) % 60),
        "participant": [
            {"actor": chart.subject, "status": "accepted"},
            {"actor": people.reference(who), "status": "accepted"},
        ],
    }


def order(chart: Chart, text: str, day: date, by: Person, to: Person | None, visit: Json) -> Json:
    """Build a ServiceRequest: tests, or care asked of `to`."""
    asked: Json = {
        "resourceType": "ServiceRequest",
        "status": "completed",
        "intent": "order",
        "code": {"text": text},
        "subject": chart.subject,
        "encounter": visit,
        "authoredOn": day.isoformat(),
        "requester": people.reference(by),
    }
    if to is not None:
        asked["performer"] = [people.reference(to)]
    return asked


def binary(chart: Chart, content: str) -> Json:
    """Build the Binary of a PDF; `content` is base64."""
    return {
        "resourceType": "Binary",
        "contentType": "application/pdf",
        "securityContext": chart.subject,
        "data": content,
    }


def document(
    chart: Chart, kind: Json, title: str, day: date, by: Person, visit: Json, attachment: Json
) -> Json:
    """Build the DocumentReference; `kind` is a type of JDV_J07, `attachment` points to a Binary."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": kind,
        "subject": chart.subject,
        "date": instant(day, 18),
        "author": [people.reference(by)],
        "description": title,
        "content": [{"attachment": attachment | {"title": title, "creation": instant(day, 18)}}],
        "context": {"encounter": [visit]},
    }


def report(chart: Chart, text: str, when: str, by: Person, results: list[Json], visit: Json) -> Json:
    """Build the report of a laboratory over results that stand beside it, signed by a biologist."""
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "category": [concept(f"{TERMINOLOGY}/v2-0074", "LAB", "")],
        "code": concept(LOINC, "11502-2", text),
        "subject": chart.subject,
        "encounter": visit,
        "effectiveDateTime": when,
        "issued": when,
        "performer": [people.place(people.LABORATORY)],
        "resultsInterpreter": [people.reference(by)],
        "result": results,
    }
