"""One resource made ready: names, links, owners, order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.demo.people import ATTENDING
from serment.errors import MalformedError
from serment.fhir.owner import OwnedBy
from serment.intake.import_ import bundles, prepare
from serment.intake.import_.prepare import Known
from serment.intake.import_.sources import Line, Phase
from serment.model import Instant

NOW = Instant(1_700_000_000_000)
URN = "urn:uuid:6d23a95e-7e18-4201-90ec-9501fa89fbd2"


def known() -> Known:
    return Known(lambda type_, key: f"new-{type_}-{key}".replace(":", "."))


def bundle(*entries: dict[str, Any], kind: str = "collection") -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)}).encode()


def flag(subject: str, **more: object) -> dict[str, Any]:
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        **more,
    }


def of_line(resource: dict[str, Any], met: Known | None = None) -> Any:
    line = Line(json.dumps(resource).encode(), False, True)
    return prepare.of_lines([line], Phase.OTHER_LINES, met or known(), NOW).arrivals[0]


def test_a_reference_becomes_the_new_id_without_a_map() -> None:
    made = of_line(flag("Patient/7", id="9"))
    assert (made.id, made.key) == ("new-Flag-9", "9")
    assert made.prepared.owner == OwnedBy("Patient/new-Patient-7")
    assert b'"reference": "Patient/new-Patient-7"' in made.prepared.ready[0].body


def test_a_link_of_the_bundle_is_known_by_the_type_of_its_entry() -> None:
    patient = {"fullUrl": URN, "resource": {"resourceType": "Patient", "id": "7"}}
    made = prepare.of_bundle(bundle({"resource": flag(URN, id="9")}, patient), known(), NOW).arrivals
    assert [one.type for one in made] == ["Patient", "Flag"]
    assert made[1].prepared is not None
    assert made[1].prepared.owner == OwnedBy("Patient/new-Patient-7")


def test_an_absolute_address_of_the_bundle_and_the_short_form_name_one_resource() -> None:
    url = "http://old.example/fhir/Patient/7"
    patient = {"fullUrl": url, "resource": {"resourceType": "Patient"}}
    entries = (patient, {"resource": flag(url, id="a")}, {"resource": flag("Patient/7", id="b")})
    made = prepare.of_bundle(bundle(*entries), known(), NOW).arrivals
    assert {one.prepared.owner for one in made if one.prepared and one.type == "Flag"} == {
        OwnedBy("Patient/new-Patient-7")
    }
    assert made[0].id == "new-Patient-7"


def test_a_link_that_leads_nowhere_stays_as_received_and_is_counted() -> None:
    met = known()
    author = {"author": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}}
    made = of_line(flag("Patient/7", id="9", **author), met)
    assert b"urn:uuid:00000000-0000-4000-8000-000000000000" in made.prepared.ready[0].body
    assert met.unresolved == 1


def test_a_conditional_link_becomes_the_directory_entry_that_it_names_exactly() -> None:
    met = known()
    who = [{"system": "urn:oid:1.2", "value": "810"}]
    of_line({"resourceType": "Practitioner", "id": "3", "identifier": who}, met)
    author = {"author": {"reference": "Practitioner?identifier=urn:oid:1.2|810"}}
    made = of_line(flag("Patient/7", id="9", **author), met)
    assert b'"reference": "Practitioner/new-Practitioner-3"' in made.prepared.ready[0].body
    other = {"author": {"reference": "Practitioner?identifier=urn:oid:1.2|811"}}
    assert b"Practitioner?identifier=urn:oid:1.2|811" in of_line(flag("Patient/7", **other), met).raw
    assert met.unresolved == 1


def test_a_professional_is_met_by_rpps_and_by_nothing_else() -> None:
    met = known()
    for key, value in (("1", ATTENDING.rpps), ("2", "12345678901")):
        of_line({"resourceType": "Practitioner", "id": key, "identifier": [{"value": value}]}, met)
    assert met.people == {
        "Practitioner/new-Practitioner-1": f"rpps:{ATTENDING.rpps}",
        "Practitioner/new-Practitioner-2": "",
    }


def test_a_binary_follows_the_document_that_points_to_it() -> None:
    binary = {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "Ym9uam91cg=="}
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": "Patient/7"},
        "content": [{"attachment": {"url": "Binary/b"}}],
    }
    made = prepare.of_bundle(bundle({"resource": binary}, {"resource": document}), known(), NOW).arrivals
    found = {one.type: one.prepared for one in made}
    assert found["Binary"] is not None
    assert found["DocumentReference"] is not None
    assert found["Binary"].owner == OwnedBy("Patient/new-Patient-7")
    assert found["Binary"].category == found["DocumentReference"].category
    assert found["Binary"].documents == ("DocumentReference/new-DocumentReference-d",)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "fhir.not-json"),
        (b'{"resourceType":"Flag","id":"1","id":"2"}', "fhir.duplicate-key"),
        (b'{"resourceType":"Nothing"}', "fhir.unknown-type"),
        (b'{"resourceType":"Flag","status":"active","code":{}}', "fhir.missing-element"),
        (b'{"resourceType":"Basic","code":{"text":"x"}}', "fhir.no-patient"),
        (b"\xff\xfe", "fhir.not-utf8"),
    ],
)
def test_what_cannot_be_made_ready_says_why_and_keeps_its_bytes(raw: bytes, reason: str) -> None:
    made = prepare.of_lines([Line(raw, False, True)], Phase.OTHER_LINES, known(), NOW)
    assert made.count == 1
    assert (made.arrivals[0].prepared, made.arrivals[0].reason) == (None, reason)
    assert made.arrivals[0].raw == raw


def test_an_entry_without_a_resource_is_counted() -> None:
    made = prepare.of_bundle(bundle({"request": {"method": "DELETE", "url": "Patient/1"}}), known(), NOW)
    assert (made.count, made.arrivals[0].reason) == (1, "importing.no-resource")


def test_the_fast_reader_and_the_strict_one_find_the_same_entries() -> None:
    fast = bundle({"fullUrl": URN, "resource": {"resourceType": "Patient", "id": "7"}}, {"fullUrl": "u"})
    strict = fast.replace(b'"entry"', b'"\\u0065ntry"')
    quick, slow = bundles.read(fast), bundles.read(strict)
    assert quick is not None
    assert slow is not None
    assert [(one.type, one.key, one.raw) for one in quick][:1] == [
        (one.type, one.key, one.raw) for one in slow
    ][:1]
    assert len(quick) == len(slow) == 2


def test_a_bundle_that_says_two_things_is_refused_whole() -> None:
    once = bundle({"resource": {"resourceType": "Patient"}})
    twice = once[:-1] + b',"entry":[]}'
    with pytest.raises(MalformedError):
        bundles.read(twice)


def test_what_has_no_id_is_named_by_its_bytes() -> None:
    once, again, other = (of_line(flag(f"Patient/{n}")) for n in (7, 7, 8))
    assert once.id == again.id != other.id
