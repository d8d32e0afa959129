"""What takes bytes from outside: one function for each parser, and well-formed seeds for it.

A function ends, or raises an error of our tree that the sender can mend; everything else is a defect.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serment.api import negotiation
from serment.errors import RefusedError, RequestError
from serment.fhir import dates, patch, query, transaction
from serment.fhir import document as documents
from serment.fhir.narrative import fault_of
from serment.fhir.validate import MAX_ISSUES, issues
from serment.record import incoming
from tests.fuzz import within

XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">'


@dataclass(frozen=True)
class Target:
    """A parser and its seeds. `share` is its part of the inputs."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...] = field(repr=False)
    share: float


def _json(*values: Any) -> tuple[bytes, ...]:
    return tuple(json.dumps(one, ensure_ascii=False).encode() for one in values)


_SUBJECT = {"reference": "Patient/1"}
_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": _SUBJECT,
    "effectivePeriod": {"start": "2024-03-01T10:00:00+01:00", "end": "2024-03-02"},
    "valueQuantity": {"value": 70.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "referenceRange": [{"low": {"value": 1.0}, "high": {"value": 2}}],
    "component": [{"code": {"text": "x"}, "valueString": "é\u00a0ü"}],
}
_PATIENT = {
    "resourceType": "Patient",
    "text": {"status": "generated", "div": f"{XHTML}<p>x &amp; y</p></div>"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
    "managingOrganization": {"reference": "#o"},
    "name": [{"family": "x", "given": ["A", None], "_given": [None, {"id": "x"}]}],
    "birthDate": "1970-03-30",
    "gender": "female",
    "telecom": [{"system": "phone", "value": "1", "rank": 1}],
    "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "185057800608436"}],
}
_BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
            "resource": _OBSERVATION,
            "request": {"method": "POST", "url": "Observation", "ifNoneExist": "code=x"},
        },
        {"request": {"method": "GET", "url": "Observation?patient=1"}},
    ],
}
_PATCH = [
    {"op": "test", "path": "/status", "value": "final"},
    {"op": "replace", "path": "/valueQuantity/value", "value": 1.50},
    {"op": "add", "path": "/component/-", "value": {"code": {"text": "y"}}},
    {"op": "remove", "path": "/referenceRange/0"},
    {"op": "move", "from": "/code/coding/0/code", "path": "/code/text"},
    {"op": "copy", "from": "/component", "path": "/component/0/code/a~1b~0c"},
]
_WHOLE = _json(_OBSERVATION)[0]
_SEARCHES = (
    b"patient=1&code=http://loinc.org|29463-7,x&date=ge2024-03&_count=10&_sort=-date,code",
    b"patient=1&value-quantity=gt70.5|http://unitsofmeasure.org|kg&_total=accurate",
    b"patient=1&_lastUpdated=lt2024-03-01T10:00:00%2B01:00&_id=a,b&status:not=final",
    b"subject:Patient=1&code:text=poids&_elements=code,status&_include=Observation:encounter",
    b"patient=Patient/1&component-code-value-quantity=x$gt1&_has:Observation:patient:code=x",
    b"encounter.class=AMB&patient=1&_revinclude=Provenance:target&_summary=text&date:missing=true",
)
_NARRATIVES = (
    f'{XHTML}<p style="color: red">x &amp; <a href="https://x/y">y</a></p></div>'.encode(),
    f'{XHTML}<img src="data:image/png;base64,AAAA"/><table><tr><td>x</td></tr></table></div>'.encode(),
)
_DATES = (
    b"2024",
    b"2024-03",
    b"2024-02-29",
    b"2024-03-01T10:00",
    b"2024-03-01T10:00:60.123456789+14:00",
    b"9999-12-31T23:59:59Z",
)


def _resource(raw: bytes) -> None:
    """Read as every write does, then list the faults: reading, the schema, the invariants, owner, index."""
    document = documents.read(raw)
    assert len(issues(document)) <= MAX_ISSUES
    made = incoming.read(raw, document.type, "http://localhost/fhir")
    made.parts("1", 1, made_at)


made_at: Any = 1_700_000_000_000


def _bundle(raw: bytes) -> None:
    for one in transaction.entries(documents.read(raw)):
        if one.resource is not None:
            incoming.read(one.resource)


def _search(raw: bytes) -> None:
    for type_ in ("Observation", "Patient"):
        query.parse(type_, negotiation.pairs(raw.decode("latin-1")), "http://localhost/fhir")


def _patch(raw: bytes) -> None:
    documents.read(patch.patched(_WHOLE, patch.read(raw)))


def _date(raw: bytes) -> None:
    text = raw.decode("latin-1")
    try:
        low, high = dates.parse(text)
    except ValueError:  # what the function says it raises
        return
    assert dates.EARLIEST <= low < high <= dates.LATEST


def _narrative(raw: bytes) -> None:
    assert fault_of(raw.decode("latin-1")) in {
        "",
        "fhir.too-long",
        "fhir.narrative-not-xhtml",
        "fhir.narrative-too-deep",
        "fhir.narrative-element",
        "fhir.narrative-attribute",
        "fhir.narrative-empty",
    }


TARGETS = {
    "resource": Target(_resource, _json(_OBSERVATION, _PATIENT, _BUNDLE), 0.35),
    "bundle": Target(_bundle, _json(_BUNDLE), 0.1),
    "search": Target(_search, _SEARCHES, 0.2),
    "patch": Target(_patch, _json(_PATCH), 0.15),
    "date": Target(_date, _DATES, 0.1),
    "narrative": Target(_narrative, _NARRATIVES, 0.1),
    "rows": Target(within.rows, within.ROWS, 0.1),
    "marks": Target(within.marks, within.MARKS, 0.05),
    "token": Target(within.token, within.TOKENS, 0.05),
    "custody": Target(within.custody, within.CALLS, 0.05),
}


def survives(target: Target, raw: bytes) -> None:
    """Run a parser on one input. Whatever is not an error that the sender can mend comes out."""
    try:
        target.run(raw)
    except (RequestError, RefusedError):
        return
