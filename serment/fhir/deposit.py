"""A document or a note that comes into a record from elsewhere: who said it, how it came, of when it is.

Three systems meet in a record, what is said, what is on paper, what laboratories send (capability 1-20): each
entry says which, who its author is, apart from who adds it, and of when it is. Without one of these nothing
enters. Pure.

Order: what was typed, reading it, the resources.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from serment.fhir.consultation_resources import LABELS, LOINC, VISIBILITY, About, Json

SOURCES: Final = ("paper", "phone", "dictated", "received", "own")
SORTS: Final[Mapping[str, str]] = {
    "letter": "96349-6",
    "report": "11488-4",
    "result": "11502-2",
    "imaging": "18748-4",
    "prescription": "57833-6",
    "certificate": "89601-9",
    "note": "34109-9",
}
"""What it is → LOINC code, of JDV_J07 but for a note."""

_PARTS: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
OUR_SOURCES: Final = "urn:serment:source"
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
MOST_TITLE: Final = 200


@dataclass(frozen=True, slots=True)
class Content:
    """What comes in: its bytes and their type; a text that was typed is one too."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Deposit:
    """What somebody adds, read and checked. `day` is an ISO date, `time` a local hour or ""."""

    source: str
    author: str = field(repr=False)
    day: str
    sort: str
    title: str = field(repr=False)
    time: str = ""
    hidden: tuple[str, ...] = ()


Errors = dict[str, str]


def read(fields: Mapping[str, str], today: date, *, text: str, files: int) -> tuple[Deposit, Errors]:
    """Read the fields of the page, and say what is missing or wrong, by the name of the field."""
    said = {name: " ".join(fields.get(name, "").split()) for name in ("author", "title", "day", "time")}
    hidden = tuple(name for name in LABELS if fields.get(name) == "hidden")
    found = Deposit(
        fields.get("source", ""), said["author"], said["day"], fields.get("sort", ""), said["title"],
        said["time"], hidden,
    )  # fmt: skip
    wrong = {
        "source": (found.source not in SOURCES, "consultation.deposit-no-source"),
        "author": (not found.author, "consultation.deposit-no-author"),
        "sort": (found.sort not in SORTS, "consultation.deposit-no-sort"),
        "title": (not found.title or len(found.title) > MOST_TITLE, "consultation.deposit-no-title"),
        "time": (bool(found.time) and not _TIME.fullmatch(found.time), "consultation.no-choice"),
        "text": (not text and not files, "consultation.deposit-nothing"),
        "file": (bool(text) + files > 1, "consultation.deposit-both"),
    }
    errors = {name: sentence for name, (stands, sentence) in wrong.items() if stands}
    day = _day(found.day)
    if day is None:
        errors["day"] = "consultation.deposit-no-date"
    elif day > today:
        errors["day"] = "consultation.deposit-future"
    return found, errors


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def transaction(said: Deposit, content: Content, about: About, at: str, new_id: Callable[[], str]) -> bytes:
    """Make the transaction that adds it: the document, its content, where both come from, as FHIR JSON.

    `at` is the instant of the document with its offset; `about.words` names the source in words.
    """
    paper, bytes_ = f"urn:uuid:{new_id()}", f"urn:uuid:{new_id()}"
    attachment = {
        "contentType": content.media_type,
        "url": bytes_,
        "title": said.title,
        "creation": at if said.time else said.day,
    }
    document: Json = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": SORTS[said.sort]}], "text": about.words[said.sort]},
        "subject": about.subject,
        "date": at,
        "author": [{"display": said.author}],
        "description": said.title,
        "content": [{"attachment": attachment}],
    }
    binary: Json = {
        "resourceType": "Binary",
        "contentType": content.media_type,
        "securityContext": about.subject,
        "data": base64.b64encode(content.content).decode(),
    }
    entries = [(paper, document), (bytes_, binary), (f"urn:uuid:{new_id()}", _origin(said, about, at, paper))]
    for _, resource in entries[:2]:
        if said.hidden:
            labels = [{"system": VISIBILITY, "code": LABELS[name]} for name in said.hidden]
            resource["meta"] = {"security": labels}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for url, one in entries
        ],
    }
    return json.dumps(bundle, ensure_ascii=False).encode()


def _origin(said: Deposit, about: About, at: str, paper: str) -> dict[str, Any]:
    """Say where it comes from (R4 provenance.html): its author, who enters it, by which way, when."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": paper}],
        "occurredDateTime": at if said.time else said.day,
        "recorded": about.ended,
        "activity": {"coding": [{"system": OUR_SOURCES, "code": said.source}]},
        "agent": [
            {"type": _part("author"), "who": {"display": said.author}},
            {"type": _part("enterer"), "who": about.author},
        ],
        "entity": [{"role": "source", "what": {"display": about.words[said.source]}}],
    }


def _part(code: str) -> Json:
    return {"coding": [{"system": _PARTS, "code": code}]}
