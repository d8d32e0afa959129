from typing import Any

import pytest

from serment.fhir import document as documents
from serment.fhir.identity_body import set_aside, with_numbers, without_numbers, written
from serment.identity import evidence, ins
from serment.identity.evidence import NONE, Proof, Retrieval
from serment.identity.fr_core import PATIENT, PATIENT_INS, claimed, faults
from serment.identity.status import RELIABILITY, status
from serment.identity.traits import Traits, of

NUMBER, PAST = (ins.NIR, "109076322083489"), (ins.NIR, "209076322083439")
PERSON = Traits("ECETINSI", "PIERRE-ALAIN MURIEL FLORIANT", "2009-07-14", "M", "63220")
RECUP = evidence.retrieved(NONE, Retrieval(NUMBER, (PAST,), "INSI", 1, "staff:1"), PERSON)
QUAL = evidence.proved(RECUP, Proof("CN", "", True, 2, "staff:1"), PERSON)

SENT = b"""{
  "resourceType": "Patient",
  "meta": {"profile": ["urn:other"]},
  "extension": [{"url": "urn:x", "valueDecimal": 1.50}],
  "name": [{"use": "usual", "family": "Cat"}, {"family": "Ecetinsi", "given": ["Pierre"]}],
  "telecom": [{"system": "phone", "value": "06 39 98 00 00"}],
  "birthDate": "2009-07-01"
}"""


def day(_: int) -> str:
    return "2026-11-22"


def made(what: evidence.Evidence = QUAL, sent: bytes = SENT, *, strict: bool = True) -> dict[str, Any]:
    return documents.read(written(documents.read(sent), what, day, strict=strict)).value


def test_a_qualified_identity_is_written_in_the_shape_of_fr_core() -> None:
    patient = made()
    assert faults(patient, PATIENT_INS) == faults(patient, PATIENT) == []
    assert of(patient) == PERSON
    assert status(patient) == "QUAL"
    assert [(one["use"], one["value"]) for one in patient["identifier"]] == [
        ("official", NUMBER[1]),
        ("old", PAST[1]),
    ]


def test_what_was_not_touched_keeps_its_bytes() -> None:
    text = written(documents.read(SENT), QUAL, day, strict=True).decode()
    for kept in ('"valueDecimal": 1.50', '{"use": "usual", "family": "Cat"}', '"telecom": [{"system"'):
        assert kept in text
    assert made()["meta"] == {"profile": ["urn:other"]}


VALI = evidence.proved(NONE, Proof("CN", "", True, 2, "staff:1"), PERSON)


@pytest.mark.parametrize("what", [NONE, RECUP, VALI])
def test_no_other_identity_is_written_with_a_number(what: evidence.Evidence) -> None:
    patient = made(what, strict=False)
    assert "identifier" not in patient
    assert status(patient) == what.status
    assert faults(patient, PATIENT) == []
    assert "Patient.identifier" in faults(patient, PATIENT_INS)


def test_writing_it_again_changes_nothing() -> None:
    once = written(documents.read(SENT), QUAL, day, strict=True)
    assert written(documents.read(once), QUAL, day, strict=True) == once


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"gender": "other"}, "Patient.gender"),
        ({"birthDate": None}, "Patient.birthDate"),
        ({"identifier": []}, "Patient.identifier"),
        ({"name": []}, "Patient.name"),
        ({"extension": []}, "Patient.extension"),
    ],
)
def test_each_missing_part_breaks_the_profile(change: dict[str, Any], where: str) -> None:
    assert where in faults({**made(), **change}, PATIENT_INS)


def test_slices_are_by_type_and_system() -> None:
    patient = made()
    insured = {
        "use": "official",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NH"}]},
        "system": f"urn:oid:{ins.NIR}",
        "value": NUMBER[1],
    }
    assert faults({**patient, "identifier": [*patient["identifier"], insured]}, PATIENT_INS) == []
    assert "Patient.identifier" in faults({**patient, "identifier": [insured, insured]}, PATIENT)
    wrong = {**patient["identifier"][0], "system": f"urn:oid:{ins.NIA}"}
    assert "Patient.identifier" in faults({**patient, "identifier": [wrong]}, PATIENT_INS)


def test_a_doubtful_identity_that_claims_more_breaks_the_extension() -> None:
    doubt = {"url": "comment", "valueCodeableConcept": {"coding": [{"code": "DOUT"}]}}
    patient = made()
    sure = next(one for one in patient["extension"] if one["url"] == RELIABILITY)
    sure["extension"].append(doubt)
    assert "Patient.extension" in faults(patient, PATIENT)


def test_what_another_system_says_is_set_aside() -> None:
    claims = f'"meta": {{"profile": ["{PATIENT_INS}", "{PATIENT}|2.2.0", "urn:other"]}}'
    whole = written(documents.read(SENT), QUAL, day, strict=True)
    received = documents.read(whole.replace(b'"meta": {"profile": ["urn:other"]}', claims.encode()))
    assert claimed(received.value) == (PATIENT, PATIENT_INS)
    apart = set_aside(received)
    assert apart.numbers == (NUMBER, PAST)
    assert list(ins.carried(apart.document.value)) == []
    assert status(apart.document.value) == "PROV"
    assert claimed(apart.document.value) == (PATIENT,)
    assert apart.document.value["meta"]["profile"][-1] == "urn:other"


def test_a_resource_that_says_nothing_of_an_identity_is_not_touched() -> None:
    document = documents.read(SENT)
    assert set_aside(document).document is document


def test_a_past_version_carries_no_number() -> None:
    whole = written(documents.read(SENT), QUAL, day, strict=True)
    assert NUMBER[1].encode() not in without_numbers(whole)
    assert without_numbers(SENT) is SENT


def test_numbers_that_the_body_does_not_carry_are_what_the_person_is_found_by() -> None:
    person = documents.read(SENT).value
    assert list(ins.matricules(with_numbers(person, RECUP.numbers))) == [NUMBER, PAST]
    assert with_numbers(person, ()) is person
