"""What this door serves, type by type: the one table behind `metadata` and behind the routes.

A clinical search names its patient, so a type that no parameter ties to a patient is read and written
but not searched. A trace is never written from outside. Everything listed here is driven by a test.
"""

from __future__ import annotations

from functools import cache

from serment.fhir import capability, compartment
from serment.fhir.owner import DIRECTORY_TYPES, NEVER_WRITTEN, owner_rules
from serment.model import Instant


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
        version, started, base, served_types(), unsearched=served_types() - searched_types()
    )
