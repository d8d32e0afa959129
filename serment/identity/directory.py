"""The public directory of professionals (Annuaire Santé, FHIR R4), read as a list of people (pure).

One Practitioner is a person: RPPS as such or as national identifier (IDNPS, "8" and the number), profession
and category among the qualifications (TRE_G15, TRE_R09), specialty (TRE_R38). One PractitionerRole is a
place of theirs, with its Organization (FINESS, or national structure identifier IDNST) and its period. What
cannot be read is left out and counted: the directory is received data, never refused as a whole.

Sources: ansforge/annuaire-sante-fhir-documentation; Annuaire Santé 1.x profiles as-practitioner,
as-practitionerrole, as-organization. A site deletes its copy after thirty days (terms of use).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from serment.identity import rpps

PROFESSION: Final = "TRE_G15-ProfessionSante"
CATEGORY: Final = "TRE_R09-CategorieProfessionnelle"
SPECIALITY: Final = "TRE_R38-SpecialiteOrdinale"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody works: identifiers and name of the structure, from when until when (FHIR dates)."""

    identifiers: frozenset[str]
    name: str
    start: str = ""
    end: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """One professional of the directory."""

    rpps: str = field(repr=False)
    name: str = field(repr=False)
    profession: str
    category: str = ""
    speciality: str = ""
    active: bool = True
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """What a file of the directory says. `unread` counts people without a true RPPS or a profession."""

    people: tuple[Listed, ...]
    unread: int


def read(resources: Iterable[Mapping[str, Any]]) -> Directory:
    """Read the resources of one file or answer, in any order."""
    people: dict[str, Mapping[str, Any]] = {}
    structures: dict[str, Mapping[str, Any]] = {}
    roles: list[Mapping[str, Any]] = []
    for one in resources:
        kind, id_ = one.get("resourceType"), str(one.get("id", ""))
        if kind == "Practitioner":
            people[f"Practitioner/{id_}"] = one
        elif kind == "Organization":
            structures[f"Organization/{id_}"] = one
        elif kind == "PractitionerRole":
            roles.append(one)
    places: dict[str, list[Place]] = {}
    for role in roles:
        places.setdefault(_reference(role.get("practitioner")), []).append(_place(role, structures))
    found = [_listed(one, tuple(places.get(name, ()))) for name, one in people.items()]
    known = tuple(one for one in found if one is not None)
    return Directory(tuple(sorted(known, key=lambda one: one.rpps)), len(found) - len(known))


def _listed(person: Mapping[str, Any], places: tuple[Place, ...]) -> Listed | None:
    numbers = {number for one in _dicts(person.get("identifier")) if (number := rpps.read(one.get("value")))}
    professions = _codes(person, PROFESSION)
    if len(numbers) != 1 or not professions:
        return None
    return Listed(
        numbers.pop(),
        _name(person),
        professions[0],
        next(iter(_codes(person, CATEGORY)), ""),
        next(iter(_codes(person, SPECIALITY)), ""),
        person.get("active") is not False,
        places,
    )


def _codes(person: Mapping[str, Any], system: str) -> list[str]:
    """List the codes of one terminology among the qualifications."""
    codings = (
        coding
        for qualification in _dicts(person.get("qualification"))
        for coding in _dicts((qualification.get("code") or {}).get("coding"))
    )
    return [
        str(one.get("code")) for one in codings if system in str(one.get("system", "")) and one.get("code")
    ]


def _place(role: Mapping[str, Any], structures: Mapping[str, Mapping[str, Any]]) -> Place:
    named = role.get("organization") or {}
    structure = structures.get(_reference(named), {})
    listed = [*_dicts(structure.get("identifier")), *_dicts([named.get("identifier")])]
    period = role.get("period") or {}
    return Place(
        frozenset(_structure(str(one["value"])) for one in listed if one.get("value")),
        str(structure.get("name") or named.get("display") or ""),
        str(period.get("start", "")),
        str(period.get("end", "")),
        role.get("active") is not False,
    )


def _structure(identifier: str) -> str:
    """Give the FINESS number inside a national structure identifier ("1" before it), else what it is."""
    national = len(identifier) == 10 and identifier.startswith("1")
    return identifier[1:] if national else identifier


def _name(person: Mapping[str, Any]) -> str:
    for one in _dicts(person.get("name")):
        given = " ".join(str(part) for part in one.get("given") or ())
        prefix = " ".join(str(part) for part in one.get("prefix") or ())
        whole = " ".join(part for part in (prefix, given, str(one.get("family", ""))) if part)
        if whole:
            return whole
    return ""


def _reference(node: Any) -> str:
    return str(node.get("reference", "")) if isinstance(node, dict) else ""


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
