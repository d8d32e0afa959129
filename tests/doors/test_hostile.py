"""Malformed and hostile input: an outcome with the right status, no echo of what was sent, never a 500."""

from __future__ import annotations

import json
import socket

import pytest

from tests.doors.samples import bundle, entry, weight
from tests.doors.served import Served, outcome

MARKER = "DUPONTMARQUEUR"
MEBIBYTE = 1024 * 1024


def nested(depth: int) -> bytes:
    return b'{"resourceType":"Basic","extension":' + b"[" * depth + b"]" * depth + b"}"


BODIES = {
    "nothing": (b"", 400),
    "not JSON": (b"<Patient/>" + MARKER.encode(), 400),
    "cut short": (b'{"resourceType":"Observation","status":"' + MARKER.encode(), 400),
    "two texts": (b'{"resourceType":"Observation"}{"x":"' + MARKER.encode() + b'"}', 400),
    "an array": (b'["' + MARKER.encode() + b'"]', 400),
    "null": (b"null", 400),
    "no type": (b'{"status":"' + MARKER.encode() + b'"}', 400),
    "a type that is no text": (b'{"resourceType":7}', 400),
    "another type": (b'{"resourceType":"' + MARKER.encode() + b'"}', 400),
    "deep arrays": (nested(70), 413),
    "very deep arrays": (nested(200_000), 413),
    "a key twice": (
        b'{"resourceType":"Observation","status":"final","status":"' + MARKER.encode() + b'"}',
        400,
    ),
    "a key twice below": (b'{"resourceType":"Observation","code":{"text":"a","text":"b"}}', 400),
    "NaN": (b'{"resourceType":"Observation","valueInteger":NaN}', 400),
    "infinity": (b'{"resourceType":"Observation","valueInteger":-Infinity}', 400),
    "a huge exponent": (b'{"resourceType":"Observation","valueQuantity":{"value":1e999999999}}', 400),
    "not UTF-8": (b'{"resourceType":"Observation","status":"\xff\xfe"}', 400),
    "UTF-16": ('{"resourceType":"Observation"}'.encode("utf-16"), 400),
    "a byte order mark": (b"\xef\xbb\xbf" + b'{"resourceType":"Observation"}', 400),
    "a lone surrogate": (b'{"resourceType":"Observation","status":"\\ud800"}', 400),
    "a control character": (b'{"resourceType":"Observation","status":"a\\u0000b"}', 400),
    "an unknown element": (b'{"resourceType":"Observation","' + MARKER.encode() + b'":1}', 422),
    "a wrong type": (b'{"resourceType":"Observation","status":{"a":"' + MARKER.encode() + b'"}}', 422),
    "no patient": (b'{"resourceType":"Observation","status":"final","code":{"text":"x"}}', 422),
    "a reference of another kind": (json.dumps(weight("1", subject={"reference": MARKER})).encode(), 422),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_without_an_echo(server: Served, name: str) -> None:
    body, status = BODIES[name]
    refused = server.staff("team-doctor").post("Observation", content=body)
    assert refused.status_code == status, refused.text
    assert outcome(refused)["severity"] == "error"
    assert MARKER not in refused.text


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_bundle_is_refused_without_an_echo(server: Served, name: str) -> None:
    refused = server.staff("team-doctor").post("", content=BODIES[name][0])
    assert 400 <= refused.status_code < 500, refused.text
    assert outcome(refused)["severity"] == "error"
    assert MARKER not in refused.text


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_update_is_refused_without_an_echo(server: Served, name: str) -> None:
    refused = server.staff("team-doctor").put("Observation/1", content=BODIES[name][0])
    assert 400 <= refused.status_code < 500, refused.text
    assert MARKER not in refused.text


def test_a_body_of_17_mebibytes_is_too_large(server: Served) -> None:
    huge = json.dumps(weight(server.record(), note=[{"text": "x" * (17 * MEBIBYTE)}])).encode()
    refused = server.staff("team-doctor").post("Observation", content=huge)
    assert (refused.status_code, outcome(refused)["code"]) == (413, "too-long")


def test_a_body_that_hides_its_length_is_too_large_all_the_same(server: Served) -> None:
    pieces = (b"x" * MEBIBYTE for _ in range(17))
    refused = server.staff("team-doctor").post("Observation", content=pieces)
    assert refused.status_code == 413


def test_a_body_below_the_limit_is_taken(server: Served) -> None:
    large = weight(server.record(), note=[{"text": "x" * 900_000}] * 4)
    assert server.staff("team-doctor").post("Observation", json=large).status_code == 201


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/xml",
        "application/fhir+xml",
        "multipart/form-data; boundary=x",
        "application/fhir+json; charset=iso-8859-1",
        "application/fhir+json; fhirVersion=5.0",
        "application/json-patch+json",
        "application/x-www-form-urlencoded",
    ],
)
def test_a_body_of_another_format_is_refused(server: Served, kind: str) -> None:
    doctor = server.staff("team-doctor")
    for answer in (
        doctor.post("Observation", content=b"{}", headers={"content-type": kind}),
        doctor.put("Observation/1", content=b"{}", headers={"content-type": kind}),
        doctor.post("", content=b"{}", headers={"content-type": kind}),
    ):
        assert answer.status_code == 415
        assert outcome(answer)["code"] == "not-supported"


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/fhir+json; charset=UTF-8", "application/fhir+json;fhirVersion=4.0"],
)
def test_json_and_fhir_json_are_taken(server: Served, kind: str) -> None:
    raw = json.dumps(weight(server.record()))
    made = server.staff("team-doctor").post("Observation", content=raw, headers={"content-type": kind})
    assert made.status_code == 201


