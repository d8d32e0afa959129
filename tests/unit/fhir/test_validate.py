"""Shape and values of R4: what is taken, and where a fault is said to be."""

import json
from typing import Any

import pytest

from serment.errors import InvalidResourceError
from serment.fhir import schema
from serment.fhir.document import Document, read
from serment.fhir.validate import MAX_ISSUES, MAX_LISTED, Issue, check, issues
from serment.words import Language, catalogue

OBSERVATION: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
PATIENT: dict[str, Any] = {"resourceType": "Patient"}
ABSENT = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}


def document(value: dict[str, Any]) -> Document:
    return read(json.dumps(value, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "resource",
    [
        PATIENT,
        OBSERVATION,
        {"resourceType": "Observation", "_status": ABSENT, "code": {"text": "x"}},
        {"resourceType": "Patient", "_birthDate": ABSENT, "birthDate": "1970-03-30"},
        {"resourceType": "Patient", "name": [{"given": ["A", None], "_given": [None, ABSENT]}]},
        {"resourceType": "Patient", "name": [{"given": ["12\u00a0h", " a\tb\n"]}]},
        {"resourceType": "Patient", "multipleBirthInteger": 2, "deceasedDateTime": "2024-02-29"},
        {"resourceType": "Patient", "deceasedBoolean": True, "_deceasedBoolean": ABSENT},
        {
            "resourceType": "Patient",
            "extension": [{"url": "x", "extension": [{"url": "y", "valueDecimal": 1e2}]}],
        },
        {
            "resourceType": "Patient",
            "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
            "managingOrganization": {"reference": "#o"},
        },
        {
            "resourceType": "Device",
            "property": [
                {"type": {"text": "x"}, "valueQuantity": [{"value": 1}], "valueCode": [{"text": "y"}]}
            ],
        },
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "p", "part": [{"name": "q", "resource": PATIENT}]}],
        },
        {
            "resourceType": "Questionnaire",
            "status": "draft",
            "item": [{"linkId": "1", "type": "group", "item": [{"linkId": "1.1", "type": "string"}]}],
        },
    ],
    ids=lambda resource: str(resource)[:70],
)
def test_taken(resource: dict[str, Any]) -> None:
    assert issues(document(resource)) == []
    check(document(resource))


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"resourceType": "Patiant"}, "Patiant", "fhir.unknown-type"),
    ({"resourceType": "DomainResource"}, "DomainResource", "fhir.unknown-type"),
    ({"resourceType": "HumanName", "family": "x"}, "HumanName", "fhir.unknown-type"),
    ({**PATIENT, "status": "final"}, "Patient.status", "fhir.unknown-element"),
    ({**PATIENT, "Dupont": 1}, "Patient", "fhir.unknown-element"),
    ({**PATIENT, "fhir_comments": ["x"]}, "Patient", "fhir.unknown-element"),
    ({**PATIENT, "_id": ABSENT}, "Patient", "fhir.unknown-element"),
    ({**PATIENT, "_name": [ABSENT]}, "Patient._name", "fhir.unknown-element"),
    (
        {**PATIENT, "name": [{"use": "official", "fhir_comments": "x"}]},
        "Patient.name[0]",
        "fhir.unknown-element",
    ),
    ({"resourceType": "Observation", "code": {"text": "x"}}, "Observation.status", "fhir.missing-element"),
    (
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "subject": {"display": "x"},
        },
        "MedicationRequest.medication[x]",
        "fhir.missing-element",
    ),
    ({**PATIENT, "extension": [{"valueCode": "x"}]}, "Patient.extension[0].url", "fhir.missing-element"),
    ({**PATIENT, "contained": [{"id": "x"}]}, "Patient.contained[0].resourceType", "fhir.missing-element"),
    ({**PATIENT, "contained": [{"resourceType": "Foo"}]}, "Patient.contained[0]", "fhir.unknown-type"),
    ({**PATIENT, "contained": [[]]}, "Patient.contained[0]", "fhir.wrong-type"),
    (
        {**PATIENT, "contained": [{"resourceType": ["x"]}]},
        "Patient.contained[0].resourceType",
        "fhir.wrong-type",
    ),
    ({**PATIENT, "contained": [{**PATIENT, "active": 1}]}, "Patient.contained[0].active", "fhir.wrong-type"),
    ({**PATIENT, "name": {"family": "x"}}, "Patient.name", "fhir.wrong-type"),
    ({**PATIENT, "name": ["x"]}, "Patient.name[0]", "fhir.wrong-type"),
    ({**PATIENT, "name": [None]}, "Patient.name[0]", "fhir.wrong-type"),
    ({**OBSERVATION, "code": [{"text": "x"}]}, "Observation.code", "fhir.wrong-type"),
    ({**PATIENT, "active": "true"}, "Patient.active", "fhir.wrong-type"),
    ({**PATIENT, "active": 1}, "Patient.active", "fhir.wrong-type"),
    ({**PATIENT, "birthDate": None}, "Patient.birthDate", "fhir.wrong-type"),
    ({**PATIENT, "birthDate": 1970}, "Patient.birthDate", "fhir.wrong-type"),
    ({**PATIENT, "multipleBirthInteger": 1.0}, "Patient.multipleBirthInteger", "fhir.wrong-type"),
    ({**PATIENT, "multipleBirthInteger": 2**31}, "Patient.multipleBirthInteger", "fhir.out-of-range"),
    ({**PATIENT, "telecom": [{"rank": 0}]}, "Patient.telecom[0].rank", "fhir.out-of-range"),
    ({**PATIENT, "photo": [{"size": -1}]}, "Patient.photo[0].size", "fhir.out-of-range"),
    (
        {**OBSERVATION, "valueQuantity": {"value": "1.5"}},
        "Observation.valueQuantity.value",
        "fhir.wrong-type",
    ),
    ({**OBSERVATION, "valueQuantity": {"value": True}}, "Observation.valueQuantity.value", "fhir.wrong-type"),
    ({**PATIENT, "name": []}, "Patient.name", "fhir.empty"),
    ({**PATIENT, "name": [{}]}, "Patient.name[0]", "fhir.empty"),
    ({**PATIENT, "name": [{"family": ""}]}, "Patient.name[0].family", "fhir.empty"),
    ({**PATIENT, "_birthDate": {}}, "Patient._birthDate", "fhir.empty"),
    ({**PATIENT, "name": [{"family": "x" * (2**20 + 1)}]}, "Patient.name[0].family", "fhir.too-long"),
    ({**PATIENT, "id": "a b"}, "Patient.id", "fhir.wrong-form"),
    ({**PATIENT, "id": "a\n"}, "Patient.id", "fhir.wrong-form"),
    ({**PATIENT, "id": "a" * 65}, "Patient.id", "fhir.wrong-form"),
    ({**PATIENT, "gender": " male"}, "Patient.gender", "fhir.unknown-code"),
    ({**PATIENT, "implicitRules": "a b"}, "Patient.implicitRules", "fhir.wrong-form"),
    ({**PATIENT, "photo": [{"data": "abc"}]}, "Patient.photo[0].data", "fhir.wrong-form"),
    ({**OBSERVATION, "valueTime": "24:00:00"}, "Observation.valueTime", "fhir.wrong-form"),
    ({**OBSERVATION, "valueTime": "08:00"}, "Observation.valueTime", "fhir.wrong-form"),
    (
        {**OBSERVATION, "valueString": "x", "valueBoolean": True},
        "Observation.value[x]",
        "fhir.several-values",
    ),
    (
        {**OBSERVATION, "valueString": "x", "_valueInteger": ABSENT},
        "Observation.value[x]",
        "fhir.several-values",
    ),
    (
        {**PATIENT, "contained": [{**OBSERVATION, "valueString": "x", "valueInteger": 1}]},
        "Patient.contained[0].value[x]",
        "fhir.several-values",
    ),
    (
        {
            **OBSERVATION,
            "effectiveTiming": {"repeat": {"boundsRange": {"id": "a"}, "boundsPeriod": {"id": "b"}}},
        },
        "Observation.effectiveTiming.repeat.bounds[x]",
        "fhir.several-values",
    ),
    (
        {**PATIENT, "extension": [{"url": "x", "valueCode": "a", "valueString": "b"}]},
        "Patient.extension[0].value[x]",
        "fhir.several-values",
    ),
    ({**PATIENT, "name": [{"given": ["A", None]}]}, "Patient.name[0].given", "fhir.unpaired"),
    ({**PATIENT, "name": [{"_given": [None]}]}, "Patient.name[0].given", "fhir.unpaired"),
    (
        {**PATIENT, "name": [{"given": ["A"], "_given": [None, ABSENT]}]},
        "Patient.name[0].given",
        "fhir.unpaired",
    ),
    ({**PATIENT, "name": [{"given": [None], "_given": [None]}]}, "Patient.name[0].given", "fhir.unpaired"),
    ({**PATIENT, "name": [{"given": ["A"], "_given": ABSENT}]}, "Patient.name[0]._given", "fhir.wrong-type"),
    (
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": {**PATIENT, "contained": [{**PATIENT, "name": []}]}}],
        },
        "Bundle.entry[0].resource.contained[0].name",
        "fhir.empty",
    ),
    (
        {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [{"response": {"status": "400", "outcome": {"resourceType": "OperationOutcome"}}}],
        },
        "Bundle.entry[0].response.outcome.issue",
        "fhir.missing-element",
    ),
    (
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "p", "part": [{"name": "q", "resource": {"resourceType": "Foo"}}]}],
        },
        "Parameters.parameter[0].part[0].resource",
        "fhir.unknown-type",
    ),
    (
        {
            "resourceType": "Questionnaire",
            "status": "draft",
            "item": [{"linkId": "1", "type": "group", "item": [{"type": "string"}]}],
        },
        "Questionnaire.item[0].item[0].linkId",
        "fhir.missing-element",
    ),
]


