"""A patient summary as a document (R4 documents.html; HL7 International Patient Summary).

In this order: the sections, the document, its narrative. The resources go in as the bytes that are stored;
what stands around them is written here. A section without items says that none is recorded that the reader
may see, whether there are none or they are hidden. The profiles of IPS 2.0.0 are named where they are met:
the person has a name and a date of birth. Pure: identifiers and time are passed in.
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
_VERSION: Final = "2.0.0"
"""The first version that takes an empty section with its reason (FHIR-41529)."""
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
    conforms = _known(json.loads(about.body))
    composition = _composition(about, sections) | _meta("Composition", claimed=conforms)
    entries = [
        _entry(f"urn:uuid:{about.identifier}", msgspec.json.encode(composition)),
        _entry(f"{about.base}/Patient/{about.patient}", about.body),
        *(_entry(f"{about.base}/{reference}", body) for reference, body in items.items()),
    ]
    head = msgspec.json.encode(
        {
            "resourceType": "Bundle",
            **_meta("Bundle", claimed=conforms),
            "identifier": _identifier(about),
            "type": "document",
            "timestamp": instant_text(about.now),
        }
    )
    return head[:-1] + b',"entry":[' + b",".join(entries) + b"]}"


def _known(person: dict[str, Any]) -> bool:
    """Say whether a person is one as Patient-uv-ips wants: birthDate 1..1, name 1..* under ips-pat-1."""
    names = person.get("name", [])
    spelled = [any(part in name for part in ("family", "given", "text")) for name in names]
    return "birthDate" in person and bool(spelled) and all(spelled)


def _meta(type_: str, *, claimed: bool) -> dict[str, Any]:
    return {"meta": {"profile": [f"{_PROFILE}{type_}-uv-ips|{_VERSION}"]}} if claimed else {}


def _identifier(about: About) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{about.identifier}"}


def _entry(address: str, resource: bytes) -> bytes:
    return b'{"fullUrl":' + msgspec.json.encode(address) + b',"resource":' + resource + b"}"


def _composition(about: About, sections: Sequence[Filled]) -> dict[str, Any]:
    """Write the composition. Its references are whole, for its own address is a `urn:` (bundle.html)."""
    title = say("operations.summary", about.language)
    return {
        "resourceType": "Composition",
        "id": about.identifier,
        "language": str(about.language),
        "text": _narrative(f"<p>{html.escape(title)}</p>"),
        "identifier": _identifier(about),
        "status": "final",
        "type": {"coding": [{"system": _LOINC, "code": SUMMARY, "display": "Patient summary Document"}]},
        "subject": {"reference": f"{about.base}/Patient/{about.patient}"},
        "date": instant_text(about.now),
        "author": [{"display": "Serment"}],
        "title": title,
        "section": [_section(filled, about) for filled in sections],
    }


def _section(filled: Filled, about: About) -> dict[str, Any]:
    section = filled.section
    said: dict[str, Any] = {
        "title": say(f"operations.section-{section.key}", about.language),
        "code": {"coding": [{"system": _LOINC, "code": section.code}]},
        "text": _narrative(_lines(filled, about.language)),
    }
    if filled.items:
        return said | {"entry": [{"reference": f"{about.base}/{one}"} for one, _ in filled.items]}
    return said | {"emptyReason": {"coding": [{"system": _EMPTY, "code": "unavailable"}]}}


def _narrative(content: str) -> dict[str, str]:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'}


def _lines(filled: Filled, language: Language) -> str:
    """Say each item in a line, as lists do; nothing of a resource is taken as markup."""
    lines = [_line(body, language) for _, body in filled.items]
    inside = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    none = html.escape(say("api.nothing-visible", language))
    return f"<ul>{inside}</ul>" if lines else f"<p>{none}</p>"


def _line(body: bytes, language: Language) -> str:
    said = summary(json.loads(body), language)
    return " ".join(part for part in (said.title, said.value, said.date) if part)
