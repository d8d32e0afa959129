"""Rules of R4: what keeps each and what breaks it, and where the fault is said to be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.errors import InvalidResourceError
from serment.fhir import schema
from serment.fhir.document import read
from serment.fhir.validate import check, issues
from serment.words import Language

Json = dict[str, Any]
CODE = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
OBSERVATION: Json = {"resourceType": "Observation", "status": "final", "code": CODE}
PATIENT: Json = {"resourceType": "Patient"}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
SUBJECT = {"reference": "Patient/1"}


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def condition(**more: Any) -> Json:
    return {"resourceType": "Condition", "subject": SUBJECT, **more}


def allergy(**more: Any) -> Json:
    return {"resourceType": "AllergyIntolerance", "patient": SUBJECT, **more}


def contained(*inside: Json, **more: Any) -> Json:
    return {**PATIENT, "contained": list(inside), **more}


ORGANIZATION: Json = {"resourceType": "Organization", "id": "o", "name": "x"}
TO_IT = {"managingOrganization": {"reference": "#o"}}
ACTIVE = {"clinicalStatus": coded(CLINICAL, "active")}
RESOLVED = {"clinicalStatus": coded(CLINICAL, "resolved")}
CONFIRMED = {"verificationStatus": coded(f"{ALLERGY}verification", "confirmed")}
MISTAKEN = {"verificationStatus": coded(f"{ALLERGY}verification", "entered-in-error")}

KEPT = [
    {**OBSERVATION, "valueString": "x"},
    {**OBSERVATION, "dataAbsentReason": {"text": "x"}},
    {**OBSERVATION, "component": [{"code": CODE}]},
    {**OBSERVATION, "valueString": "x", "component": [{"code": {"text": "x"}}]},
    {**OBSERVATION, "effectivePeriod": {"start": "2024-03-01", "end": "2024-03-01"}},
    {**OBSERVATION, "effectivePeriod": {"start": "2024-03", "end": "2024-03-01"}},
    {**OBSERVATION, "effectivePeriod": {"start": "2024-03-01T23:00:00+01:00", "end": "2024-03-01T22:30:00Z"}},
    {**OBSERVATION, "effectivePeriod": {"start": "2024-03-02T01:00:00+01:00", "end": "2024-03-01"}},
    {**OBSERVATION, "valueRange": {"low": {"value": 1, "unit": "kg"}, "high": {"value": 1.0, "unit": "kg"}}},
    {**OBSERVATION, "valueRange": {"low": {"value": 2, "unit": "g"}, "high": {"value": 1, "unit": "kg"}}},
    {**OBSERVATION, "subject": {"reference": "https://x.example/Medication/1"}},
    {**OBSERVATION, "subject": {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}},
    {**OBSERVATION, "subject": {"display": "x"}},
    {**OBSERVATION, "subject": {"identifier": {"value": "x"}, "type": "Patient"}},
    {**PATIENT, "contact": [{"name": {"text": "x"}}]},
    {**PATIENT, "contact": [{"_gender": {"id": "x"}, "organization": {"display": "x"}}]},
    {**PATIENT, "gender": "female", "language": "fr-FR", "photo": [{"contentType": "image/png"}]},
    {**PATIENT, "_gender": {"extension": [{"url": "x", "valueCode": "y"}]}},
    contained(ORGANIZATION, **TO_IT),
    contained(
        {
            "resourceType": "Provenance",
            "id": "p",
            "recorded": "2024-01-01T00:00:00Z",
            "target": [{"reference": "#"}],
            "agent": [{"who": {"display": "x"}}],
        }
    ),
    condition(**ACTIVE),
    condition(**RESOLVED, abatementDateTime="2024-01-01"),
    condition(clinicalStatus={"extension": [{"url": "x", "valueCode": "unknown"}]}),
    allergy(clinicalStatus=coded(f"{ALLERGY}clinical", "active"), **CONFIRMED),
    allergy(**MISTAKEN),
]


@pytest.mark.parametrize("resource", KEPT, ids=lambda one: json.dumps(one)[17:110])
def test_kept(resource: Json) -> None:
    assert issues(read(json.dumps(resource).encode())) == []


BROKEN: list[tuple[Json, str, str]] = [
    ({**OBSERVATION, "valueString": "x", "dataAbsentReason": {"text": "x"}}, "Observation", "obs-6"),
    ({**OBSERVATION, "_valueString": {"id": "x"}, "dataAbsentReason": {"text": "x"}}, "Observation", "obs-6"),
    (
        {**OBSERVATION, "valueString": "x", "component": [{"code": {"text": "y"}}, {"code": CODE}]},
        "Observation.component[1].code",
        "obs-7",
    ),
    (
        {**OBSERVATION, "referenceRange": [{"age": {"low": {"value": 1}}}]},
        "Observation.referenceRange[0]",
        "obs-3",
    ),
    (
        {**OBSERVATION, "effectivePeriod": {"start": "2024-03-02", "end": "2024-03-01"}},
        "Observation.effectivePeriod",
        "per-1",
    ),
    (
        {
            **OBSERVATION,
            "effectivePeriod": {"start": "2024-03-01T12:00:00+01:00", "end": "2024-03-01T10:00:00Z"},
        },
        "Observation.effectivePeriod",
        "per-1",
    ),
    (
        {
            **OBSERVATION,
            "valueRange": {"low": {"value": 2.5, "unit": "kg"}, "high": {"value": 2, "unit": "kg"}},
        },
        "Observation.valueRange",
        "rng-2",
    ),
    ({**OBSERVATION, "valueQuantity": {"value": 1, "code": "kg"}}, "Observation.valueQuantity", "qty-3"),
    ({**PATIENT, "contact": [{"gender": "male"}]}, "Patient.contact[0]", "pat-1"),
    ({**PATIENT, "telecom": [{"value": "x"}]}, "Patient.telecom[0]", "cpt-2"),
    ({**PATIENT, "photo": [{"data": "eHh4"}]}, "Patient.photo[0]", "att-1"),
    ({**PATIENT, "extension": [{"url": "x"}]}, "Patient.extension[0]", "ext-1"),
    (
        {
            **PATIENT,
            "extension": [{"url": "x", "valueCode": "y", "extension": [{"url": "z", "valueCode": "y"}]}],
        },
        "Patient.extension[0]",
        "ext-1",
    ),
    (contained(ORGANIZATION), "Patient.contained[0]", "dom-3"),
    (contained({"resourceType": "Organization", "name": "x"}), "Patient.contained[0]", "dom-3"),
    (contained({**ORGANIZATION, "contained": [ORGANIZATION]}, **TO_IT), "Patient", "dom-2"),
    (contained({**ORGANIZATION, "meta": {"versionId": "1"}}, **TO_IT), "Patient", "dom-4"),
    (contained({**ORGANIZATION, "meta": {"security": [{"code": "R"}]}}, **TO_IT), "Patient", "dom-5"),
    ({**PATIENT, **TO_IT}, "Patient.managingOrganization.reference", "ref-1"),
    (condition(**ACTIVE, abatementDateTime="2024-01-01"), "Condition", "con-4"),
    (
        condition(
            **ACTIVE, verificationStatus=coded(CLINICAL.replace("clinical", "ver-status"), "entered-in-error")
        ),
        "Condition",
        "con-5",
    ),
    (allergy(), "AllergyIntolerance", "ait-1"),
    (
        allergy(**MISTAKEN, clinicalStatus=coded(f"{ALLERGY}clinical", "active")),
        "AllergyIntolerance",
        "ait-2",
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "document",
            "timestamp": "2024-01-01T00:00:00Z",
            "identifier": {"system": "x", "value": "y"},
            "entry": [{"resource": PATIENT}],
        },
        "Bundle",
        "bdl-11",
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "urn:x", "resource": PATIENT}] * 2,
        },
        "Bundle.entry[1]",
        "bdl-7",
    ),
    (
        {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "medicationCodeableConcept": {"text": "x"},
            "whenPrepared": "2024-01-02",
            "whenHandedOver": "2024-01-01",
        },
        "MedicationDispense",
        "mdd-1",
    ),
    (
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "subject": SUBJECT,
            "medicationCodeableConcept": {"text": "x"},
            "dosageInstruction": [{"timing": {"repeat": {"period": 1}}}],
        },
        "MedicationRequest.dosageInstruction[0].timing.repeat",
        "tim-2",
    ),
]


@pytest.mark.parametrize(("resource", "expression", "rule"), BROKEN, ids=[one[2] for one in BROKEN])
def test_broken(resource: Json, expression: str, rule: str) -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        check(read(json.dumps(resource).encode()))
    assert refusal.value.expression.startswith(expression)
    assert rule in {one.rule for one in issues(read(json.dumps(resource).encode()))}
    assert rule in refusal.value.said(Language.FR)


WRONG: list[tuple[Json, str, str]] = [
    ({**PATIENT, "gender": "M"}, "Patient.gender", "fhir.unknown-code"),
    ({**OBSERVATION, "status": "done"}, "Observation.status", "fhir.unknown-code"),
    (condition(clinicalStatus={"text": "actif"}), "Condition.clinicalStatus", "fhir.unknown-code"),
    (condition(clinicalStatus=coded("http://x", "active")), "Condition.clinicalStatus", "fhir.unknown-code"),
    ({**PATIENT, "language": "français"}, "Patient.language", "fhir.wrong-form"),
    ({**PATIENT, "photo": [{"contentType": "png"}]}, "Patient.photo[0].contentType", "fhir.wrong-form"),
    (
        {**OBSERVATION, "subject": {"reference": "Medication/1"}},
        "Observation.subject.reference",
        "fhir.wrong-target",
    ),
    ({**OBSERVATION, "subject": {"type": "Medication"}}, "Observation.subject.type", "fhir.wrong-target"),
    (
        {
            **PATIENT,
            "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><form/></div>'},
        },
        "Patient.text.div",
        "fhir.narrative-element",
    ),
]


@pytest.mark.parametrize(("resource", "expression", "sentence"), WRONG, ids=[f"{e} {s}" for _, e, s in WRONG])
def test_a_code_a_target_a_text_that_is_not_allowed(resource: Json, expression: str, sentence: str) -> None:
    found = {(one.expression, one.sentence) for one in issues(read(json.dumps(resource).encode()))}
    assert (expression, sentence) in found


def test_a_resource_of_a_bundle_is_judged_on_its_own() -> None:
    inner = contained(ORGANIZATION, **TO_IT)
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": inner}, {"resource": PATIENT}],
    }
    assert issues(read(json.dumps(bundle).encode())) == []
    bundle["entry"] = [{"resource": {**PATIENT, **TO_IT}}, {"resource": inner}]
    (fault,) = issues(read(json.dumps(bundle).encode()))
    assert (fault.expression, fault.rule) == (
        "Bundle.entry[0].resource.managingOrganization.reference",
        "ref-1",
    )


def test_the_schema_says_a_great_part_of_the_invariants_of_r4() -> None:
    definitions = schema._file()["schema"]["definitions"]
    titles = {rule.get("title") for one in definitions.values() for rule in one.get("allOf", [])}
    assert len(titles - {None, "binding", "target"}) >= 130


def test_what_has_another_shape_is_compared_with_nothing() -> None:
    inner = {"resourceType": "Organization", "id": ["o"], "name": "x"}
    (fault,) = issues(read(json.dumps(contained(inner)).encode()))
    assert (fault.expression, fault.sentence) == ("Patient.contained[0].id", "fhir.wrong-type")
