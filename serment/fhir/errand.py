"""What people ask of each other about a record, as FHIR R4 Tasks (R4 task.html): one shape each.

In this order: the codes, asking for a deposit, asking for a correction, answering one, reading a Task back,
the document that answers. A Task belongs to the patient (`Task.for`) and is decided as any other item:
whoever works here asks as `administrative`, the patient's side asks as a document of its own (class 90,
`categories.csv`). Pure: nothing is sent or stored here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.fhir.dates import instant_text
from serment.identity import rpps
from serment.model import Actor, Instant

SYSTEM: Final = "urn:serment:errand"
"""Our own code system: what is asked."""

SOURCE: Final = "urn:serment:source"
"""Extension of a document: how it came in, a code. `patient`: by the person or who stands for them."""

DEPOSIT: Final = "deposit"
CORRECTION: Final = "correction"
ANSWER: Final = "correction-answer"

KINDS: Final = ("photo", "letter", "result", "prescription", "certificate", "administrative", "other")
"""What a patient may be asked to deposit."""

MOST_TEXT: Final = 2000
"""Characters of what is asked or answered."""

MEDIA_TYPES: Final = ("application/pdf", "image/jpeg", "image/png")
"""What a patient deposits: a page or a picture, nothing that runs or hides what it is."""

_PATIENT_DOCUMENT: Final = {
    "system": "urn:oid:1.2.250.1.213.1.1.4.12",
    "code": "EXPPAT_2",
    "display": "Autre document du patient",
}
_KIND: Final = "document-kind"


def _task(code: str, patient: str, at: Instant, **members: Any) -> bytes:
    return msgspec.json.encode(
        {
            "resourceType": "Task",
            "intent": "proposal",
            "code": {"coding": [{"system": SYSTEM, "code": code}]},
            "for": {"reference": f"Patient/{patient}"},
            "authoredOn": instant_text(at),
            "lastModified": instant_text(at),
            **members,
        }
    )


def worker(actor: Actor) -> dict[str, Any]:
    """Name whoever works here: by RPPS when the register knows them, and as the ledger does."""
    number = actor.id.removeprefix("rpps:")
    who = {"identifier": {"system": rpps.SYSTEM, "value": number}} if rpps.is_rpps(number) else {}
    return {**who, "display": actor.name or actor.function.value}


def deposit_request(patient: str, by: Actor, kind: str, text: str, at: Instant, until: Instant) -> bytes:
    """Ask the patient to deposit one document; `kind` is one of `KINDS`, instants in ms."""
    return _task(
        DEPOSIT,
        patient,
        at,
        status="requested",
        description=text,
        requester=worker(by),
        owner={"reference": f"Patient/{patient}"},
        restriction={"repetitions": 1, "period": {"end": instant_text(until)}},
        input=[{"type": {"coding": [{"system": SYSTEM, "code": _KIND}]}, "valueCode": kind}],
    )


def correction_request(patient: str, item: str, text: str, at: Instant) -> bytes:
    """Ask that what is wrong in an item (`Type/id`) be put right (GDPR art. 16)."""
    me = {"reference": f"Patient/{patient}"}
    return _task(
        CORRECTION,
        patient,
        at,
        status="requested",
        description=text,
        requester=me,
        focus={"reference": item},
    )


def correction_answer(
    patient: str, request: str, by: Actor, text: str, at: Instant, *, accepted: bool
) -> bytes:
    """Answer a correction (`Task/id`): it was made, or refused for a reason."""
    return _task(
        ANSWER,
        patient,
        at,
        status="completed" if accepted else "rejected",
        description=text,
        requester=worker(by),
        basedOn=[{"reference": request}],
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a Task of ours says. `kind` is of a deposit, `item` what is to be corrected, `by` who asked."""

    code: str
    status: str
    text: str = field(repr=False)
    by: str = field(repr=False)
    kind: str = ""
    item: str = field(default="", repr=False)


def asked(body: bytes) -> Asked | None:
    """Read a Task; None for one that is not of ours."""
    task = msgspec.json.decode(body)
    codes = [one.get("code") for one in _codings(task.get("code")) if one.get("system") == SYSTEM]
    if task.get("resourceType") != "Task" or not codes:
        return None
    kind = next((str(one.get("valueCode", "")) for one in task.get("input", ())), "")
    return Asked(
        str(codes[0]),
        str(task.get("status", "")),
        str(task.get("description", "")),
        str(task.get("requester", {}).get("display", "")),
        kind if kind in KINDS else "",
        str(task.get("focus", {}).get("reference", "")),
    )


def deposited(
    patient: str, request: str, binary: str, media_type: str, title: str, at: Instant, author: str = ""
) -> bytes:
    """Write the document that answers a request (`Task/id`), its content in `Binary/id`.

    `author` is the reference of who deposits: the patient, or the RelatedPerson who stands for them.
    """
    return msgspec.json.encode(
        {
            "resourceType": "DocumentReference",
            "extension": [{"url": SOURCE, "valueCode": "patient"}],
            "status": "current",
            "type": {"coding": [_PATIENT_DOCUMENT]},
            "subject": {"reference": f"Patient/{patient}"},
            "date": instant_text(at),
            "author": [{"reference": author or f"Patient/{patient}"}],
            "description": title,
            "content": [{"attachment": {"contentType": media_type, "url": binary, "title": title}}],
            "context": {"related": [{"reference": request}]},
        }
    )


def content(patient: str, media_type: str, data: str) -> bytes:
    """Write the Binary of a deposit; `data` is base64 (RFC 4648 section 4)."""
    return msgspec.json.encode(
        {
            "resourceType": "Binary",
            "contentType": media_type,
            "securityContext": {"reference": f"Patient/{patient}"},
            "data": data,
        }
    )


def _codings(concept: object) -> list[dict[str, Any]]:
    found = concept.get("coding", []) if isinstance(concept, dict) else []
    return [one for one in found if isinstance(one, dict)]
