"""Which contents of a resource are shown to a scanner, and what an import does with what it says."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from serment.errors import DependencyError, InvalidResourceError
from serment.intake.scan import Clamd
from serment.record import incoming, scanning
from tests.fakes.clamd import EICAR, FakeClamd

PDF = b"%PDF-1.7\n"


def attached(content: bytes) -> dict[str, Any]:
    return {"contentType": "application/pdf", "data": base64.b64encode(content).decode()}


def letter(*contents: bytes) -> bytes:
    resource = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "payload": [{"contentAttachment": attached(one)} for one in contents],
    }
    return json.dumps(resource).encode()


def binary(content: bytes) -> bytes:
    context = {"reference": "Patient/1"}
    return json.dumps({"resourceType": "Binary", "securityContext": context, **attached(content)}).encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (letter(PDF, b"x"), {PDF, b"x"}),
        (letter(), set()),
        (binary(PDF), {PDF}),
        (binary(PDF + bytes(200_000)), {PDF + bytes(200_000)}),
    ],
    ids=["attachments", "none", "a small Binary", "a large Binary"],
)
def test_every_content_is_shown(raw: bytes, expected: set[bytes]) -> None:
    if b'"payload": []' in raw:
        raw = raw.replace(b', "payload": []', b"")
    assert set(scanning.contents(incoming.read(raw))) == expected


def test_content_hidden_behind_a_padding_is_refused() -> None:
    two = base64.b64encode(b"x").decode() + base64.b64encode(EICAR).decode()
    raw = letter(PDF).replace(base64.b64encode(PDF), two.encode())
    with pytest.raises(InvalidResourceError) as refusal:
        list(scanning.contents(incoming.read(raw)))
    assert refusal.value.sentence == "scanning.unreadable"


def test_an_import_learns_what_was_found_and_stops_when_nobody_looks(tmp_path: Path) -> None:
    fake = FakeClamd(tmp_path / "clamd")
    scanner = Clamd(fake.path)
    assert scanning.fault_of(scanner, letter(PDF)) == ""
    assert scanning.fault_of(scanner, letter(PDF, EICAR)) == "scanning.found"
    assert scanning.fault_of(None, letter(EICAR)) == ""
    fake.stop()
    with pytest.raises(DependencyError):
        scanning.fault_of(scanner, letter(PDF))
    assert scanning.fault_of(scanner, b'{"resourceType":"Patient"}') == ""