@pytest.mark.parametrize(
    ("resource", "expression", "sentence"), FAULTS, ids=[f"{e} {s}" for _, e, s in FAULTS]
)
def test_refused_where_it_is_wrong(resource: dict[str, Any], expression: str, sentence: str) -> None:
    assert Issue(expression, sentence) in issues(document(resource))
    with pytest.raises(InvalidResourceError) as refusal:
        check(document(resource))
    assert (refusal.value.expression, refusal.value.sentence) == (expression, sentence)
    assert expression in refusal.value.said(Language.FR)


DATES = [
    "2024",
    "2024-02",
    "2024-02-29",
    "2000-02-29",
    "1900-02-28",
    "2023-04-30",
    "0001-01-01",
    "9999-12-31",
]
NOT_DATES = ["2023-02-29", "1900-02-29", "2024-02-30", "2024-04-31", "2024-13-01", "2024-00-01", "2024-1-1"]
NOT_DATES += [
    "0000-01-01",
    "2024-01-00",
    "2024-01-32",
    "24-01-01",
    "2024-01-01T",
    "02/01/2024",
    "2024-01-01 ",
]
TIMES = ["T00:00:00Z", "T23:59:60.123456789+14:00", "T08:00:00.0-03:30"]
NOT_TIMES = [
    "T08:00:00",
    "T08:00Z",
    "T24:00:00Z",
    "T08:00:00+15:00",
    "T08:00:00z",
    "t08:00:00Z",
    "T08:00:00.Z",
]


