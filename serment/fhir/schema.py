"""The shape of every R4 type, as generated from the official StructureDefinitions.

`data/r4-schema.json.gz` is made by `tools/build_fhir_schema.py` from the definitions of R4 4.0.1 (HL7,
CC0; npm package `hl7.fhir.r4.examples`) and read once, at first use. Order: the
file, the compiled validator, the choice elements, the walk from an element to its definition, the rule
behind an error. The instance given to the validator is `{type: resource}`. No message is made here.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

_REFERENCE = "#/definitions/"


@cache
def _file() -> dict[str, Any]:
    packed = (files(__package__) / "data" / "r4-schema.json.gz").read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(packed))
    return content


@cache
def validator() -> jsonschema_rs.Validator:
    """Compile the schema, once. Patterns run on a linear-time engine: no text makes them slow."""
    return jsonschema_rs.Draft4Validator(_file()["schema"], pattern_options=jsonschema_rs.RegexOptions())


@cache
def resource_types() -> frozenset[str]:
    """Give the names of the R4 resource types that can be sent."""
    return frozenset(_file()["schema"]["properties"])


@cache
def choice_names() -> dict[str, str]:
    """Give every name that a choice element is written as in some type, twins included → the element."""
    names = {name: element for choices in _file()["choices"].values() for name, element in choices.items()}
    return names | {f"_{name}": element for name, element in names.items()}


@cache
def choice_set() -> frozenset[str]:
    """Give the same names as a set, which is faster to compare with the members of an object."""
    return frozenset(choice_names())


@cache
def element_names() -> frozenset[str]:
    """Give every member name that some type of R4 knows: such a name identifies nobody."""
    definitions = _file()["schema"]["definitions"].values()
    return frozenset(name for definition in definitions for name in definition.get("properties", ()))


def choices_of(definition: str) -> dict[str, str]:
    """Give name → choice element (`valueString` → `value[x]`) of one object; empty when it has none."""
    found: dict[str, str] = _file()["choices"].get(definition, {})
    return found


def definition_of(owner: str, member: str) -> str:
    """Give the name of the definition of a member's value ("" when the owner knows no such member)."""
    found = _file()["schema"]["definitions"].get(owner, {}).get("properties", {}).get(member, {})
    found = found.get("items", found)
    return str(found.get("$ref", "")).removeprefix(_REFERENCE).removesuffix("?").partition("-")[0]


def rule_at(path: list[str | int]) -> str:
    """Name the rule that stands at a place of the schema: an invariant's key, `binding`, `target`, or ""."""
    rule, here = "", _file()["schema"]
    for step in path:
        here = here[step]
        rule = here.get("title", rule) if isinstance(here, dict) else rule
    return str(rule)
