"""What a Consent says that a decision reads: the patient's choices (pure).

Order: reading a Consent, what it denies, what it permits, its parts, and writing a choice back. Who may say
it is decided by the writer (`record/choices`); here only what is said. What is denied and not read denies
more, never less; what is permitted and not read permits nothing. The cases of IHE's Privacy Consent on FHIR
are in `tests/conformance/test_pcf.py` (ADR 41).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final, NamedTuple

from serment.access.from_people import proxy_of
from serment.access.from_resources import Resolve, actor_of, codes, codings, many, window
from serment.access.record_facts import (
    BLOCKED,
    CONSENT,
    EMERGENCY_OPPOSED,
    HEIRS_OPPOSED,
    MASKED,
    OPPOSED,
    OPPOSED_CATEGORY,
    OPPOSED_PART,
    REGULATION_OPPOSED,
    RESEARCH_OPPOSED,
    Choice,
)
from serment.errors import TooLargeError
from serment.fhir.consent import PURPOSES
from serment.identity import rpps
from serment.model import Category, Instant, Label, Purpose

CATEGORY_SYSTEM: Final = "urn:serment:category"
CATEGORIES: Final = frozenset(category.value for category in Category)
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SENSITIVITY: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PRIVACY: Final = "patient-privacy"
"""The one scope of a Consent that shares a record (HL7 consentscope); no other grants anything."""

MOST_CHOICES: Final = 500
"""Words in one Consent: facts are read at every request on the record."""

_NOT_READ: Final = ("action", "code", "dataPeriod")
"""What narrows a permit and is not read: such a permit would grant more than was said."""

EMERGENCY_CODES: Final = {
    "BTG": EMERGENCY_OPPOSED,
    "ETREAT": EMERGENCY_OPPOSED,
    "ERTREAT": REGULATION_OPPOSED,
}
RESEARCH_CODES: Final = (
    "HRESCH",
    "BIORCH",
    "CLINTRCH",
    "CLINTRCHNPC",
    "CLINTRCHPC",
    "DSRCH",
    "POARCH",
    "PRECLINTRCH",
    "TRANSRCH",
)
"""Research and every kind of it (v3-ActReason): who opposes one kind is left out of all."""

HEIRS: Final = "SERMENT_HEIRS"
HEIRS_SYSTEM: Final = "urn:serment:purpose"
"""To object to heirs (CSP L1110-4 V) has no code of HL7: ours."""

_APART: Final = EMERGENCY_CODES | dict.fromkeys(RESEARCH_CODES, RESEARCH_OPPOSED) | {HEIRS: HEIRS_OPPOSED}
"""Purposes that are opposed by a choice of their own, apart from sharing for care."""

_COVERS: Final = {
    "TREAT": (
        Purpose.TREAT,
        Purpose.COORDINATION,
        Purpose.EMERGENCY,
        Purpose.BREAK_GLASS,
        Purpose.EMERGENCY_ROOM,
    ),
    "COC": (Purpose.COORDINATION,),
    "ETREAT": (Purpose.EMERGENCY, Purpose.BREAK_GLASS),
    "BTG": (Purpose.BREAK_GLASS,),
    "ERTREAT": (Purpose.EMERGENCY_ROOM,),
    "HOPERAT": (Purpose.PATIENT_ADMINISTRATION, Purpose.RECORD_MANAGEMENT),
    "PATADMIN": (Purpose.PATIENT_ADMINISTRATION,),
    "RECORDMGT": (Purpose.RECORD_MANAGEMENT,),
}
"""Purposes that a consent to share may name, each with its kinds in v3-ActReason; others give nothing."""

_LEVELS: Final = {"R": ("R", "V"), "V": ("V",)}
"""Confidentiality that may be denied alone: with it, all that is more protected."""

_SENSITIVE: Final = frozenset(
    label.value
    for label in (
        Label.GENETIC,
        Label.PSYCHIATRY,
        Label.HIV,
        Label.SEXUALITY,
        Label.SUBSTANCE_ABUSE,
        Label.VIOLENCE,
    )
)
_LABELS: Final = _SENSITIVE | {Label.NORMAL.value, Label.RESTRICTED.value, Label.VERY_RESTRICTED.value}
"""Labels that a permit may name: it is for items that bear no other."""

_KINDS_OF: Final = {"ETHUD": "ETH", "OPIOIDUD": "ETH"}
"""Finer codes than an item's label says: to deny one denies the whole."""


