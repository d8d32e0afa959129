"""How a list of a record says its items: what each is, when, who stands behind it, where it is opened.

Only what the resource says itself; `lines` says the first page's blocks, this the lists behind them.
"""

from __future__ import annotations

from typing import Any, Final

from serment.fhir import measures
from serment.fhir.search_values import reference_type
from serment.model import Category
from serment.record.pages.charting import Line
from serment.record.pages.leafing import LISTED
from serment.web.clinician import lines
from serment.web.clinician.fields import first_code
from serment.web.clinician.frame import Opening
from serment.web.groups import DOCUMENTS, ORDER, category_name
from serment.words import Language

KINDS: Final = tuple(name for name in ORDER if name == DOCUMENTS or Category(name) in LISTED)
"""The kinds of items of a record, in the order of its first view."""

_PLAIN: Final = frozenset(Category(name) for name in KINDS if name != DOCUMENTS)


def categories_of(kind: str) -> frozenset[Category]:
    """Give the categories of a kind; of none that is known, all that a record lists."""
    if kind == DOCUMENTS:
        return LISTED - _PLAIN
    return frozenset({Category(kind)}) if kind in KINDS else LISTED


def kinds(language: Language) -> list[tuple[str, str]]:
    """Give the kinds with their names."""
    return [(name, category_name(name, language)) for name in KINDS]


def row(opened: Opening, line: Line) -> dict[str, Any]:
    """Say one item of a list."""
    resource = measures.decoded(line.body)
    category = line.unit.category.value
    said = lines.said(line, resource, opened.language)
    return {
        **said,
        "value": said["value"] or first_code(resource, ("reasonCode",), opened.language),
        "kind": category_name(category if category in ORDER else DOCUMENTS, opened.language),
        "people": opened.house.leafing.people(resource),
        "to": address(opened, line.reference, resource),
    }


def address(opened: Opening, reference: str, resource: dict[str, Any]) -> str:
    """Say where an item is opened: one that holds a document, in the viewer."""
    place = "document" if attachments(resource) else "item"
    return f"/record/{opened.patient}/{place}/{reference}"


def attachments(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the attachments of a document, a report or a medium that have content."""
    content = resource.get("content")
    forms = (
        [one.get("attachment") for one in content if isinstance(one, dict)]
        if isinstance(content, list)
        else []
    )
    if resource.get("resourceType") == "DiagnosticReport":
        forms = list(resource.get("presentedForm") or [])
    if isinstance(content, dict):
        forms = [content]
    return [
        one
        for one in forms
        if isinstance(one, dict) and (reference_type(str(one.get("url", ""))) == "Binary" or one.get("data"))
    ]
