"""A patient summary as a document (R4 documents.html; HL7 International Patient Summary).

In this order: the sections, the document, its narrative. The resources go in as the bytes that are stored;
what stands around them is written here. A section without items says that none is recorded that the reader
may see, whether there are none or they are hidden. Pure: identifiers and time are passed in.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from serment.fhir.dates import instant_text
from serment.fhir.summary import summary
from serment.model import Category, Instant
from serment.words import Language, say

_LOINC: Final = "http://loinc.org"
_EMPTY: Final = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
_PROFILE: Final = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
SUMMARY: Final = "60591-5"


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its key among the sentences, its LOINC code, what goes in, how many at most.

    `categories` empty: whatever the category.
    """

    key: str
    code: str
    types: frozenset[str]
    most: int = 100
    categories: frozenset[Category] = frozenset()


SECTIONS: Final = (
    Section("problems", "11450-4", frozenset({"Condition"})),
    Section("allergies", "48765-2", frozenset({"AllergyIntolerance"})),
    Section("medications", "10160-0", frozenset({"MedicationStatement", "MedicationRequest"})),
    Section("immunizations", "11369-6", frozenset({"Immunization"})),
    Section("procedures", "47519-4", frozenset({"Procedure"})),
    Section("results", "30954-2", frozenset({"Observation"}), 20, frozenset({Category.LABS})),
    Section("vitals", "8716-3", frozenset({"Observation"}), 20, frozenset({Category.VITALS})),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A section with its items: reference (`Type/id`) and bytes."""

    section: Section
    items: Sequence[tuple[str, bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class About:
    """Whom the document is about, and where it stands: `identifier` is a UUID, `now` in ms."""

    base: str
    patient: str = field(repr=False)
    body: bytes = field(repr=False)
    identifier: str
    now: Instant
    language: Language


def document(about: About, sections: Sequence[Filled]) -> bytes:
    """Put the document together: the composition, the person, then every item once."""
    items = {reference: body for filled in sections for reference, body in filled.items}
    entries = [
        _entry(f"urn:uuid:{about.identifier}", msgspec.json.encode(_composition(about, sections))),
        _entry(f"{about.base}/Patient/{about.patient}", about.body),
        *(_entry(f"{about.base}/{reference}", body) for reference, body in items.items()),
    ]
    head = msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "meta": {"profile": [f"{_PROFILE}Bundle-uv-ips"]},
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{about.identifier}"},
            "type": "document",
            "timestamp": instant_text(about.now),
        }
    )
    return head[:-1] + b',"entry":[' + b",".join(entries) + b"]}"


def _entry(address: str, resource: bytes) -> bytes:
    return b'{"fullUrl":' + msgspec.json.encode(address) + b',"resource":' + resource + b"}"


def _composition(about: About, sections: Sequence[Filled]) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": about.identifier,
        "meta": {"profile": [f"{_PROFILE}Composition-uv-ips"]},
        "language": str(about.language),
        "status": "final",
        "type": {"coding": [{"system": _LOINC, "code": SUMMARY, "display": "Patient summary Document"}]},
        "subject": {"reference": f"Patient/{about.patient}"},
        "date": instant_text(about.now),
        "author": [{"display": "Serment"}],
        "title": say("operations.summary", about.language),
        "section": [_section(filled, about.language) for filled in sections],
    }


def _section(filled: Filled, language: Language) -> dict[str, Any]:
    section = filled.section
    said: dict[str, Any] = {
        "title": say(f"operations.section-{section.key}", language),
        "code": {"coding": [{"system": _LOINC, "code": section.code}]},
        "text": {"status": "generated", "div": _narrative(filled, language)},
    }
    if filled.items:
        return said | {"entry": [{"reference": reference} for reference, _ in filled.items]}
    return said | {"emptyReason": {"coding": [{"system": _EMPTY, "code": "unavailable"}]}}


def _narrative(filled: Filled, language: Language) -> str:
    """Say each item in a line, as lists do; nothing of a resource is taken as markup."""
    lines = [_line(body) for _, body in filled.items]
    inside = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    none = html.escape(say("api.nothing-visible", language))
    content = f"<ul>{inside}</ul>" if lines else f"<p>{none}</p>"
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


def _line(body: bytes) -> str:
    said = summary(json.loads(body))
    return " ".join(part for part in (said.title, said.value, said.date) if part)
