"""What a resource says that a decision reads: dated acts of care, mandates, choices (pure).

Order: people named in a resource, acts of care, mandates, choices. Who may say it is decided by the
writer (`record/choices`); here only what is said. A person is named by reference or by identifier;
the caller resolves a reference into an actor, and a name that resolves to nobody makes no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from serment.access.record_facts import (
    APPOINTMENT,
    BLOCKED,
    CARE_TEAM,
    CONSENT,
    EMERGENCY_OPPOSED,
    ENCOUNTER,
    MASKED,
    OPPOSED,
    OPPOSED_CATEGORY,
    ORDER,
    REGULATION_OPPOSED,
    REPRESENTATIVE,
    STAY,
    Choice,
    Mandate,
    TeamFact,
)
from serment.fhir import dates
from serment.identity import rpps
from serment.model import Category, Instant

Resolve = Callable[[str], str]
"""From a reference (`Practitioner/…`) to an actor id, "" when it names nobody known."""

CATEGORY_SYSTEM: Final = "urn:serment:category"
CATEGORIES: Final = frozenset(category.value for category in Category)
PURPOSE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PRIVACY: Final = "patient-privacy"
"""The one scope of a Consent that shares a record (HL7 consentscope); no other grants anything."""

_NARROWER: Final = ("action", "code", "data", "dataPeriod", "purpose", "securityLabel")
"""What narrows a permit and is not read: such a permit would grant more than was said."""

EMERGENCY_CODES: Final = {
    "BTG": EMERGENCY_OPPOSED,
    "ETREAT": EMERGENCY_OPPOSED,
    "ERTREAT": REGULATION_OPPOSED,
}

_PEOPLE: Final = {
    "Encounter": (("participant", "individual"), ENCOUNTER),
    "Appointment": (("participant", "actor"), APPOINTMENT),
    "ServiceRequest": (("performer",), ORDER),
    "CareTeam": (("participant", "member"), CARE_TEAM),
    "Patient": (("generalPractitioner",), CARE_TEAM),
}
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
    path, kind = found
    start, end = _window(resource, now)
    if kind == ENCOUNTER and _codes(resource.get("class")) & {"IMP", "ACUTE", "NONAC", "EMER"}:
        kind = STAY
    runs = kind == STAY and resource.get("status") in _RUNNING
    said = now if runs or (end is not None and kind != CARE_TEAM) else 0
    actors = {actor for node in _at(resource, path) if (actor := actor_of(node, resolve))}
    return [
        TeamFact(actor, kind, start, end, structure, imported=imported, source=source, said=said)
        for actor in sorted(actors)
    ]


def mandate(related: dict[str, Any], id_: str, now: Instant) -> Mandate | None:
    """Give the mandate of a RelatedPerson who is active; None when it names no representative."""
    if related.get("active") is False:
        return None
    codes = {code for concept in _list(related.get("relationship")) for code in _codings(concept)}
    if not codes & {"GUARD", "MTH", "FTH", "PRN", "NPRN", "POWATT", "RESPRSN", "HPOWATT"}:
        return None
    start, end = _window(related, now)
    return Mandate(f"proxy:{id_}", REPRESENTATIVE, start, end)


def choices(
    consent: dict[str, Any], id_: str, now: Instant, recorded_by: str, resolve: Resolve, base: str = ""
) -> list[Choice]:
    """Give the choices of a Consent in force: deny by actor, item or category, or permit one professional.

    A Consent that denies and names nothing opposes all sharing. One that says something this version
    does not read denies all too: unknown means refused. A permit that is narrower than what this version
    reads grants nothing; an exception that denies counts below a permit too. `base` is this server's FHIR
    address: an item that is named below it, or by a version, is the item itself.
    """
    if consent.get("status") != "active":
        return []
    about_sharing = PRIVACY in _codings(consent.get("scope"))
    made: dict[tuple[str, str, str, str, int, int | None], None] = {}
    for provision in _provisions(consent.get("provision") or {}):
        start, end = _window(provision, now)
        actors = [actor_of(one.get("reference") or {}, resolve) for one in _list(provision.get("actor"))]
        if provision.get("type") != "permit":
            said = _denials(provision, actors)
        else:
            said = _permits(provision, actors) if about_sharing else []
        made |= dict.fromkeys((*one, start, end) for one in said)
    return [
        Choice(f"Consent/{id_}#{place}", kind, actor, category, _local(item, base), start, end, recorded_by)
        for place, (kind, actor, category, item, start, end) in enumerate(made)
    ]


def _local(item: str, base: str) -> str:
    return item.removeprefix(f"{base}/" if base else "").partition("/_history/")[0]


def _provisions(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the rule of a Consent, then its exceptions that deny; one that permits again is not read."""
    yield root
    waiting = _list(root.get("provision"))
    while waiting:
        exception = waiting.pop()
        waiting += _list(exception.get("provision"))
        if exception.get("type") != "permit":
            yield exception


