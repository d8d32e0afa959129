"""An upload is what it says, and never something that runs (capabilities 0-17, 3-11)."""

from __future__ import annotations

import pytest

from serment.errors import InvalidResourceError
from serment.fhir.binary import checked, media_type, verdict

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
TIFF = b"II*\x00\x08\x00\x00\x00"
DICOM = bytes(128) + b"DICM\x02\x00"
ZIP = b"PK\x03\x04\x14\x00"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CDA = b'<?xml version="1.0"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Lettre</title>'


@pytest.mark.capability("0-17", "lets")
@pytest.mark.parametrize(
    ("declared", "first", "kind"),
    [
        ("application/pdf", PDF, "pdf"),
        ('Application/PDF; name="lettre.pdf"', PDF, "pdf"),
        ("image/png", PNG, "png"),
        ("image/jpeg", JPEG, "jpeg"),
        ("image/gif", b"GIF89a\x01\x00", "gif"),
        ("image/tiff", TIFF, "tiff"),
        ("application/dicom", DICOM, "dicom"),
        ("application/zip", ZIP, "zip"),
        (DOCX, ZIP, "zip"),
        ("application/msword", OLE, "ole"),
        ("text/plain; charset=utf-8", "Hémoglobine < 12 g/dL".encode(), "text"),
        ("text/plain", "Résultat".encode("latin-1"), "text"),
        ("text/plain", b"", "text"),
        ("text/plain", "Bonjour".encode("utf-16"), "text"),
        ("application/xml", CDA, "xml"),
        ("application/hl7-cda+xml", CDA, "xml"),
        ("application/octet-stream", b"\x00\x01\x02", ""),
        ("application/octet-stream", PDF, "pdf"),
        ("application/vnd.maker.ecg", b"\x00\x09ECG", ""),
    ],
)
def test_a_document_that_is_what_it_says_is_kept(declared: str, first: bytes, kind: str) -> None:
    found = verdict(declared, first)
    assert (found.sentence, found.kind) == ("", kind)


@pytest.mark.capability("0-17", "refuses")
@pytest.mark.parametrize(
    ("declared", "first"),
    [
        ("text/html", b"<p>bonjour</p>"),
        ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg">'),
        ("image/png", b'<svg onload="alert(1)">'),
        ("application/octet-stream", b"<!DOCTYPE html><title>x</title>"),
        ("application/octet-stream", b"\xef\xbb\xbf \r\n<HTML><body>"),
        ("application/octet-stream", "<html><script>".encode("utf-16")),
        ("application/xml", b'<?xml version="1.0"?><!-- a --><svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("application/xml", b'<?xml version="1.0"?><x:html xmlns:x="http://www.w3.org/1999/xhtml">'),
        ("application/xml", b'<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><ClinicalDocument/>'),
        ("text/plain", b"Bonjour <script>fetch('/')</script>"),
        ("text/csv", b"nom,<iframe src=x>"),
        ("application/pdf", b"<html>%PDF-1.7"),
        ("application/octet-stream", b"MZ\x90\x00\x03"),
        ("application/pdf", b"\x7fELF\x02\x01"),
        ("text/plain", b"#!/bin/sh\nrm -rf /"),
        ("application/octet-stream", b"\xca\xfe\xba\xbe\x00\x00"),
        ("application/x-msdownload", PDF),
        ("application/vnd.ms-excel.sheet.macroEnabled.12", ZIP),
        ("message/rfc822", b"Content-Type: text/html"),
    ],
)
def test_something_that_would_run_when_opened_is_refused(declared: str, first: bytes) -> None:
    assert verdict(declared, first).sentence == "binary.active"


@pytest.mark.parametrize(
    ("declared", "first"),
    [
        ("application/pdf", PNG),
        ("application/pdf", b"\n%PDF-1.7"),
        ("application/pdf", b""),
        ("image/jpeg", PDF),
        ("image/png", b"PNG"),
        (DOCX, OLE),
        ("application/msword", ZIP),
        ("text/plain", PDF),
        ("text/plain", b"\x00\x01binary"),
        ("application/dicom", b"DICM"),
        ("application/vnd.maker.ecg", ZIP),
    ],
)
def test_a_file_of_another_type_than_declared_is_refused(declared: str, first: bytes) -> None:
    assert verdict(declared, first).sentence == "binary.mistyped"


@pytest.mark.parametrize("declared", ["", "pdf", "application/", "a/b/c", "application/pdf\r\nX: y", "é/é"])
def test_a_malformed_type_is_refused(declared: str) -> None:
    assert verdict(declared, PDF).sentence == "binary.type-malformed"


def test_a_form_is_not_a_document() -> None:
    assert verdict("multipart/form-data; boundary=x", b"--x").sentence == "binary.form"


def test_the_type_is_read_without_its_parameters() -> None:
    assert media_type(' Text/Plain ; charset="utf-8"') == "text/plain"


def test_a_refusal_is_an_invalid_resource() -> None:
    with pytest.raises(InvalidResourceError):
        checked("application/pdf", b"MZ")