class Said(NamedTuple):
    """One choice that a provision makes, without its dates."""

    kind: str
    actor: str = ""
    category: str = ""
    item: str = ""
    author: str = ""
    labels: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


class _Data(NamedTuple):
    """What `provision.data` points at. `known` is false when one of them is not read."""

    items: list[str]
    authors: list[str]
    known: bool


def choices(
    consent: dict[str, Any], id_: str, now: Instant, recorded_by: str, resolve: Resolve, base: str = ""
) -> list[Choice]:
    """Give the choices of a Consent in force: deny by actor, item, author, label or category; or permit.

    A Consent that denies and names nothing opposes all sharing. One that says something this version
    does not read denies all too: unknown means refused. A permit that is narrower than what this version
    reads grants nothing; an exception that denies counts below a permit too. `base` is this server's FHIR
    address: an item that is named below it, or by a version, is the item itself. Raises `TooLargeError`.
    """
    if consent.get("status") != "active":
        return []
    about_sharing = PRIVACY in codings(consent.get("scope"))
    made: dict[tuple[Said, int, int | None], None] = {}
    for provision in _provisions(consent.get("provision") or {}):
        start, end = window(provision, now)
        if provision.get("type") != "permit":
            said = _denials(provision, resolve)
        else:
            said = _permits(provision, resolve) if about_sharing else []
        made |= dict.fromkeys((one._replace(item=_local(one.item, base)), start, end) for one in said)
    return [
        Choice(
            f"Consent/{id_}#{place}", one.kind, one.actor, one.category, one.item, start, end, recorded_by,
            one.author, one.labels, one.purposes,
        )
        for place, (one, start, end) in enumerate(made)
    ]  # fmt: skip


def _local(item: str, base: str) -> str:
    return item.removeprefix(f"{base}/" if base else "").partition("/_history/")[0]


