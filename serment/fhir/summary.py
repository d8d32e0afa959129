"""One line of a resource for a person: a title, a value, a date. Pure; no clinical judgement.

Only what the resource itself says: the text or display of its code, its value with its unit, its
date. A resource that says none of these is named by its type, in words where the catalogue has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from serment.words import Language, catalogue, say

_DATES = (
    "effectiveDateTime",
    "occurrenceDateTime",
    "onsetDateTime",
    "recordedDate",
    "authoredOn",
    "date",
    "start",
    "issued",
    "created",
    "birthDate",
)
_CODES = (
    "code",
    "vaccineCode",
    "medicationCodeableConcept",
    "type",
    "serviceType",
    "category",
    "relationship",
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of one item. `date` is `YYYY-MM-DD`, shorter when the resource says less, or ""."""

    title: str = field(repr=False)
    value: str = field(repr=False)
    date: str


def summary(resource: dict[str, Any], language: Language) -> Summary:
    """Say one resource in a line."""
    return Summary(_title(resource, language), _value(resource, language), _date(resource)[:10])


def person_name(patient: dict[str, Any]) -> str:
    """Name a person as their record does: used name first, else birth name."""
    names = [name for name in patient.get("name", []) if isinstance(name, dict)]
    names.sort(key=lambda name: name.get("use") != "usual")
    for name in names:
        given = " ".join(str(part) for part in name.get("given", []) if part)
        said = str(name.get("text") or f"{given} {name.get('family', '')}").strip()
        if said:
            return said
    return ""


def _title(resource: dict[str, Any], language: Language) -> str:
    kind = str(resource.get("resourceType", ""))
    if kind in {"Patient", "RelatedPerson"}:
        return person_name(resource)
    if isinstance(resource.get("description"), str):
        return str(resource["description"])
    for name in _CODES:
        found = _concept(resource.get(name))
        if found:
            return found
    named = f"fhir.type-{kind}"
    return say(named, language) if named in catalogue() else kind


def _concept(value: Any) -> str:
    """Give the words of a CodeableConcept, of a Coding, or of the first of a list."""
    if isinstance(value, list):
        return next((said for one in value if (said := _concept(one))), "")
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("text"), str):
        return str(value["text"])
    if isinstance(value.get("display"), str):
        return str(value["display"])
    return _concept(value.get("coding"))


def _value(resource: dict[str, Any], language: Language) -> str:
    own = _quantity(resource.get("valueQuantity"), language) or _concept(resource.get("valueCodeableConcept"))
    if own or isinstance(resource.get("valueString"), str):
        return own or str(resource["valueString"])
    parts = [
        said
        for component in resource.get("component", [])
        if isinstance(component, dict) and (said := _quantity(component.get("valueQuantity"), language))
    ]
    return " / ".join(parts) or _status(resource)


def _quantity(value: Any, language: Language) -> str:
    """Write a number with the decimal mark of the language: 7,8 in French."""
    if not isinstance(value, dict) or "value" not in value:
        return ""
    number = str(value["value"]).replace(".", "," if language is Language.FR else ".")
    return f"{value.get('comparator', '')}{number} {value.get('unit', '')}".strip()


def _status(resource: dict[str, Any]) -> str:
    return _concept(resource.get("clinicalStatus"))


def _date(resource: dict[str, Any]) -> str:
    for name in _DATES:
        if isinstance(resource.get(name), str):
            return str(resource[name])
    for name in ("period", "effectivePeriod", "performedPeriod", "onsetPeriod"):
        period = resource.get(name)
        if isinstance(period, dict) and isinstance(period.get("start"), str):
            return str(period["start"])
    return ""
