"""The patient compartment (R4 compartmentdefinition-patient.html): who a resource is about or involves.

Membership grants nothing here: the owner of a resource comes from another table, and patients named
elsewhere are mentions. Data: `data/compartments.json`, from the official definition. Order: the
definition, the parameters that name the owner in a search, membership. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from serment.fhir import search

OWNER_CODES: Final = frozenset({"patient", "subject", "beneficiary", "individual"})
"""Codes by which a search names whose record is asked, when they may name a Patient."""


@cache
def definition() -> Mapping[str, tuple[str, ...]]:
    """Give resource type → codes of the parameters that put a resource in a patient's compartment."""
    text = (files(__package__) / "data" / "compartments.json").read_text("utf-8")
    return {name: tuple(codes) for name, codes in json.loads(text).items()}


@cache
def owner_codes(resource_type: str) -> frozenset[str]:
    """Give the codes of a type that say whose record is searched."""
    found = search.searched(resource_type)
    return frozenset(c for c in OWNER_CODES if c in found and found[c].may_name("Patient"))


@cache
def mention_codes(resource_type: str) -> frozenset[str]:
    """Give the other codes of the type's patient compartment, such as `performer` or `recorder`.

    None for Patient itself: `link` names another person's record, not the one that is searched.
    """
    if resource_type == "Patient":
        return frozenset()
    codes = definition().get(resource_type, ())
    return frozenset(codes) & frozenset(search.searched(resource_type)) - owner_codes(resource_type)


def patients(resource: Mapping[str, Any]) -> frozenset[str]:
    """Give the ids of every patient in whose compartment a resource is (local references only)."""
    kind = str(resource.get("resourceType", ""))
    codes = definition().get(kind, ())
    values: dict[str, Any] = msgspec.msgpack.decode(search.index(dict(resource))) if codes else {}
    named = {value[0] for code in codes for value in values.get(code, ())}
    found = {str(name).removeprefix("Patient/") for name in named if str(name).startswith("Patient/")}
    if kind == "Patient" and isinstance(resource.get("id"), str):
        found.add(resource["id"])
    return frozenset(found)


def is_member(resource: Mapping[str, Any], patient: str) -> bool:
    """Say whether a resource is in the compartment of the patient with that id."""
    return patient in patients(resource)