def _provisions(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the rule of a Consent, then its exceptions that deny; one that permits again is not read."""
    yield root
    waiting = [*many(root.get("provision"))]
    while waiting:
        exception = waiting.pop()
        waiting += many(exception.get("provision"))
        if exception.get("type") != "permit":
            yield exception


# What a provision denies.


def _denials(provision: dict[str, Any], resolve: Resolve) -> list[Said]:
    purposes = _codes_of(provision, "purpose")
    apart = [Said(kind) for kind in sorted({_APART[code] for code in purposes & _APART.keys()})]
    data = _data(provision, resolve)
    masks = [Said(MASKED, item=item) for item in data.items]
    if masks and data.known and not data.authors:
        return masks
    if apart and purposes <= _APART.keys():
        return [*masks, *apart]
    return [*masks, *apart, *_opposed(provision, data, _actors(provision, resolve))]


def _opposed(provision: dict[str, Any], data: _Data, actors: list[str]) -> list[Said]:
    """Give an opposition as narrow as it is read: what is not read of it makes it wider."""
    categories, labels = _categories(provision), _denied_labels(provision)
    known = data.known and categories is not None and labels is not None
    if known and (data.authors or labels):
        named = _combined(actors, categories or [], data.authors)
        return [Said(OPPOSED_PART, *one[:2], author=one[2], labels=labels or ()) for one in named]
    if known and categories:
        return [Said(OPPOSED_CATEGORY, *one[:2]) for one in _combined(actors, categories, [])]
    return [Said(BLOCKED, actor) for actor in actors] or [Said(OPPOSED)]


def _denied_labels(provision: dict[str, Any]) -> tuple[str, ...] | None:
    """Give the labels that a denial reaches; None when it names one that this version does not read."""
    found: set[str] = set()
    for code in _codes_of(provision, "securityLabel", unread="?"):
        reached = _LEVELS.get(code, (_KINDS_OF.get(code, code),))
        if not _SENSITIVE.union(*_LEVELS.values()).issuperset(reached):
            return None
        found.update(reached)
    return tuple(sorted(found))


# What a provision permits.


def _permits(provision: dict[str, Any], resolve: Resolve) -> list[Said]:
    data, categories, purposes = _data(provision, resolve), _categories(provision), _covered(provision)
    labels = _codes_of(provision, "securityLabel", unread="?")
    unread = any(provision.get(name) for name in _NOT_READ) or not data.known or not labels <= _LABELS
    if unread or data.items or categories is None or purposes is None:
        return []
    actors = [actor_of(one, resolve) or proxy_of(one) for one in _named(provision)]
    named = list(dict.fromkeys(actor for actor in actors if actor))
    if actors and not named:
        return []
    return [
        Said(CONSENT, *one[:2], author=one[2], labels=tuple(sorted(labels)), purposes=purposes)
        for one in _combined(named, categories, data.authors)
    ]


def _covered(provision: dict[str, Any]) -> tuple[str, ...] | None:
    """Give the purposes that a permit covers, () for every purpose; None when it names none that we know."""
    said = _codes_of(provision, "purpose", unread="?")
    covered = {one.value for code in said for one in _COVERS.get(code, ())}
    return None if said and not covered else tuple(sorted(covered))


# The parts of a provision.


def _actors(provision: dict[str, Any], resolve: Resolve) -> list[str]:
    """Name the actors of a provision, "" for one that nobody knows."""
    return list(dict.fromkeys(actor_of(one, resolve) for one in _named(provision)))


def _named(provision: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the references to the actors of a provision. Only a permit names somebody near the patient."""
    return [one.get("reference") or {} for one in many(provision.get("actor"))]


def _data(provision: dict[str, Any], resolve: Resolve) -> _Data:
    """Read what a provision points at: items by id, and what somebody wrote."""
    items: list[str] = []
    authors: list[str] = []
    known = True
    for one in many(provision.get("data")):
        reference = one.get("reference") or {}
        if one.get("meaning") == "instance":
            items.append(str(reference.get("reference", "")))
        elif one.get("meaning") == "authoredby" and (author := actor_of(reference, resolve)):
            authors.append(author)
        else:
            known = False
    return _Data(items, list(dict.fromkeys(authors)), known)


def _categories(provision: dict[str, Any]) -> list[str] | None:
    """Give the categories that a provision names, None when this version does not know one of them."""
    classes = many(provision.get("class"))
    ours = [str(one.get("code")) for one in classes if one.get("system") == CATEGORY_SYSTEM]
    known = len(ours) == len(classes) and CATEGORIES.issuperset(ours)
    return list(dict.fromkeys(ours)) if known else None


def _codes_of(provision: dict[str, Any], member: str, unread: str = "") -> set[str]:
    """Give the codes of a member, with `unread` for each coding that has none."""
    said = [codes(coding) or {unread} for coding in many(provision.get(member))]
    return set().union(*said)


def _combined(actors: list[str], categories: list[str], authors: list[str]) -> Iterator[tuple[str, str, str]]:
    """Give every actor × category × author, "" for what is not named. Raises `TooLargeError`."""
    named = (actors or [""], categories or [""], authors or [""])
    if len(named[0]) * len(named[1]) * len(named[2]) > MOST_CHOICES:
        raise TooLargeError("record.too-many-choices", most=MOST_CHOICES)
    return product(*named)


# Writing a choice back.


def provision_of(choice: Choice) -> dict[str, Any]:
    """Write a choice as the provision of a Consent that `choices` reads back; {} for a consent that ends.

    What forbids is written without its end, so that it never forbids less.
    """
    granting = choice.kind == CONSENT
    if granting and choice.end is not None:
        return {}
    apart = [code for code, kind in _APART.items() if kind == choice.kind]
    said: dict[str, Any] = {"type": "permit" if granting else "deny"}
    if choice.kind == MASKED:
        said["data"] = [{"meaning": "instance", "reference": {"reference": choice.item}}]
    if choice.author:
        said["data"] = [{"meaning": "authoredby", "reference": _professional(choice.author)}]
    if choice.category:
        said["class"] = [{"system": CATEGORY_SYSTEM, "code": choice.category}]
    if choice.labels:
        said["securityLabel"] = [{"system": _system(label), "code": label} for label in choice.labels]
    if apart or choice.purposes:
        said["purpose"] = [_purpose(code) for code in (*apart, *choice.purposes)]
    if choice.actor or choice.kind == BLOCKED:
        named = _reference(choice.actor) if choice.actor else {"display": "?"}
        said["actor"] = [{"role": {"text": choice.kind}, "reference": named}]
    return said


def _purpose(code: str) -> dict[str, str]:
    return {"system": HEIRS_SYSTEM if code == HEIRS else PURPOSES, "code": code}


def _reference(actor: str) -> dict[str, Any]:
    kind, _, id_ = actor.partition(":")
    return {"reference": f"RelatedPerson/{id_}"} if kind == "proxy" else _professional(actor)


def _professional(actor: str) -> dict[str, Any]:
    return {"identifier": {"system": rpps.SYSTEM, "value": actor.removeprefix("rpps:")}}


def _system(label: str) -> str:
    return SENSITIVITY if label in _SENSITIVE else CONFIDENTIALITY
