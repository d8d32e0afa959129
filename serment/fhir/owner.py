"""Whose record a resource belongs to: one owner path for each type.

`data/owners.csv` says, for every R4 type, the path that names its patient and the rule:
`patient` (the path names exactly one), `self` (Patient), `target` (a patient on the path owns it, else
it follows what the path names), `directory` (a patient on the path owns it, else it is in the
directory), `none` (refused). Patients named anywhere else are mentions and grant nothing.
Nothing here resolves a reference: relink a bundle first, so that every reference says its type.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from serment.errors import InvalidResourceError
from serment.fhir.transaction import PLACEHOLDERS

DIRECTORY_TYPES = frozenset(
    {
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Location",
        "HealthcareService",
        "Endpoint",
        "Medication",
        "Substance",
        "Schedule",
        "Slot",
        "CodeSystem",
        "ValueSet",
        "ConceptMap",
        "NamingSystem",
    }
)
"""Types kept in the directory when they name no patient."""

NEVER_WRITTEN = frozenset({"AuditEvent"})
"""The ledger is the trace: it is read on its own page, and nobody writes it from outside."""

ADDRESSED_ALONE = NEVER_WRITTEN | {"Subscription"}
"""Types with addresses of their own: no entry of a bundle reads, changes or ends one."""

_PEOPLE = ("Patient", "RelatedPerson")
_PATIENT = re.compile(
    r"(?P<patient>(?:[a-z][a-z0-9+.\-]*://[^?#]*/)?Patient(?:/[A-Za-z0-9\-.]{1,64}|\?.+?))(?:/_history/[^/]*)?"
)
_PERSON = re.compile(r"(?:^|/)(?:Patient|RelatedPerson)[/?]")


@dataclass(frozen=True, slots=True)
class OwnedBy:
    """In the record of one patient.

    `reference` is as written, without version: `Patient/123`, absolute, `urn:uuid:…` or conditional.
    """

    reference: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnedByTarget:
    """In the record of what `reference` names; `others` must be in that same record."""

    reference: str = field(repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class InDirectory:
    """In no record: the installation's directory."""


Owner = OwnedBy | OwnedByTarget | InDirectory


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """One row of the table: the dotted paths of References, and the rule."""

    paths: tuple[str, ...]
    rule: str


@cache
def owner_rules() -> dict[str, OwnerRule]:
    """Read the table: resource type → rule."""
    text = (files(__package__) / "data" / "owners.csv").read_text("utf-8")
    return {
        row["type"]: OwnerRule(tuple(row["paths"].split()), row["rule"])
        for row in csv.DictReader(text.splitlines())
    }


def owner(resource: dict[str, Any]) -> Owner:
    """Say whose record a valid resource belongs to.

    A Patient owns itself: its reference is `Patient/<id>`, with an empty id when the server has still
    to give one. Raises `InvalidResourceError` when the owner path names no patient (a group, a device
    or a place is none; nor is an identifier without reference or a contained patient) or several.
    """
    kind = str(resource.get("resourceType", ""))
    found = owner_rules().get(kind)
    if found is None:
        raise InvalidResourceError("fhir.unknown-type", kind if kind.isalpha() else "resourceType")
    if found.rule == "self":
        return OwnedBy(f"{kind}/{resource.get('id', '')}")
    named = [reference for path in found.paths for reference in _at(resource, path.split("."))]
    patients = sorted({patient for patient in map(_patient, named) if patient})
    where = ", ".join(f"{kind}.{path}" for path in found.paths) or kind
    if len(patients) > 1:
        raise InvalidResourceError("fhir.several-patients", where)
    if patients:
        return OwnedBy(patients[0])
    return _without_patient(resource, found.rule, named, where)


def _without_patient(resource: dict[str, Any], rule: str, named: list[dict[str, Any]], where: str) -> Owner:
    targets = [str(one["reference"]) for one in named if isinstance(one.get("reference"), str)]
    if rule == "target" and targets and not any(target.startswith("#") for target in targets):
        return OwnedByTarget(targets[0], tuple(targets[1:]))
    if rule == "directory" and not _speaks_of_people(resource):
        return InDirectory()
    raise InvalidResourceError("fhir.belongs-to-nobody" if rule == "none" else "fhir.no-patient", where)


def _at(value: Any, path: list[str]) -> Iterator[dict[str, Any]]:
    """Walk the References that stand at a dotted path, through lists."""
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
        elif path[0] in value:
            yield from _at(value[path[0]], path[1:])


def _patient(reference: dict[str, Any]) -> str:
    """Give the patient that a Reference names, without version, or "" when it names something else."""
    link = reference.get("reference")
    if not isinstance(link, str):
        return ""
    if link.startswith(PLACEHOLDERS):
        return link if reference.get("type", "Patient") == "Patient" else ""
    match = _PATIENT.fullmatch(link)
    return match["patient"] if match else ""


def _speaks_of_people(value: Any) -> bool:
    """Say whether a patient is named or contained anywhere in `value`: many eyes read the directory."""
    if isinstance(value, list):
        return any(map(_speaks_of_people, value))
    if not isinstance(value, dict):
        return False
    link = value.get("reference")
    return (
        value.get("resourceType") in _PEOPLE
        or (value.get("type") in _PEOPLE and "identifier" in value)
        or (isinstance(link, str) and _PERSON.search(link) is not None)
        or any(map(_speaks_of_people, value.values()))
    )
