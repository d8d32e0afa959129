"""How the first page of a record says its items: only what each resource says itself, with its date (pure).

Order: allergies, treatments, problems, notes, news. Nothing is judged clinically: an allergy is called severe
where the resource does (criticality), and not otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any, Final

import msgspec

from serment.fhir.summary import summary
from serment.record.pages.charting import Line
from serment.web.groups import DOCUMENTS, ORDER, category_name
from serment.web.written import day_of
from serment.words import Language

MOST_TEXT: Final = 1_200
"""Characters of a note that the first page shows."""

_TAG: Final = re.compile(r"<[^>]*>")
_SPACES: Final = re.compile(r"[ \t\u00a0]+")
_BREAKS: Final = re.compile(r"</(?:p|div|li|tr|h\d)>|<br\s*/?>", re.IGNORECASE)


def read(line: Line) -> dict[str, Any]:
    """Read the bytes of an item."""
    resource: dict[str, Any] = msgspec.json.decode(line.body)
    return resource


def said(line: Line, resource: dict[str, Any], language: Language) -> dict[str, Any]:
    """Say what every line has: a title, a value, the date it speaks of, where it is opened."""
    of = summary(resource, language)
    return {
        "title": of.title,
        "value": of.value,
        "date": day_of(of.date, language),
        "masked": line.unit.masked,
        "item": line.reference,
    }


def allergy(line: Line, language: Language) -> dict[str, Any]:
    """Say an allergy: to what, the reactions, whether it is said to be severe."""
    resource = read(line)
    reactions = [
        text
        for reaction in _objects(resource.get("reaction"))
        for manifestation in _objects(reaction.get("manifestation"))
        if (text := _text(manifestation))
    ]
    grave = resource.get("criticality") == "high"
    return {**said(line, resource, language), "value": ", ".join(reactions), "grave": grave}


def treatment(line: Line, language: Language) -> dict[str, Any]:
    """Say a treatment and its dosage."""
    resource = read(line)
    dosages = [*_objects(resource.get("dosageInstruction")), *_objects(resource.get("dosage"))]
    texts = [str(one["text"]) for one in dosages if isinstance(one.get("text"), str)]
    return {**said(line, resource, language), "value": "; ".join(texts)}


def problem(line: Line, language: Language) -> dict[str, Any]:
    """Say a problem."""
    return {**said(line, read(line), language), "value": ""}


def note(line: Line, language: Language) -> dict[str, Any]:
    """Say a note: its title, who wrote it, the beginning of its text."""
    resource = read(line)
    authors = [str(one["display"]) for one in _authors(resource) if isinstance(one.get("display"), str)]
    text = "\n".join(part for part in _texts(resource) if part)
    title = resource.get("title")
    about = said(line, resource, language)
    if isinstance(title, str) and title:
        about["title"] = title
    return {**about, "by": ", ".join(authors), "text": shortened(text)}


def news(line: Line, language: Language) -> dict[str, Any]:
    """Say something new: what it is and of which kind."""
    name = line.unit.category.value
    kind = category_name(name if name in ORDER else DOCUMENTS, language)
    return {**said(line, read(line), language), "kind": kind}


def shortened(text: str) -> str:
    """Give the beginning of a text, cut at a space."""
    if len(text) <= MOST_TEXT:
        return text
    cut = text[:MOST_TEXT]
    return f"{cut[: cut.rfind(' ') if ' ' in cut else MOST_TEXT]} …"


def plain(div: str) -> str:
    """Give the text of a narrative without its marks: it is shown as text and nothing else."""
    text = unescape(_TAG.sub("", _BREAKS.sub("\n", div)))
    lines = [_SPACES.sub(" ", one).strip() for one in text.splitlines()]
    return "\n".join(one for one in lines if one)


def _texts(resource: dict[str, Any]) -> Iterator[str]:
    """Give the texts that a note says: its own, then those of its sections."""
    if resource.get("resourceType") == "ClinicalImpression":
        yield from (_string(resource, name) for name in ("summary", "description"))
    yield from (_string(one, "text") for one in _objects(resource.get("note")))
    yield from (_string(one, "contentString") for one in _objects(resource.get("payload")))
    yield from (_narrative(one) for one in _objects(resource.get("section")))


def _string(value: dict[str, Any], name: str) -> str:
    said_ = value.get(name)
    return said_ if isinstance(said_, str) else ""


def _narrative(section: dict[str, Any]) -> str:
    text, title = section.get("text"), _string(section, "title")
    div = plain(_string(text, "div")) if isinstance(text, dict) else ""
    return f"{title} : {div}" if title and div else div


def _authors(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        *_objects(resource.get("author")),
        *_objects(resource.get("assessor")),
        *_objects(resource.get("sender")),
    ]


def _text(concept: dict[str, Any]) -> str:
    if isinstance(concept.get("text"), str):
        return str(concept["text"])
    return next(
        (
            str(one["display"])
            for one in _objects(concept.get("coding"))
            if isinstance(one.get("display"), str)
        ),
        "",
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    """Give the objects of what may be one, several or something else."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]
