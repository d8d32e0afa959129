"""Pieces of a source for the tests of the import: what others send, and what somebody hostile would."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serment.intake.import_.sources import plan
from serment.intake.import_.steps import Step, Walk
from serment.model import Instant
from serment.record.imports.lot import Tally

NOW = Instant(1_700_000_000_000)
DEEP = b"[" * 5_000


def name(type_: str, key: str) -> str:
    """Name a resource as an import does, without a key."""
    return base64.b16encode(f"{type_}/{key}".encode())[-32:].decode().lower().rjust(32, "0")


def steps(folder: Path) -> Iterator[Step]:
    """Walk a folder as an import that begins."""
    return Walk(lambda _: (0, Tally()), lambda: NOW).over(plan(folder))


def practitioner(key: str, number: object) -> dict[str, Any]:
    """Write a directory entry that a conditional link can name."""
    called = [{"system": "urn:oid:1.2", "value": number}]
    return {"resourceType": "Practitioner", "id": key, "identifier": called}


def flag(key: str, of: str, author: str = "Practitioner?identifier=urn:oid:1.2|810") -> dict[str, Any]:
    """Write a resource with an owner and an author."""
    return {
        "resourceType": "Flag",
        "id": key,
        "status": "active",
        "code": {"text": "é\u2028"},
        "subject": {"reference": f"Patient/{of}"},
        "author": {"reference": author},
    }


def patient(key: str) -> dict[str, Any]:
    """Write a person with both halves, and numbers that a float would change."""
    return {
        "resourceType": "Patient",
        "id": key,
        "birthDate": "1950-02-03",
        "name": [{"family": "Durand"}],
        "telecom": [{"system": "phone", "value": "0102030405"}],
        "generalPractitioner": [{"reference": "Practitioner?identifier=urn:oid:1.2|810"}],
    }


def bundle(*resources: dict[str, Any]) -> bytes:
    """Write a bundle whose entries have a `fullUrl`."""
    entries = [{"fullUrl": f"urn:uuid:{one.get('id')}", "resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def document(key: str, of: str, size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write a document and its content, apart when it is long."""
    data = base64.b64encode(bytes(range(1, 201)) * (size // 200)).decode()
    binary = {
        "resourceType": "Binary",
        "id": f"b{key}",
        "contentType": "application/octet-stream",
        "data": data,
    }
    sheet = {
        "resourceType": "DocumentReference",
        "id": key,
        "status": "current",
        "subject": {"reference": f"Patient/{of}"},
        "content": [{"attachment": {"url": f"Binary/b{key}"}}],
    }
    return binary, sheet


HOSTILE = [
    b"{",
    b"\xff\xfe",
    b'{"resourceType":"Flag","id":"1","id":"2"}',
    b'{"resourceType":"Flag","a":' + DEEP,
    b'{"resourceType":"Practitioner","identifier":' + DEEP,
    b'{"resourceType":"Practitioner","id":"p","identifier":7}',
    b'{"resourceType":"Practitioner","id":"p","identifier":[7,null,{"system":{},"value":[1]}]}',
    b'{"resourceType":"Flag","subject":{"reference":"\\x"}}',
    b'{"resourceType":"Flag","subject":{"reference":"\\ud800"}}',
    b'{"resourceType":"Nothing","id":"n"}',
    b'{"resourceType":7}',
    b"[]",
    b'{"resourceType":"Patient","id":"' + b"9" * 400 + b'"}',
    b'{"resourceType":"Observation","valueInteger":' + b"9" * 5_000 + b"}",
    b'{"resourceType":"Binary","id":"x","contentType":"application/pdf","data":"TVo="}',
    b'{"resourceType":"Basic","code":{"text":"nobody\'s"}}',
    b'{"r\\u0065sourceType":"Flag","subject":{"r\\u0065ference":"Patient/7"}}',
]


def written(folder: Path) -> Path:
    """Write a source that holds all of it: bundles, lines, gz, one file that breaks off, one that is none."""
    folder.mkdir()
    (folder / "a-people.json").write_bytes(bundle(practitioner("3", "810")))
    for n in range(6):
        binary, sheet = document(f"d{n}", f"p{n}", 200 if n % 2 else 60_000)
        flags = [flag(f"f{n}-{m}", f"p{n}", f"urn:uuid:{m}") for m in range(20)]
        whole = bundle(
            binary, *flags, sheet, flag(f"g{n}", f"p{n}"), patient(f"p{n}"), practitioner(f"x{n}", n)
        )
        (folder / f"b{n}.json").write_bytes(whole)
    good = [json.dumps(one).encode() for one in (flag("l1", "l"), patient("l"), practitioner("4", "811"))]
    (folder / "c.ndjson").write_bytes(b"\n".join([*HOSTILE, *good, *HOSTILE]))
    (folder / "d.ndjson.gz").write_bytes(gzip.compress(b"\n".join(good * 300))[:-40])
    (folder / "e.json").write_bytes(b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":7}]}')
    (folder / "f.json").write_bytes(HOSTILE[3])
    return folder
