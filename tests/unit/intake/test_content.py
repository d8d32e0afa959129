"""What an attachment really is."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile

import pytest

from serment.intake.import_.content import ACTIVE, MISTYPED, SWELLS, fault, fault_of_content


def named(value: object) -> str:
    """Name a case without its bytes: an archive holds the hour at which it was made."""
    return value if isinstance(value, str) else "content"


def zipped(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


@pytest.mark.capability("0-17", "lets")
@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>"),
        ("image/png", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ("text/plain; charset=utf-8", "Compte rendu : rien à signaler".encode()),
        ("text/plain", b"MZ is how this note begins"),
        ("text/html", b"<!DOCTYPE html><html><body><p>bonjour</p></body></html>"),
        ("application/hl7-cda+xml", b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'),
        ("application/dicom", bytes(128) + b"DICM"),
        ("application/zip", zipped({"letter.txt": b"bonjour"})),
        ("application/gzip", gzip.compress(b"bonjour", mtime=0)),
    ],
    ids=named,
)
def test_a_file_that_is_what_it_says_is_filed(content_type: str, content: bytes) -> None:
    assert fault_of_content(content_type, content) == ""


@pytest.mark.capability("0-17", "refuses")
@pytest.mark.parametrize(
    ("content_type", "content", "why"),
    [
        ("application/pdf", b"hello", MISTYPED),
        ("application/pdf", b"%PDF-1.7\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>", ACTIVE),
        ("application/pdf", b"%PDF-1.7\n<</S/Launch/F(cmd.exe)>>", ACTIVE),
        ("image/png", b"\xff\xd8\xff\xe0", MISTYPED),
        ("image/jpeg", b"MZ\x90\x00\x03\x00\x00\x00", ACTIVE),
        ("application/octet-stream", b"\x7fELF\x02\x01", ACTIVE),
        ("text/plain", b"#!/bin/sh\nrm -rf /\n", ACTIVE),
        ("text/plain", b"a\x00b", MISTYPED),
        ("text/plain", b"<!doctype html><html></html>", MISTYPED),
        ("text/html", b"<html><body onload=alert(1)></body></html>", ACTIVE),
        ("text/html", b"<a href='JavaScript:alert(1)'>x</a>", ACTIVE),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", ACTIVE),
        ("image/png", b"<svg><script>1</script></svg>", MISTYPED),
        ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', ACTIVE),
        ("application/zip", b"not a zip", MISTYPED),
        ("application/zip", zipped({"bomb": bytes(64_000_000)}), SWELLS),
        ("application/vnd.ms-word.document", zipped({"word/vbaProject.bin": b"x"}), ACTIVE),
        ("application/gzip", gzip.compress(bytes(64_000_000), mtime=0), SWELLS),
    ],
    ids=named,
)
def test_a_file_that_runs_or_lies_is_named(content_type: str, content: bytes, why: str) -> None:
    assert fault_of_content(content_type, content) == why


def attached(content_type: str, data: str) -> dict[str, object]:
    attachment = {"contentType": content_type, "data": data}
    return {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]}


def test_an_attachment_is_looked_at_wherever_it_stands() -> None:
    resource = attached("application/pdf", base64.b64encode(b"hello").decode())
    assert fault(resource, json.dumps(resource)) == MISTYPED
    inside = {"resourceType": "Task", "contained": [resource]}
    assert fault(inside, json.dumps(inside)) == MISTYPED


def test_content_that_is_no_base64_is_mistyped() -> None:
    resource = attached("text/plain", "é*")
    assert fault(resource, json.dumps(resource)) == MISTYPED


def test_a_data_member_that_is_no_attachment_is_left_alone() -> None:
    resource = {"resourceType": "Observation", "valueSampledData": {"data": "1 2 3"}}
    assert fault(resource, json.dumps(resource)) == ""


def test_a_narrative_with_a_script_is_active() -> None:
    resource = {"resourceType": "Basic", "text": {"div": "<div><script>alert(1)</script></div>"}}
    assert fault(resource, json.dumps(resource)) == ACTIVE
