"""What this door serves, type by type: the one table behind `metadata` and behind the routes.

A clinical search names its patient, so a type that no parameter ties to a patient is read and written
but not searched. A trace is never written from outside. Everything listed here is driven by a test.
"""

from __future__ import annotations

from functools import cache

from serment.fhir import capability, compartment
from serment.fhir.owner import DIRECTORY_TYPES, NEVER_WRITTEN, owner_rules
from serment.model import Instant

READ_ONLY = frozenset({"AuditEvent"})
"""Types that are read and searched, and never written from outside."""

OWN_ONLY = frozenset({"Subscription"})
"""Types of which everybody has their own: no history, no criteria."""

OURS = "urn:serment:operation:"
_R4 = "http://hl7.org/fhir/OperationDefinition/"
OPERATIONS = {
    "CodeSystem": {"validate-code": f"{_R4}CodeSystem-validate-code"},
    "AuditEvent": {"verify-integrity": f"{OURS}verify-integrity"},
    "Patient": {
        "everything": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
        "confirm-attending": f"{OURS}confirm-attending",
        "declare-act": f"{OURS}declare-act",
        "legal-declaration": f"{OURS}legal-declaration",
        "identity-proof": f"{OURS}identity-proof",
        "insi-accept": f"{OURS}insi-accept",
        "insi-search": f"{OURS}insi-search",
        "export": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
        "summary": "http://hl7.org/fhir/uv/ips/OperationDefinition/summary",
        "explain-access": f"{OURS}explain-access",
        "emergency-access": f"{OURS}emergency-access",
        "find-as-typed": f"{OURS}find-as-typed",
        "close-collision": f"{OURS}close-collision",
        "duplicates": f"{OURS}duplicates",
        "keep-apart": f"{OURS}keep-apart",
        "merge": "http://hl7.org/fhir/OperationDefinition/Patient-merge",
        "report-collision": f"{OURS}report-collision",
        "split": f"{OURS}split",
        "undo-merge": f"{OURS}undo-merge",
    },
    "Practitioner": {"declared-acts": f"{OURS}declared-acts"},
    "ValueSet": {
        "expand": f"{_R4}ValueSet-expand",
        "validate-code": f"{_R4}ValueSet-validate-code",
    },
}
"""Operations by type: name without `$`, and what defines it. A test holds them and the routes together."""

FOR_ALL = {"validate": f"{_R4}Resource-validate"}
"""Operations of every type that is kept."""


@cache
def served_types() -> frozenset[str]:
    """List the types that this server keeps: those that have a patient owner or stand in the directory."""
    kept = {type_ for type_, rule in owner_rules().items() if rule.rule != "none"}
    return frozenset(kept - NEVER_WRITTEN)


@cache
def searched_types() -> frozenset[str]:
    """List the types that are searched: a parameter names their patient, or the directory has them."""
    return frozenset(type_ for type_ in served_types() if _names_patient(type_))


def _names_patient(type_: str) -> bool:
    if type_ == "Patient" or type_ in DIRECTORY_TYPES:
        return True
    return bool(compartment.owner_codes(type_) or compartment.mention_codes(type_))


def statement(version: str, started: Instant, base: str) -> bytes:
    """Write the CapabilityStatement of this door."""
    return capability.statement(
        version,
        started,
        base,
        served_types() | READ_ONLY | OWN_ONLY,
        unsearched=served_types() - searched_types(),
        read_only=READ_ONLY,
        own_only=OWN_ONLY,
        operations={**OPERATIONS, **{one: {**OPERATIONS.get(one, {}), **FOR_ALL} for one in served_types()}},
    )
