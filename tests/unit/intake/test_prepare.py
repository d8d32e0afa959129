"""One resource made ready: names, links, owners, order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.demo.people import ATTENDING
from serment.errors import MalformedError
from serment.fhir.owner import OwnedBy
from serment.intake.import_ import bundles, prepare
from serment.intake.import_.naming import Directory, Known
from serment.intake.import_.prepare import Made, Piece
from serment.intake.import_.sources import Line, Phase
from serment.model import Instant

NOW = Instant(1_700_000_000_000)
URN = "urn:uuid:6d23a95e-7e18-4201-90ec-9501fa89fbd2"


def directory() -> Directory:
    return Directory(lambda type_, key: f"new-{type_}-{key}".replace(":", "."))


def made_of(piece: Piece, met: Directory | None = None) -> Made:
    wanted = prepare.wanted(piece)
    return prepare.made(piece, Known.of(wanted, (met or directory()).answer(wanted)), NOW)


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


def piece_of(*raw: bytes) -> Piece:
    return prepare.lines([Line(one, False, True) for one in raw], Phase.OTHER_LINES)


def of_line(resource: dict[str, Any], met: Directory | None = None) -> Any:
    return made_of(piece_of(json.dumps(resource).encode()), met).arrivals[0]


def test_a_reference_becomes_the_new_id_without_a_map() -> None:
    made = of_line(flag("Patient/7", id="9"))
    assert (made.id, made.key) == ("new-Flag-9", "9")
    assert made.prepared.owner == OwnedBy("Patient/new-Patient-7")
    assert b'"reference": "Patient/new-Patient-7"' in made.prepared.ready[0].body


def test_a_link_of_the_bundle_is_known_by_the_type_of_its_entry() -> None:
    patient = {"fullUrl": URN, "resource": {"resourceType": "Patient", "id": "7"}}
    made = made_of(prepare.bundle(bundle({"resource": flag(URN, id="9")}, patient))).arrivals
    assert [one.type for one in made] == ["Patient", "Flag"]
    assert made[1].prepared is not None
    assert made[1].prepared.owner == OwnedBy("Patient/new-Patient-7")


def test_an_absolute_address_of_the_bundle_and_the_short_form_name_one_resource() -> None:
    url = "http://old.example/fhir/Patient/7"
    patient = {"fullUrl": url, "resource": {"resourceType": "Patient"}}
    entries = (patient, {"resource": flag(url, id="a")}, {"resource": flag("Patient/7", id="b")})
    made = made_of(prepare.bundle(bundle(*entries))).arrivals
    assert {one.prepared.owner for one in made if one.prepared and one.type == "Flag"} == {
        OwnedBy("Patient/new-Patient-7")
    }
    assert made[0].id == "new-Patient-7"


def test_a_link_that_leads_nowhere_stays_as_received_and_is_counted() -> None:
    author = {"author": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}}
    made = made_of(piece_of(json.dumps(flag("Patient/7", id="9", **author)).encode()))
    (arrival,) = made.arrivals
    assert arrival.prepared is not None
    assert b"urn:uuid:00000000-0000-4000-8000-000000000000" in arrival.prepared.ready[0].body
    assert made.unresolved == 1


def test_a_conditional_link_becomes_the_directory_entry_that_it_names_exactly() -> None:
    met = directory()
    who = [{"system": "urn:oid:1.2", "value": "810"}]
    of_line({"resourceType": "Practitioner", "id": "3", "identifier": who}, met)
    author = {"author": {"reference": "Practitioner?identifier=urn:oid:1.2|810"}}
    made = of_line(flag("Patient/7", id="9", **author), met)
    assert b'"reference": "Practitioner/new-Practitioner-3"' in made.prepared.ready[0].body
    other = {"author": {"reference": "Practitioner?identifier=urn:oid:1.2|811"}}
    unknown = made_of(piece_of(json.dumps(flag("Patient/7", **other)).encode()), met)
    assert b"Practitioner?identifier=urn:oid:1.2|811" in unknown.arrivals[0].raw
    assert unknown.unresolved == 1


def test_a_piece_knows_the_directory_before_it_and_not_what_comes_after() -> None:
    met = directory()
    who = [{"system": "urn:oid:1.2", "value": "810"}]
    author = {"author": {"reference": "Practitioner?identifier=urn:oid:1.2|810"}}
    assert b"identifier=urn:oid" in of_line(flag("Patient/7", **author), met).raw
    entry = {"resourceType": "Practitioner", "id": "3", "identifier": who}
    lines = [json.dumps(flag("Patient/7", **author)).encode(), json.dumps(entry).encode()]
    made = {one.type: one for one in made_of(piece_of(*lines), met).arrivals}
    assert b'"Practitioner/new-Practitioner-3"' in made["Flag"].raw


def test_a_professional_is_met_by_rpps_and_by_nothing_else() -> None:
    lines = [
        json.dumps({"resourceType": "Practitioner", "id": key, "identifier": [{"value": value}]}).encode()
        for key, value in (("1", ATTENDING.rpps), ("2", "12345678901"))
    ]
    assert directory().people(prepare.wanted(piece_of(*lines))) == {
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
    made = made_of(prepare.bundle(bundle({"resource": binary}, {"resource": document}))).arrivals
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
        (b'{"resourceType":"Flag","subject":{"reference":"\\x"}}', "fhir.not-json"),
        (b'{"resourceType":"Practitioner","identifier":7}', "fhir.wrong-type"),
        (b'{"resourceType":"Practitioner","identifier":{"system":"a","value":"b"}}', "fhir.wrong-type"),
        (b'{"resourceType":"Practitioner","identifier":' + b"[" * 5000, "fhir.too-deep"),
        (b'{"resourceType":"Flag","a":' + b"[" * 5000 + b"]" * 5000 + b"}", "fhir.too-deep"),
    ],
)
def test_what_cannot_be_made_ready_says_why_and_keeps_its_bytes(raw: bytes, reason: str) -> None:
    made = made_of(piece_of(raw))
    assert made.count == 1
    assert (made.arrivals[0].prepared, made.arrivals[0].reason) == (None, reason)
    assert made.arrivals[0].raw == raw


def test_an_entry_without_a_resource_is_counted() -> None:
    made = made_of(prepare.bundle(bundle({"request": {"method": "DELETE", "url": "Patient/1"}})))
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
