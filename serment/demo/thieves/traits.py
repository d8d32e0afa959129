"""What a thief looks for on a disk: who the people are, how to reach them, what they have.

Order: one patient, the population. Strings shorter than `disk.LEAST` are left out: they stand in any
random bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from serment.demo.population import DemoPatient
from serment.record.probes.disk import LEAST

IDENTIFYING = frozenset({"family", "given", "birthDate", "line", "value", "text", "display", "title"})
"""Members whose text a thief would know a person by, or learn something of them by."""

CODED = frozenset({"Condition", "AllergyIntolerance", "MedicationRequest", "Immunization", "Observation"})


def names_of(patient: DemoPatient) -> list[str]:
    """Give the names of one person, longest first."""
    resource = patient.bundle["entry"][0]["resource"]
    found = {
        text for name in resource["name"] for text in _texts(name, frozenset({"family", "given", "text"}))
    }
    return sorted(found, key=lambda text: (-len(text), text))


def traits_of(patient: DemoPatient) -> set[str]:
    """Give names, numbers, birth date, address and telephone of one person."""
    resource = patient.bundle["entry"][0]["resource"]
    return {text for text in _texts(resource, IDENTIFYING) if len(text) >= LEAST}


def findings_of(patient: DemoPatient) -> set[str]:
    """Give the codes and words of what one person has and takes."""
    resources = [entry["resource"] for entry in patient.bundle["entry"]]
    wanted = frozenset({"code", "display", "text"})
    return {
        text
        for resource in resources
        if resource["resourceType"] in CODED
        for text in _texts(resource, wanted)
        if len(text) >= LEAST and not text.isalpha()
    }


def _texts(value: Any, wanted: frozenset[str], member: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _texts(child, wanted, name)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child, wanted, member)
    elif isinstance(value, str) and member in wanted:
        yield value
