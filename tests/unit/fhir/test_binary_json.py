"""Content leaves the JSON and comes back to its place, every other byte standing."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.fhir import document as documents
from serment.fhir.binary_json import (
    INLINE,
    any_bytes,
    contents_of,
    decoded,
    described,
    first_bytes,
    separated,
    shell,
)

BASE = "https://cabinet.example/fhir"
TEXT = base64.b64encode(b"x" * 12).decode()


def resource(members: str) -> documents.Document:
    return documents.read(f"{{{members}}}".encode())


LAYOUTS = [
    '"resourceType":"Binary","contentType":"text/plain","data":"@"',
    '"data":"@","resourceType":"Binary","contentType":"text/plain"',
    '"resourceType" : "Binary" , "data" : "@" , "contentType":"text/plain"',
    '"resourceType":"Binary",\n\t"data":"@"\n,"contentType":"text/plain"\n',
    '"resourceType":"Binary","language":"é","data":"@","contentType":"text/plain","id":"à-ne-pas-garder"',
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_json_is_rebuilt_byte_for_byte(layout: str) -> None:
    whole = resource(layout.replace("@", TEXT))
    apart = separated(whole, least=4)
    assert apart is not None
    made = shell(apart.document.spliced("b1", 1, "2026-11-21T10:00:00Z"))
    assert made.filled(apart.content) == whole.spliced("b1", 1, "2026-11-21T10:00:00Z")
    assert made.length(len(apart.content)) == len(made.filled(apart.content))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_sheet_is_the_resource_without_its_content(layout: str) -> None:
    whole = resource(layout.replace("@", TEXT))
    apart = separated(whole, least=4)
    assert apart is not None
    sheet = json.loads(shell(apart.document.spliced("b1", 2, "2026-11-21T10:00:00Z")).sheet)
    expected = json.loads(whole.spliced("b1", 2, "2026-11-21T10:00:00Z"))
    del expected["data"]
    assert sheet == expected


@given(st.binary(min_size=5, max_size=300))
def test_any_content_comes_back(content: bytes) -> None:
    whole = resource(LAYOUTS[0].replace("@", base64.b64encode(content).decode()))
    apart = separated(whole, least=4)
    assert apart is not None
    assert apart.content == content
    assert shell(apart.document.text.encode()).filled(content) == whole.text.encode()


@pytest.mark.parametrize(
    "data", ["eHh4\\neHh4eHh4", "eHh4eHh4eHh4\\/w==", "eHh4eHh4eHh5eHg", "eHh4eHh4eHh=", "é"]
)
def test_base64_that_has_another_spelling_stays_where_it_is(data: str) -> None:
    assert separated(resource(LAYOUTS[0].replace("@", data)), least=4) is None


def test_little_content_stays_inside() -> None:
    small = base64.b64encode(bytes(INLINE)).decode()
    large = base64.b64encode(bytes(INLINE + 1)).decode()
    kept = [separated(resource(LAYOUTS[0].replace("@", data))) is None for data in (small, large)]
    assert kept == [True, False]


def test_a_raw_upload_is_described_with_a_place_for_its_content() -> None:
    made = shell(described("application/pdf", "Patient/1"))
    assert json.loads(made.filled(b"%PDF")) == {
        "resourceType": "Binary",
        "contentType": "application/pdf",
        "securityContext": {"reference": "Patient/1"},
        "data": "JVBERg==",
    }
    assert "data" not in json.loads(made.sheet)


def test_the_beginning_is_read_from_any_spelling() -> None:
    assert first_bytes(base64.encodebytes(b"%PDF-1.7" * 40).decode(), 5) == b"%PDF-"
    assert first_bytes("!!", 5) == b""
    assert any_bytes("eHh4\neHh4") == b"xxxxxx"
    assert decoded("eHh4\neHh4") is None


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("Binary/b1", ["Binary/b1"]),
        ("Binary/b1/_history/3", ["Binary/b1"]),
        (f"{BASE}/Binary/b1", ["Binary/b1"]),
        ("https://elsewhere.example/fhir/Binary/b1", []),
        ("Observation/b1", []),
        ("Binary/../Patient/1", []),
        ("https://cabinet.example/letter.pdf", []),
    ],
)
def test_only_binaries_of_this_server_are_contents(url: str, found: list[str]) -> None:
    sheet = {"resourceType": "DocumentReference", "content": [{"attachment": {"url": url}}] * 2}
    assert contents_of(sheet, BASE) == found