def _permits(provision: dict[str, Any], actors: list[str]) -> list[tuple[str, str, str, str]]:
    if any(provision.get(name) for name in _NARROWER):
        return []
    categories, known = _categories(provision)
    if not known:
        return []
    named = [actor for actor in actors if actor] if actors else [""]
    return [(CONSENT, actor, category, "") for actor in named for category in categories or [""]]


def _denials(provision: dict[str, Any], actors: list[str]) -> list[tuple[str, str, str, str]]:
    items = [str((one.get("reference") or {}).get("reference", "")) for one in _list(provision.get("data"))]
    purposes = {code for coding in _list(provision.get("purpose")) for code in _codes(coding)}
    doors = [(EMERGENCY_CODES[code], "", "", "") for code in sorted(purposes & EMERGENCY_CODES.keys())]
    if items:
        return [(MASKED, "", "", item) for item in items]
    if doors and purposes <= EMERGENCY_CODES.keys():
        return doors
    categories, known = _categories(provision)
    if categories and known:
        said = [(OPPOSED_CATEGORY, actor, one, "") for one in categories for actor in actors or [""]]
    elif actors:
        said = [(BLOCKED, actor, "", "") for actor in actors]
    else:
        said = [(OPPOSED, "", "", "")]
    return [*doors, *said]


def _categories(provision: dict[str, Any]) -> tuple[list[str], bool]:
    """Give the categories that a provision names, and whether this version knows each of them."""
    classes = _list(provision.get("class"))
    ours = [str(coding.get("code")) for coding in classes if coding.get("system") == CATEGORY_SYSTEM]
    return ours, len(ours) == len(classes) and CATEGORIES.issuperset(ours)


def provision_of(choice: Choice) -> dict[str, Any]:
    """Write a choice as the provision of a Consent that `choices` reads back; {} for a consent that ends.

    What forbids is written without its end, so that it never forbids less.
    """
    granting = choice.kind == CONSENT
    if granting and choice.end is not None:
        return {}
    doors = [code for code, kind in EMERGENCY_CODES.items() if kind == choice.kind]
    said: dict[str, Any] = {"type": "permit" if granting else "deny"}
    if choice.kind == MASKED:
        said["data"] = [{"meaning": "instance", "reference": {"reference": choice.item}}]
    if choice.category:
        said["class"] = [{"system": CATEGORY_SYSTEM, "code": choice.category}]
    if doors:
        said["purpose"] = [{"system": PURPOSE_SYSTEM, "code": code} for code in doors]
    if choice.actor or choice.kind == BLOCKED:
        who = {"identifier": {"system": rpps.SYSTEM, "value": choice.actor.removeprefix("rpps:")}}
        named = who if choice.actor else {"display": "?"}
        said["actor"] = [{"role": {"text": choice.kind}, "reference": named}]
    return said


def actor_of(reference: dict[str, Any], resolve: Resolve) -> str:
    """Name the professional behind a Reference: by RPPS where it says one, else by resolving it."""
    identifier = reference.get("identifier")
    if isinstance(identifier, dict):
        number = str(identifier.get("value", ""))
        if rpps.is_rpps(number):
            return f"rpps:{number}"
    target = reference.get("reference")
    return resolve(target) if isinstance(target, str) and target.startswith("Practitioner") else ""


def _window(resource: dict[str, Any], now: Instant) -> tuple[int, int | None]:
    """Give when it begins and ends, in ms; a resource without a date begins now."""
    period = resource.get("period") or {}
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
    for child in _list(value.get(path[0]) if isinstance(value, dict) else None):
        yield from _at(child, path[1:])


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _codings(concept: Any) -> set[str]:
    return {code for coding in _list((concept or {}).get("coding")) for code in _codes(coding)}


def _codes(coding: Any) -> set[str]:
    code = coding.get("code") if isinstance(coding, dict) else None
    return {code} if isinstance(code, str) else set()
