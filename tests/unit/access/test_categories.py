"""What an item is: categories by type, section and code; labels that only add."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.access.categories import classify, classify_with, lowers
from serment.access.policy import shipped_policy
from serment.errors import NotSupportedError
from serment.model import Category, Label
from tests.vectors import MISSING, VECTORS

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TRE_A07 = "urn:oid:1.2.250.1.213.1.1.4.13"
LOINC = "http://loinc.org"
OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def marked(system: str, code: str, kind: str = "AllergyIntolerance") -> dict[str, Any]:
    return {"resourceType": kind, "meta": {"security": [{"system": system, "code": code}]}}


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("AllergyIntolerance", Category.ALLERGIES),
        ("Condition", Category.PROBLEMS),
        ("MedicationRequest", Category.TREATMENTS),
        ("MedicationStatement", Category.TREATMENTS),
        ("MedicationDispense", Category.DISPENSATION),
        ("MedicationAdministration", Category.ADMINISTERED),
        ("Immunization", Category.VACCINATIONS),
        ("Patient", Category.IDENTITY),
        ("RelatedPerson", Category.IDENTITY),
        ("Encounter", Category.ADMINISTRATIVE),
        ("Appointment", Category.ADMINISTRATIVE),
        ("CareTeam", Category.ADMINISTRATIVE),
        ("Consent", Category.CHOICES),
        ("Claim", Category.REIMBURSEMENT),
        ("Practitioner", Category.DIRECTORY),
        ("CarePlan", Category.CARE_PLAN),
    ],
)
def test_a_type_alone_gives_a_category(kind: str, category: Category) -> None:
    assert classify({"resourceType": kind}) == (category, kind, ("N",))


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("vital-signs", Category.VITALS),
        ("laboratory", Category.LABS),
        ("imaging", Category.IMAGING),
        ("survey", Category.NOTES),
    ],
)
def test_an_observation_goes_by_its_category(category: str, expected: Category) -> None:
    resource = {"resourceType": "Observation", "category": [concept(OBSERVATION, category)]}
    assert classify(resource).category is expected


def test_a_vital_sign_without_a_category_is_known_by_its_code() -> None:
    resource = {"resourceType": "Observation", "code": concept(LOINC, "85354-9")}
    assert classify(resource).category is Category.VITALS


@pytest.mark.capability("4-01", "lets")
def test_every_item_has_a_confidentiality_grade_first() -> None:
    assert classify({"resourceType": "Condition"}).labels[0] == "N"
    assert classify(marked(CONFIDENTIALITY, "R")).labels == ("R",)


@pytest.mark.capability("4-01", "refuses")
@pytest.mark.parametrize(
    "resource", [{"resourceType": "Basic"}, {}, {"resourceType": "Observation"}, {"resourceType": "NewType"}]
)
def test_the_unmapped_is_the_most_protected(resource: dict[str, Any]) -> None:
    found = classify(resource)
    assert (found.category, found.labels) == (Category.UNMAPPED, ("V",))


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("11488-4", Category.REPORT),
        ("60591-5", Category.SUMMARY),
        ("57833-6", Category.PRESCRIPTION),
        ("18748-4", Category.DMP_IMAGING),
        ("EXPPAT_3", Category.PATIENT_DOCUMENT),
        ("ATTEST-RESID", Category.MANAGEMENT),
        ("PIECE-IDENTITE", Category.IDENTITY),
        ("FICHE-CONTACTS", Category.CONTACT),
    ],
)
def test_a_document_goes_by_its_type(code: str, category: Category) -> None:
    found = classify({"resourceType": "DocumentReference", "type": concept("any", code)})
    assert (found.category, found.document_type) == (category, code)


def test_every_document_type_of_the_national_list_with_a_class_keeps_it() -> None:
    for code, known in shipped_policy().types.items():
        if known.dmp_class:
            found = classify({"resourceType": "DocumentReference", "type": concept(LOINC, code)})
            assert (found.category, found.document_type) == (known.dmp_class, code)


def test_a_document_of_an_unknown_type_is_unmapped() -> None:
    found = classify({"resourceType": "DocumentReference", "type": concept(LOINC, "0000-0")})
    assert (found.category, found.document_type) == (Category.UNMAPPED, "DocumentReference")
    assert "V" in found.labels


def test_a_trace_is_not_written_from_outside() -> None:
    with pytest.raises(NotSupportedError):
        classify({"resourceType": "AuditEvent"})


@pytest.mark.capability("2-06", "lets")
@pytest.mark.parametrize(
    ("resource", "label"),
    [
        ({"resourceType": "MolecularSequence"}, Label.GENETIC),
        ({"resourceType": "DocumentReference", "type": concept(LOINC, "51969-4")}, Label.GENETIC),
        ({"resourceType": "Observation", "code": concept(LOINC, "20447-9")}, Label.HIV),
        (
            {"resourceType": "Condition", "code": concept("http://hl7.org/fhir/sid/icd-10", "F32.1")},
            Label.PSYCHIATRY,
        ),
        (
            {"resourceType": "Condition", "code": concept("http://hl7.org/fhir/sid/icd-10", "F10.2")},
            Label.SUBSTANCE_ABUSE,
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "medicationCodeableConcept": concept("http://www.whocc.no/atc", "J05AR06"),
            },
            Label.HIV,
        ),
        (
            {"resourceType": "Encounter", "reasonCode": [concept("http://hl7.org/fhir/sid/icd-10", "O04.9")]},
            Label.SEXUALITY,
        ),
    ],
)
def test_a_code_adds_the_stronger_label(resource: dict[str, Any], label: Label) -> None:
    assert label in classify(resource).labels


@pytest.mark.parametrize(
    ("system", "code", "labels"),
    [
        (CONFIDENTIALITY, "N", ("N",)),
        (CONFIDENTIALITY, "U", ("N",)),
        (CONFIDENTIALITY, "R", ("R",)),
        (CONFIDENTIALITY, "V", ("V",)),
        (CONFIDENTIALITY, "X", ("V",)),
        (TRE_A07, "MASQUE_PS", ("N", "MASQUE_PS")),
        (TRE_A07, "INVISIBLE_PATIENT", ("N", "INVISIBLE_PATIENT")),
        (TRE_A07, "INVISIBLE_REPRESENTANTS_LEGAUX", ("N", "INVISIBLE_REPRESENTANTS_LEGAUX")),
        ("", "INVISIBLE_REP_LEGAUX", ("N", "INVISIBLE_REPRESENTANTS_LEGAUX")),
        (TRE_A07, "AUTRE", ("V",)),
        (ACT_CODE, "PSY", ("N", "PSY")),
        (ACT_CODE, "GDIS", ("N", "GDIS")),
        (ACT_CODE, "NEW", ("V",)),
        ("urn:serment:label", "SERMENT_TIERS", ("N", "SERMENT_TIERS")),
        ("urn:serment:label", "SERMENT_X", ("V",)),
        ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST", ("N",)),
        ("http://example.org/labels", "SECRET", ("V",)),
    ],
)
def test_a_security_code_becomes_a_label_and_an_unknown_one_the_most_protected(
    system: str, code: str, labels: tuple[str, ...]
) -> None:
    assert classify(marked(system, code)).labels == labels


@pytest.mark.parametrize("meta", [None, [], "x", {"security": "x"}, {"security": [None, 1, {"code": 3}]}])
def test_a_malformed_meta_is_no_way_out_of_a_category(meta: object) -> None:
    assert classify({"resourceType": "Condition", "meta": meta}).category is Category.PROBLEMS


def test_the_document_label_counts_like_the_meta_one() -> None:
    resource = {
        "resourceType": "DocumentReference",
        "type": concept(LOINC, "11488-4"),
        "securityLabel": [concept(TRE_A07, "MASQUE_PS")],
    }
    assert classify(resource).labels == ("N", "MASQUE_PS")


@given(st.lists(st.sampled_from([str(label) for label in Label])))
def test_a_stated_label_only_adds(stated: list[str]) -> None:
    plain = classify({"resourceType": "MolecularSequence"}).labels
    assert not lowers(plain, classify({"resourceType": "MolecularSequence"}, stated).labels)


@pytest.mark.capability("2-08", "refuses")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("V",), ("R",)),
        (("V",), ("N",)),
        (("R",), ("N",)),
        (("N", "GDIS"), ("N",)),
        (("N", "GDIS"), ("V",)),
        (("N", "MASQUE_PS"), ("N",)),
        (("N", "INVISIBLE_REP_LEGAUX"), ("N",)),
        (("N", "unknown"), ("N",)),
        ((), ("N",)),
    ],
)
def test_taking_protection_away_is_a_lowering(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    assert lowers(old, new)


@pytest.mark.capability("2-08", "lets")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("N",), ("N",)),
        (("N",), ("V",)),
        (("N",), ("N", "GDIS")),
        (("R", "HIV"), ("V", "HIV")),
        (("N", "INVISIBLE_REP_LEGAUX"), ("N", "INVISIBLE_REPRESENTANTS_LEGAUX")),
        (("N",), ()),
    ],
)
def test_adding_protection_is_not(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    assert not lowers(old, new)


def test_what_follows_an_item_is_as_protected_as_the_item() -> None:
    target = classify({"resourceType": "DocumentReference", "type": concept(LOINC, "51969-4")})
    follower = classify_with({"resourceType": "Binary"}, target)
    assert follower == target
    stricter = classify_with(marked(CONFIDENTIALITY, "V", "Provenance"), target)
    assert stricter == (Category.REPORT, "51969-4", ("V", "GDIS"))


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
def test_every_item_of_the_synthetic_patients_has_a_category() -> None:
    seen = set()
    for file in sorted((VECTORS / "synthea").glob("*.json.gz")):
        bundle = json.loads(gzip.decompress(file.read_bytes()))
        seen |= {classify(entry["resource"]).category for entry in bundle["entry"]}
    assert Category.UNMAPPED not in seen
    assert {Category.VITALS, Category.LABS, Category.PROBLEMS, Category.DIRECTORY} <= seen


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
def test_every_official_example_is_classified_or_is_a_trace() -> None:
    refused = set()
    with gzip.open(VECTORS / "fhir-r4-examples/examples.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            resource = json.loads(line)
            try:
                found = classify(resource)
            except NotSupportedError:
                refused.add(resource["resourceType"])
                continue
            assert found.labels[0] in {"N", "R", "V"}
            assert found.category is not Category.UNMAPPED or found.labels[0] == "V"
    assert refused == {"AuditEvent"}
