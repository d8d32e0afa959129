"""The official R4 examples and the Synthea records, searched: nothing crashes, the values are right.

The expected answers were read off the official definitions (search parameter → expression) and the
examples by hand, not off this server.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from serment.fhir import match, query, search
from tests.vectors import MISSING, VECTORS

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)


@cache
def examples() -> dict[str, dict[str, Any]]:
    with gzip.open(VECTORS / "fhir-r4-examples/examples.jsonl.gz", "rt", encoding="utf-8") as lines:
        resources = [json.loads(line, parse_float=Decimal) for line in lines]
    return {f"{r['resourceType']}/{r.get('id', '')}": r for r in resources}


def synthea() -> Iterator[dict[str, Any]]:
    for path in sorted((VECTORS / "synthea").glob("*.json.gz")):
        bundle = json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)
        yield from (entry["resource"] for entry in bundle["entry"])


def found(example: str, code: str, value: str) -> bool:
    resource = examples()[example]
    asked = query.parse(resource["resourceType"], [(code, value)])
    whole = search.joined(search.index(resource), search.index(resource, part="contact"))
    return match.matches(asked, resource["id"], 0, whole)


def test_no_official_example_stops_the_indexing() -> None:
    kinds = {resource["resourceType"] for resource in examples().values() if search.index(resource)}
    assert len(examples()) > 600
    assert len(kinds) > 100


def test_no_synthea_resource_stops_the_indexing() -> None:
    sizes = [len(search.index(resource)) for resource in synthea()]
    assert len(sizes) > 2000
    assert min(sizes) > 3  # each holds something to search by


@pytest.mark.parametrize(
    ("example", "code", "value"),
    [
        # AllergyIntolerance.code | AllergyIntolerance.reaction.substance
        ("AllergyIntolerance/example", "code", "http://snomed.info/sct|227493005"),
        ("AllergyIntolerance/example", "code", "http://www.nlm.nih.gov/research/umls/rxnorm|1160593"),
        ("AllergyIntolerance/example", "category", "food"),
        ("AllergyIntolerance/example", "clinical-status", "active"),
        # AllergyIntolerance.reaction.onset, not AllergyIntolerance.onset
        ("AllergyIntolerance/example", "onset", "2012-06-12"),
        ("AllergyIntolerance/example", "last-date", "2012-06"),
        ("AllergyIntolerance/example", "date", "2014-10-09T03:58:00Z"),
        # only those actors that resolve to the type asked
        ("Appointment/example", "patient", "Patient/example"),
        ("Appointment/example", "practitioner", "example"),
        ("Appointment/example", "location", "Location/1"),
        ("Appointment/example", "date", "gt2013-12-09"),
        # the first entry of the document
        ("Bundle/father", "composition", "Composition/180f219f-97a8-486d-99d9-ed631fe4fc57"),
        ("CarePlan/example", "date", "le2017-06-01"),
        ("Composition/example", "related-id", "http://example.org/fhir/NamingSystem/document-ids|ABC123"),
        ("Composition/example", "related-ref", "Composition/old-example"),
        ("Composition/example", "confidentiality", "N"),
        ("Composition/example", "period", "ap2011"),
        ("Composition/example", "title", "consult"),
        # onset is a choice: here a dateTime
        ("Condition/example", "onset-date", "2012-05-24"),
        ("Condition/example", "onset-date", "lt2012-06"),
        ("Condition/example", "body-site", "49521004"),
        (
            "Condition/example",
            "category",
            "http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
        ),
        ("Condition/example", "verification-status", "confirmed"),
        ("Condition/f001", "recorded-date", "2011-10-05"),
        ("Condition/f001", "evidence", "426396005"),
        ("Condition/f001", "asserter", "Patient/f001"),
        ("DocumentReference/example", "security-label", "V"),
        ("DocumentReference/example", "relation", "appends"),
        ("DocumentReference/example", "identifier", "urn:oid:1.3.6.1.4.1.21367.2005.3.7"),
        ("DocumentReference/example", "contenttype", "application/hl7-v3+xml"),
        ("Encounter/f001", "class", "http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB"),
        ("Encounter/f001", "participant", "Practitioner/f002"),
        ("Encounter/f001", "practitioner", "f002"),
        ("Encounter/f001", "service-provider", "Organization/f001"),
        # (Goal.start as date), (Goal.target.due as date)
        ("Goal/example", "start-date", "2015-04-05"),
        ("Goal/example", "target-date", "2016-04"),
        ("Goal/example", "identifier", "|123"),
        ("Immunization/example", "date", "2013-01-10"),
        ("Immunization/example", "vaccine-code", "urn:oid:1.2.36.1.2001.1005.17|FLUVAX"),
        ("Immunization/example", "lot-number", "aajn"),
        ("MedicationRequest/medrx0313", "code", "http://snomed.info/sct|324252006"),
        ("MedicationRequest/medrx0308", "code", "http://www.nlm.nih.gov/research/umls/rxnorm|"),
        ("MedicationRequest/medrx0301", "status", "completed"),
        ("MedicationRequest/medrx0301", "identifier", "http://www.bmc.nl/portal/prescriptions|12345689"),
        # Observation.code | Observation.component.code
        ("Observation/blood-pressure", "combo-code", "http://loinc.org|8480-6"),
        ("Observation/blood-pressure", "component-code", "271649006"),
        ("Observation/blood-pressure", "code", "85354-9"),
        ("Observation/blood-pressure", "category", "vital-signs"),
        ("Observation/blood-pressure", "date", "2012-09-17"),
        ("Observation/f001", "date", "gt2020"),  # a Period that began in 2013 and is not over
        ("Observation/f001", "status", "http://hl7.org/fhir/observation-status|final"),
        ("Observation/f001", "performer", "Practitioner/f005"),
        ("Patient/example", "name", "chalmers"),
        ("Patient/example", "given", "JAMES"),
        ("Patient/example", "family", "wind"),
        ("Patient/example", "birthdate", "1974"),
        ("Patient/example", "gender", "http://hl7.org/fhir/administrative-gender|male"),
        ("Patient/example", "identifier", "urn:oid:1.2.36.146.595.217.0.1|12345"),
        ("Patient/example", "deceased", "false"),
        ("Patient/example", "active", "true"),
        ("Patient/example", "phone", "(03) 5555 6473"),
        ("Patient/example", "address-city", "pleasant"),
        ("Patient/example", "organization", "Organization/1"),
        ("Procedure/example", "date", "2013-04-05"),
        ("Provenance/example", "target", "Procedure/example"),  # written with its version
        ("Provenance/example", "agent-type", "AUT"),
    ],
)
def test_an_example_is_found_by(example: str, code: str, value: str) -> None:
    assert found(example, code, value)


@pytest.mark.parametrize(
    ("example", "code", "value"),
    [
        ("AllergyIntolerance/example", "onset", "2005"),
        ("CarePlan/example", "activity-date", "ge1970"),  # a Timing without bounds says no date
        ("Condition/f001", "patient", "Patient/f002"),
        ("MedicationRequest/medrx0302", "code", "http://snomed.info/sct|"),  # says a reference, no code
        ("Provenance/example", "when", "2015-06-27"),  # (Provenance.occurred as dateTime): it has a Period
        ("Appointment/example", "practitioner", "Practitioner/1"),
        ("Condition/example", "onset-date", "2012-05-25"),
        ("Condition/example", "code", "http://loinc.org|39065001"),
        ("DocumentReference/example", "author", "a2"),  # contained: not found by reference
        ("Encounter/f001", "class", "|AMB"),
        ("Observation/blood-pressure", "code", "8480-6"),  # the component's, not the panel's
        ("Observation/blood-pressure", "combo-code", "urn:oid:1.2.3|8480-6"),
        ("Observation/f001", "date", "2013-04-02"),  # the day does not hold an open Period
        ("Patient/example", "deceased", "true"),
        ("Patient/example", "name", "james peter"),
        ("Patient/example", "email", "x"),
        ("Patient/example", "phone", "home"),
        ("Goal/example", "identifier", "urn:x|123"),
    ],
)
def test_an_example_is_not_found_by(example: str, code: str, value: str) -> None:
    assert not found(example, code, value)