@pytest.mark.parametrize("date", DATES)
def test_a_date_of_the_calendar_is_taken(date: str) -> None:
    assert issues(document({**PATIENT, "birthDate": date})) == []
    assert issues(document({**PATIENT, "deceasedDateTime": date})) == []


@pytest.mark.parametrize("date", NOT_DATES)
def test_a_day_that_does_not_exist_is_refused(date: str) -> None:
    assert issues(document({**PATIENT, "birthDate": date})) == [Issue("Patient.birthDate", "fhir.wrong-form")]
    assert issues(document({**PATIENT, "deceasedDateTime": date}))
    assert issues(document({**OBSERVATION, "issued": f"{date}T08:00:00Z"}))


@pytest.mark.parametrize("time", TIMES)
def test_an_instant_has_a_day_a_time_and_a_zone(time: str) -> None:
    assert issues(document({**OBSERVATION, "issued": f"2024-02-29{time}"})) == []
    assert issues(document({**OBSERVATION, "effectiveDateTime": f"2024-02-29{time}"})) == []
    assert issues(document({**OBSERVATION, "effectiveDateTime": f"2024-02{time}"}))
    assert issues(document({**PATIENT, "birthDate": f"2024-02-29{time}"}))


@pytest.mark.parametrize("time", NOT_TIMES)
def test_an_instant_without_its_parts_is_refused(time: str) -> None:
    assert issues(document({**OBSERVATION, "issued": f"2024-02-29{time}"}))
    assert issues(document({**OBSERVATION, "effectiveDateTime": f"2024-02-29{time}"}))


def test_a_fault_never_says_the_value() -> None:
    resource = {**PATIENT, "Dupont": "Dupont", "gender": " Dupont", "name": [{"Dupont": [["Dupont"]]}]}
    assert "Dupont" not in repr(issues(document(resource)))
    with pytest.raises(InvalidResourceError) as refusal:
        check(document(resource))
    assert "Dupont" not in repr(refusal.value) + refusal.value.said(Language.FR)
    assert refusal.value.__context__ is None


def test_all_faults_are_listed_up_to_a_bound() -> None:
    assert len(issues(document({**PATIENT, "active": 1, "gender": 1, "name": 1}))) == 3
    assert len(issues(document({**PATIENT, "name": [{}] * 1000}))) == MAX_ISSUES


def test_a_flood_of_faults_costs_one() -> None:
    assert len(issues(document({**PATIENT, "name": [{}] * MAX_LISTED}))) == 1


def test_every_sentence_of_a_fault_is_in_the_catalogue() -> None:
    used = {sentence for _, _, sentence in FAULTS}
    assert used <= set(catalogue())


def test_every_concrete_type_of_r4_is_known() -> None:
    assert len(schema.resource_types()) == 146
    assert not schema.resource_types() & {"Resource", "DomainResource"}