def test_a_compressed_body_is_refused(server: Served) -> None:
    answer = server.staff("team-doctor").post(
        "Observation", content=b"\x1f\x8b", headers={"content-encoding": "gzip"}
    )
    assert answer.status_code == 415


def test_a_search_form_of_another_format_is_refused(server: Served) -> None:
    answer = server.staff("team-doctor").post("Observation/_search", content=b"{}")
    assert answer.status_code == 415


@pytest.mark.parametrize("form", [b"\xff\xfe", b"code=%ff%fe", b"patient=\xc3\xa9"])
def test_a_form_that_is_not_ascii_or_utf8_is_refused(server: Served, form: bytes) -> None:
    answer = server.staff("team-doctor").post(
        "Observation/_search", content=form, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/fhir+json", 200),
        ("application/json", 200),
        ("application/*;q=0.1", 200),
        ("application/fhir+xml, application/fhir+json;q=0.5", 200),
        ("application/fhir+json;fhirVersion=4.0", 200),
        ("application/fhir+xml", 406),
        ("text/html", 406),
        ("application/fhir+json;q=0", 406),
        ("application/fhir+json;fhirVersion=3.0", 406),
        ("text/x-json", 406),
    ],
)
def test_answers_are_fhir_in_json_or_refused(server: Served, accept: str, status: int) -> None:
    doctor = server.staff("team-doctor")
    assert doctor.get(f"Patient/{server.record()}", headers={"accept": accept}).status_code == status
    assert doctor.get("metadata", headers={"accept": accept}).status_code == status


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("json", 200),
        ("application/fhir%2Bjson", 200),
        ("application/fhir+json", 200),
        ("xml", 406),
        ("ttl", 406),
        ("", 406),
    ],
)
def test_format_in_the_address_wins_over_accept(server: Served, asked: str, status: int) -> None:
    answer = server.staff("team-doctor").get(
        f"Patient/{server.record()}?_format={asked}", headers={"accept": "text/html"}
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    "address", ["Patient/" + "a" * 5000, "Patient/%00", "Patient/..%2f..%2fetc", "Patient/é", "Patient/%ff"]
)
def test_a_strange_id_is_not_found(server: Served, address: str) -> None:
    assert server.staff("team-doctor").get(address).status_code == 404


def test_a_request_that_is_no_http_is_dropped(server: Served) -> None:
    port = int(server.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(b"\x16\x03\x01 DUPONT\r\n\r\n")
        assert MARKER.encode() not in line.recv(4096)


def test_five_thousand_and_one_entries_are_too_many(server: Served) -> None:
    one = entry(None, "GET", "Patient/1")
    assert server.staff("team-doctor").post("", json=bundle(*[one] * 5001, kind="batch")).status_code == 400
