"""What the resources about people say that a decision reads: mandates, age, death, an alleged author (pure).

Order: the mandate of a RelatedPerson, the life of a Patient, the alleged author of a report of abuse, a carer
whom a Consent names. Who may say it is decided by the writer (`record/choices`); here only what is said.
What is said and not read grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from serment.access.categories import ALLEGED_AUTHOR
from serment.access.from_resources import Resolve, actor_of, codings, many, window
from serment.access.record_facts import BASES, HEIR, PARENTAL, REPRESENTATIVE, Mandate
from serment.fhir import dates
from serment.model import Category, Instant

BASIS_SYSTEM: Final = "urn:serment:mandate-basis"
"""Upon what a RelatedPerson acts, as a coding of `relationship` (docs/reference/fhir.md)."""

LIMITED_TO: Final = "urn:serment:mandate-category"
"""Extension of RelatedPerson, repeated: the categories that a judge leaves to a representative."""

EMANCIPATED: Final = "urn:serment:emancipated"
"""Extension of Patient: the date of an emancipation (Code civil 413-1, 413-6)."""

_REPRESENTING: Final = frozenset({"GUARD", "MTH", "FTH", "PRN", "NPRN", "POWATT", "RESPRSN", "HPOWATT"})
_CATEGORIES: Final = frozenset(category.value for category in Category)


# Mandates.


def mandate(related: dict[str, Any], id_: str, now: Instant) -> Mandate | None:
    """Give the mandate of a RelatedPerson who is active; None when it names no representative and no heir.

    Without a basis, who is said to be a parent or guardian stands for a minor. A basis that gives no access
    to health (property, safeguard, withdrawn), one that is unknown, or two at once give no mandate.
    """
    if related.get("active") is False:
        return None
    bases = {
        str(coding.get("code"))
        for concept in many(related.get("relationship"))
        for coding in many(concept.get("coding"))
        if coding.get("system") == BASIS_SYSTEM
    }
    start, end = window(related, now)
    if bases == {HEIR}:
        return Mandate(f"proxy:{id_}", HEIR, start, end)
    basis = _basis(related, bases)
    limits = _values(related, LIMITED_TO)
    if basis is None or not _CATEGORIES.issuperset(limits):
        return None
    return Mandate(f"proxy:{id_}", REPRESENTATIVE, start, end, tuple(sorted(limits)), basis)


def _basis(related: dict[str, Any], bases: set[str]) -> str | None:
    if len(bases) == 1 and bases <= BASES:
        return bases.pop()
    said = {code for concept in many(related.get("relationship")) for code in codings(concept)}
    return PARENTAL if not bases and said & _REPRESENTING else None


# The life of a Patient.


def emancipated(patient: dict[str, Any]) -> str:
    """Give the date of an emancipation as written, "" for none; one that is no date ends mandates too."""
    said = _values(patient, EMANCIPATED)
    return min(said) if said else ""


def deceased(patient: dict[str, Any], before: int | None, now: Instant) -> int | None:
    """Give the instant of a death in ms, None of the living or of a death that is still to come.

    A death without a date is dated by the first writing that says it (`before`, else `now`).
    """
    said = patient.get("deceasedDateTime")
    if isinstance(said, str):
        try:
            at = dates.parse(said)[0]
        except ValueError:
            return None
        return at if at <= now else None
    if patient.get("deceasedBoolean") is not True:
        return None
    return int(now) if before is None else before


# People whom a resource names.


def alleged_authors(resource: dict[str, Any], resolve: Resolve) -> list[str]:
    """Name the alleged authors of a report of abuse: professionals, or persons near the patient."""
    found = [one.get("valueReference") or {} for one in _extensions(resource, ALLEGED_AUTHOR)]
    return sorted({actor for one in found if (actor := actor_of(one, resolve) or proxy_of(one))})


def proxy_of(reference: dict[str, Any], base: str = "") -> str:
    """Name the proxy behind a reference to a RelatedPerson; "" for any other."""
    target = str(reference.get("reference", "")).removeprefix(f"{base}/" if base else "")
    type_, _, id_ = target.partition("/_history/")[0].partition("/")
    return f"proxy:{id_}" if type_ == "RelatedPerson" and id_ else ""


def _extensions(resource: dict[str, Any], url: str) -> Iterator[dict[str, Any]]:
    for one in many(resource.get("extension")):
        if isinstance(one, dict) and one.get("url") == url:
            yield one


def _values(resource: dict[str, Any], url: str) -> set[str]:
    """Give the coded or dated values of an extension; one of another form is a value that nobody reads."""
    return {str(one.get("valueCode") or one.get("valueDate") or "?") for one in _extensions(resource, url)}
