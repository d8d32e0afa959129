"""Whose record: one owner path for each type, mentions grant nothing."""

from typing import Any

import pytest

from serment.errors import InvalidResourceError
from serment.fhir import schema
from serment.fhir.owner import DIRECTORY_TYPES, InDirectory, OwnedBy, OwnedByTarget, Owner, owner, owner_rules

URN = "urn:uuid:6d23a95e-7e18-4201-90ec-9501fa89fbd2"


def of(kind: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": kind, **members}


def to(reference: str, **members: Any) -> dict[str, Any]:
    return {"reference": reference, **members}


P1, P2 = to("Patient/1"), to("Patient/2")


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (of("Patient", id="1"), OwnedBy("Patient/1")),
        (of("Patient"), OwnedBy("Patient/")),
        (of("Patient", id="1", link=[{"other": P2}]), OwnedBy("Patient/1")),
        (of("Observation", subject=P1), OwnedBy("Patient/1")),
        (of("Observation", subject=to("Patient/1/_history/2")), OwnedBy("Patient/1")),
        (of("Observation", subject=to("http://x/fhir/Patient/1")), OwnedBy("http://x/fhir/Patient/1")),
        (of("Observation", subject=to(URN)), OwnedBy(URN)),
        (of("Observation", subject=to("Patient?identifier=s|1")), OwnedBy("Patient?identifier=s|1")),
        (of("Observation", subject=P1, performer=[P2], focus=[P2]), OwnedBy("Patient/1")),
        (of("AllergyIntolerance", patient=P1, asserter=P2), OwnedBy("Patient/1")),
        (of("RelatedPerson", patient=P1), OwnedBy("Patient/1")),
        (of("Coverage", beneficiary=P1, subscriber=P2), OwnedBy("Patient/1")),
        (of("Task", **{"for": P1, "owner": P2}), OwnedBy("Patient/1")),
        (of("ResearchSubject", individual=P1), OwnedBy("Patient/1")),
        (of("Account", subject=[P1, P1]), OwnedBy("Patient/1")),
        (of("Account", subject=[P1, to("Device/1")]), OwnedBy("Patient/1")),
        (
            of("Appointment", participant=[{"actor": to("Practitioner/1")}, {"actor": P1}]),
            OwnedBy("Patient/1"),
        ),
        (of("Schedule", actor=[P1]), OwnedBy("Patient/1")),
        (of("Schedule", actor=[to("Practitioner/1")]), InDirectory()),
        (of("Practitioner"), InDirectory()),
        (of("Organization", type=[{"text": "x"}], identifier=[{"value": "1"}]), InDirectory()),
        (of("Location", managingOrganization=to(URN)), InDirectory()),
        (of("Provenance", target=[P1]), OwnedBy("Patient/1")),
        (of("Provenance", target=[to("Observation/1")], agent=[{"who": P2}]), OwnedByTarget("Observation/1")),
        (
            of("Provenance", target=[to("Observation/1"), to("Condition/2")]),
            OwnedByTarget("Observation/1", ("Condition/2",)),
        ),
        (of("Binary", securityContext=P1), OwnedBy("Patient/1")),
        (of("Binary", securityContext=to("DocumentReference/1")), OwnedByTarget("DocumentReference/1")),
    ],
)
def test_owner(resource: dict[str, Any], expected: Owner) -> None:
    assert owner(resource) == expected


@pytest.mark.parametrize(
    ("attack", "resource", "sentence"),
    [
        ("no subject", of("Observation"), "fhir.no-patient"),
        ("a patient named as performer only", of("Observation", performer=[P1]), "fhir.no-patient"),
        ("a group", of("Observation", subject=to("Group/1")), "fhir.no-patient"),
        ("a device", of("Observation", subject=to("Device/1")), "fhir.no-patient"),
        ("a place", of("Observation", subject=to("Location/1")), "fhir.no-patient"),
        ("a type that ends alike", of("Observation", subject=to("NotPatient/1")), "fhir.no-patient"),
        ("a patient of no id", of("Observation", subject=to("Patient/")), "fhir.no-patient"),
        (
            "something under a patient",
            of("Observation", subject=to("Patient/1/Observation/2")),
            "fhir.no-patient",
        ),
        (
            "a search that speaks of a patient",
            of("Observation", subject=to("Group?x=http://x/Patient/1")),
            "fhir.no-patient",
        ),
        (
            "a patient after a fragment",
            of("Observation", subject=to("http://x/#/Patient/1")),
            "fhir.no-patient",
        ),
        ("two lines", of("Observation", subject=to("Patient/1\nPatient/2")), "fhir.no-patient"),
        ("a contained patient", of("Observation", subject=to("#p")), "fhir.no-patient"),
        ("an identifier only", of("Observation", subject={"identifier": {"value": "1"}}), "fhir.no-patient"),
        (
            "a placeholder said to be a group",
            of("Observation", subject=to(URN, type="Group")),
            "fhir.no-patient",
        ),
        ("two patients", of("Account", subject=[P1, P2]), "fhir.several-patients"),
        (
            "two in an appointment",
            of("Appointment", participant=[{"actor": P1}, {"actor": P2}]),
            "fhir.several-patients",
        ),
        ("a placeholder beside a patient", of("Account", subject=[P1, to(URN)]), "fhir.several-patients"),
        ("two targets of two people", of("Provenance", target=[P1, P2]), "fhir.several-patients"),
        ("a provenance of a contained thing", of("Provenance", target=[to("#x")]), "fhir.no-patient"),
        ("a binary of nobody", of("Binary"), "fhir.no-patient"),
        ("a group of people", of("Group", member=[{"entity": P1}]), "fhir.belongs-to-nobody"),
        ("a questionnaire", of("Questionnaire"), "fhir.belongs-to-nobody"),
        ("an unknown type", of("Patiant"), "fhir.unknown-type"),
        (
            "a directory type with an extension to a patient",
            of("Organization", extension=[{"url": "x", "valueReference": P1}]),
            "fhir.no-patient",
        ),
        (
            "a directory type that contains a patient",
            of("Location", contained=[of("Patient", id="p")]),
            "fhir.no-patient",
        ),
        (
            "a directory type that names a patient by identifier",
            of(
                "Medication",
                extension=[{"url": "x", "valueReference": {"type": "Patient", "identifier": {"value": "1"}}}],
            ),
            "fhir.no-patient",
        ),
        ("a schedule of a relative", of("Schedule", actor=[to("RelatedPerson/1")]), "fhir.no-patient"),
    ],
)
def test_refused(attack: str, resource: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        owner(resource)
    assert refusal.value.sentence == sentence
    assert "/1" not in repr(refusal.value)


def test_the_table_speaks_of_every_type() -> None:
    assert set(owner_rules()) == schema.resource_types()


def test_the_table_and_the_directory_list_agree() -> None:
    assert {kind for kind, found in owner_rules().items() if found.rule == "directory"} == DIRECTORY_TYPES


def test_every_owner_path_leads_to_a_reference() -> None:
    for kind, found in owner_rules().items():
        for path in found.paths:
            definition = kind
            for step in path.split("."):
                definition = schema.definition_of(definition, step)
            assert definition == "Reference", f"{kind}.{path}"


def test_rules_that_need_a_path_have_one() -> None:
    for kind, found in owner_rules().items():
        assert found.rule in {"patient", "self", "target", "directory", "none"}, kind
        assert bool(found.paths) == (found.rule in {"patient", "target"}) or kind == "Schedule"
