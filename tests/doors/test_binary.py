"""Documents through the real door: streamed both ways, sealed, never running, never on the disk in clear."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.doors.served import Served, sentence, served

PDF = b"%PDF-1.7\n"
SIZE = 20 * 1024 * 1024
PIECE = 64 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("binary")) as running:
        yield running


def content(size: int) -> bytes:
    """Give a PDF by its first bytes, and noise."""
    return PDF + os.urandom(size - len(PDF))


def pieces_of(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def digest(data: bytes) -> str:
    """Name bytes that are too many to be printed when they differ."""
    return hashlib.sha256(data).hexdigest()


def post(
    client: httpx.Client, context: str, data: Any, media: str = "application/pdf", **headers: str
) -> httpx.Response:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"content-type": media, "x-security-context": context, **spelled}
    return client.post("Binary", content=data, headers=sent)


def made(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].split("/Binary/")[1].split("/")[0]


def sheet(patient: str, url: str = "", **more: Any) -> dict[str, Any]:
    attachment: dict[str, Any] = {"contentType": "application/pdf", "title": "Compte rendu"}
    if url:
        attachment["url"] = url
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": attachment}],
        **more,
    }


def document(client: httpx.Client, patient: str, url: str = "", **more: Any) -> str:
    answer = client.post("DocumentReference", json=sheet(patient, url, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"].split("/DocumentReference/")[1].split("/")[0])


# Both ways.


@pytest.mark.capability("0-05", "lets")
def test_twenty_megabytes_go_in_and_come_out_the_same(server: Served) -> None:
    data = content(SIZE)
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", pieces_of(data)))
        received, length = hashlib.sha256(), 0
        with doctor.stream("GET", f"Binary/{id_}", headers={"accept": "application/pdf"}) as answer:
            for piece in answer.iter_raw():
                received.update(piece)
                length += len(piece)
        assert (length, received.hexdigest()) == (SIZE, digest(data))
        assert answer.headers["content-length"] == str(SIZE)
        assert answer.headers["content-type"] == "application/pdf"


def test_the_resource_holds_the_same_content_in_base64(server: Served) -> None:
    data = content(700_001)
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", data))
        answer = doctor.get(f"Binary/{id_}", headers={"accept": "application/fhir+json"})
    resource = answer.json()
    assert answer.headers["content-length"] == str(len(answer.content))
    assert base64.b64decode(resource["data"], validate=True) == data
    assert (resource["id"], resource["contentType"]) == (id_, "application/pdf")
    assert resource["securityContext"] == {"reference": f"Patient/{server.record()}"}


@pytest.mark.parametrize("size", [1000, 32 * 1024 + 1, 262_140, 262_141, 600_000])
def test_json_comes_back_as_the_same_bytes(server: Served, size: int) -> None:
    data = base64.b64encode(content(size)).decode()
    raw = (
        '{"resourceType":"Binary", "language":"fr","data" :  "' + data + '" ,"contentType":"application/pdf",'
        '"securityContext":{"reference" : "Patient/' + server.record() + '"}}'
    )
    with server.staff("team-doctor") as doctor:
        answer = doctor.post("Binary", content=raw)
        assert answer.status_code == 201, answer.text
        id_ = answer.json()["id"]
        got = doctor.get(f"Binary/{id_}", headers={"accept": "application/fhir+json"})
    assert digest(got.content) == digest(answer.content)
    sent = raw.removeprefix('{"resourceType":"Binary"')
    assert digest(got.text[-len(sent) :].encode()) == digest(sent.encode())


def test_base64_of_another_spelling_is_kept_as_it_was_sent(server: Served) -> None:
    data = base64.encodebytes(content(60_000)).decode().replace("\n", "\\n")
    owner = {"reference": f"Patient/{server.record()}"}
    sent = {"resourceType": "Binary", "contentType": "application/pdf", "data": "@", "securityContext": owner}
    raw = json.dumps(sent).replace("@", data)
    with server.staff("team-doctor") as doctor:
        answer = doctor.post("Binary", content=raw)
        assert answer.status_code == 201, answer.text
        got = doctor.get(f"Binary/{answer.json()['id']}", headers={"accept": "application/fhir+json"})
        bytes_ = doctor.get(f"Binary/{answer.json()['id']}", headers={"accept": "application/pdf"})
    assert data in got.text
    assert bytes_.content == base64.b64decode(data.replace("\\n", ""))


def test_a_new_version_replaces_the_content_and_the_old_one_stays(server: Served) -> None:
    first, second = content(300_000), content(500_000)
    with server.staff("team-doctor") as doctor:
        context = document(doctor, server.record())
        sent = {"content-type": "application/pdf", "x-security-context": f"DocumentReference/{context}"}
        id_ = made(post(doctor, f"DocumentReference/{context}", first))
        answer = doctor.put(f"Binary/{id_}", content=second, headers={**sent, "if-match": 'W/"1"'})
        assert answer.status_code == 200, answer.text
        stale = doctor.put(f"Binary/{id_}", content=second, headers={**sent, "if-match": 'W/"1"'})
        got = doctor.get(f"Binary/{id_}", headers={"accept": "*/*"})
        old = doctor.get(f"Binary/{id_}/_history/1", headers={"accept": "*/*"})
    assert stale.status_code == 412
    assert (got.content, got.headers["etag"]) == (second, 'W/"2"')
    assert (old.content, old.headers["etag"]) == (first, 'W/"1"')


def test_lists_and_histories_show_the_sheet_without_its_content(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", content(300_000)))
        answer = doctor.get(f"Binary/{id_}/_history")
    resource = answer.json()["entry"][0]["resource"]
    assert resource["contentType"] == "application/pdf"
    assert "data" not in resource


# What is refused.


@pytest.mark.capability("0-17", "refuses")
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_reads_no_binary_whose_content_would_be_missing(server: Served, kind: str) -> None:
    """Whoever put such an answer back would write an empty document in the place of a full one."""
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", content(200_000)))
        told = []
        for asked in (id_, f"{id_}/_history/1", "00000000-0000-4000-8000-000000000000"):
            read = {"request": {"method": "GET", "url": f"Binary/{asked}"}}
            answer = doctor.post("", json={"resourceType": "Bundle", "type": kind, "entry": [read]})
            response = answer.json()["entry"][0]["response"]
            told.append((response["status"], response["outcome"]["issue"][0]["details"]["coding"][0]["code"]))
    assert told == [("400", "bundling.binary")] * 3


@pytest.mark.parametrize(
    ("media", "data", "said"),
    [
        ("text/html", b"<p>bonjour</p>", "binary.active"),
        ("application/pdf", b"<!doctype html><script>", "binary.active"),
        ("image/png", b"<svg onload='x'/>", "binary.active"),
        ("application/octet-stream", b"MZ\x90\x00", "binary.active"),
        ("application/pdf", b"GIF89a", "binary.mistyped"),
        ("pdf", PDF, "binary.type-malformed"),
        ("multipart/form-data; boundary=x", b"--x", "binary.form"),
    ],
)
def test_what_would_run_or_lies_about_its_type_is_refused(
    server: Served, media: str, data: bytes, said: str
) -> None:
    with server.staff("team-doctor") as doctor:
        answer = post(doctor, f"Patient/{server.record()}", data, media)
    assert (answer.status_code, sentence(answer)) == (422, said)


def test_active_content_inside_json_is_refused_too(server: Served) -> None:
    resource = {
        "resourceType": "Binary",
        "contentType": "image/png",
        "securityContext": {"reference": f"Patient/{server.record()}"},
        "data": base64.b64encode(b"<html><script>").decode(),
    }
    with server.staff("team-doctor") as doctor:
        answer = doctor.post("Binary", json=resource)
    assert (answer.status_code, sentence(answer)) == (422, "binary.active")


def test_content_of_nobody_is_refused(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        answer = doctor.post("Binary", content=PDF, headers={"content-type": "application/pdf"})
    assert (answer.status_code, sentence(answer)) == (422, "binary.context")


@pytest.mark.capability("3-11", "refuses")
def test_a_download_never_runs_on_a_page_of_this_server(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", PDF))
        headers = doctor.get(f"Binary/{id_}", headers={"accept": "text/html,*/*"}).headers
    assert headers["content-disposition"] == "attachment"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_several_ranges_or_one_under_a_condition_give_the_whole(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", PDF))
        for asked in ("bytes=0-1,3-4", "bytes=5-2", "bytes=-", "lines=0-1", "bytes=0-1"):
            more = {"if-range": 'W/"1"'} if asked == "bytes=0-1" else {}
            headers = {"range": asked, "accept": "*/*", **more}
            answer = doctor.get(f"Binary/{id_}", headers=headers)
            assert (answer.status_code, answer.content) == (200, PDF), asked


@pytest.mark.capability("0-05", "refuses")
def test_a_stranger_is_refused_before_a_byte_is_read(server: Served) -> None:
    """Twenty megabytes are announced and none is sent: the answer comes all the same."""
    assert announced(server, "unrelated-doctor", SIZE) == 403


def test_too_large_a_content_is_refused_before_a_byte_is_read(server: Served) -> None:
    assert announced(server, "team-doctor", 2**31) == 413


def announced(server: Served, role: str, size: int) -> int:
    """Announce a document and send none of it; give the status of the answer."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=30)
    headers = {
        "authorization": f"Bearer {server.token(server.installation.staff(role))}",
        "content-type": "application/pdf",
        "content-length": str(size),
        "x-security-context": f"Patient/{server.record()}",
    }
    connection.request("POST", "/fhir/Binary", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_stranger_and_an_unknown_patient_get_the_same_answer(server: Served) -> None:
    with server.staff("unrelated-doctor") as stranger:
        hidden = post(stranger, f"Patient/{server.record()}", PDF)
        absent = post(stranger, "Patient/nobody", PDF)
    assert hidden.status_code == absent.status_code == 403
    assert hidden.json() == absent.json()


def test_a_hidden_content_and_an_unknown_one_get_the_same_answer(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", PDF))
    with server.staff("unrelated-doctor") as stranger:
        hidden = stranger.get(f"Binary/{id_}", headers={"accept": "application/pdf"})
        absent = stranger.get("Binary/nothing", headers={"accept": "application/pdf"})
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json() == absent.json()
