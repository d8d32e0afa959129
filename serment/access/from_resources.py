"""What a resource says that a decision reads: dated acts of care (pure).

Order: acts of care, people named in a resource, reading its parts; a Consent is read in `from_consent`,
mandates in `from_people`. Who may say it is decided by the writer (`record/choices`); here only what is
said. A person is named by reference or by identifier; the caller resolves a reference into an actor, and
a name that resolves to nobody makes no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from serment.access.record_facts import (
    APPOINTMENT,
    CARE_TEAM,
    ENCOUNTER,
    ON_CALL,
    ORDER,
    REFERRAL,
    STAY,
    TeamFact,
)
from serment.fhir import dates
from serment.identity import rpps
from serment.model import Instant

Resolve = Callable[[str], str]
"""From a reference (`Practitioner/…`) to an actor id, "" when it names nobody known."""

_PEOPLE: Final = {
    "Encounter": (("participant", "individual"), ENCOUNTER),
    "Appointment": (("participant", "actor"), APPOINTMENT),
    "ServiceRequest": (("performer",), ORDER),
    "CareTeam": (("participant", "member"), CARE_TEAM),
    "Patient": (("generalPractitioner",), CARE_TEAM),
    "Schedule": (("actor",), ON_CALL),
}
REFERRALS: Final = frozenset({"3457005", "103696004", "306206005", "57133-1"})
"""Orders that send a person to somebody: SNOMED CT patient referral, to a specialist, to a service; LOINC."""

ON_CALL_SYSTEM: Final = "urn:serment:schedule"
"""Code system of the one code `on-call`, which makes a Schedule of the directory an on-call list (ADR 40)."""

_RUNNING: Final = frozenset({"arrived", "triaged", "in-progress", "onleave"})
"""States of an Encounter that say that it runs on the day of writing (FHIR R4 encounter-status)."""

_NOT_IN_FORCE: Final = frozenset(
    {"cancelled", "entered-in-error", "noshow", "revoked", "inactive", "rejected"}
)


def team_facts(
    resource: dict[str, Any], source: str, structure: str, now: Instant, resolve: Resolve, *, imported: bool
) -> list[TeamFact]:
    """Give the dated acts of care that a resource speaks of, one for each professional it names.

    One that has ended, or a stay that runs, is said to have lasted until now; an old act that nobody
    closed is not.
    """
    found = _PEOPLE.get(str(resource.get("resourceType")))
    if found is None or resource.get("status") in _NOT_IN_FORCE:
        return []
    path, kind = found[0], _kind(found[1], resource)
    start, end = window(resource, now)
    if kind == ON_CALL and not (_is_on_call_list(resource) and end is not None):
        return []
    runs = kind == STAY and resource.get("status") in _RUNNING
    said = now if runs or (end is not None and kind != CARE_TEAM) else 0
    actors = {actor for node in _at(resource, path) if (actor := actor_of(node, resolve))}
    return [
        TeamFact(actor, kind, start, end, structure, imported=imported, source=source, said=said)
        for actor in sorted(actors)
    ]


def _kind(kind: str, resource: dict[str, Any]) -> str:
    """Say what kind of act a resource speaks of: a stay is a visit of its class, a referral an order."""
    if kind == ENCOUNTER and codes(resource.get("class")) & {"IMP", "ACUTE", "NONAC", "EMER"}:
        return STAY
    said = [*many(resource.get("category")), resource.get("code")]
    if kind == ORDER and any(codings(concept) & REFERRALS for concept in said):
        return REFERRAL
    return kind


def _is_on_call_list(schedule: dict[str, Any]) -> bool:
    marked = any(
        coding.get("system") == ON_CALL_SYSTEM and coding.get("code") == ON_CALL
        for concept in many(schedule.get("serviceType"))
        for coding in many(concept.get("coding"))
    )
    return marked and schedule.get("active") is not False


def actor_of(reference: dict[str, Any], resolve: Resolve) -> str:
    """Name the professional behind a Reference: by RPPS where it says one, else by resolving it."""
    identifier = reference.get("identifier")
    if isinstance(identifier, dict):
        number = rpps.read(identifier.get("value"))
        if number:
            return f"rpps:{number}"
    target = reference.get("reference")
    return resolve(target) if isinstance(target, str) and target.startswith("Practitioner") else ""


def window(resource: dict[str, Any], now: Instant) -> tuple[int, int | None]:
    """Give when it begins and ends, in ms; a resource without a date begins now."""
    period = resource.get("period") or resource.get("planningHorizon") or {}
    start = period.get("start") or resource.get("start") or resource.get("authoredOn")
    end = period.get("end") or resource.get("end")
    begins = _instant(start, 0)
    return (now if begins is None else begins), _instant(end, 1)


def _instant(text: Any, side: int) -> int | None:
    if not isinstance(text, str):
        return None
    try:
        return dates.parse(text)[side]
    except ValueError:
        return None


def _at(value: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not path:
        if isinstance(value, dict):
            yield value
        return
    for child in many(value.get(path[0]) if isinstance(value, dict) else None):
        yield from _at(child, path[1:])


def many(value: Any) -> list[Any]:
    """Give a list of what may be one, several or nothing."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def codings(concept: Any) -> set[str]:
    """Give the codes of a CodeableConcept."""
    return {code for coding in many((concept or {}).get("coding")) for code in codes(coding)}


def codes(coding: Any) -> set[str]:
    """Give the code of a Coding, when it has one."""
    code = coding.get("code") if isinstance(coding, dict) else None
    return {code} if isinstance(code, str) else set()
