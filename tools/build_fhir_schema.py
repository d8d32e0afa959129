"""Build `serment/fhir/data/r4-schema.json.gz` from the official R4 StructureDefinitions.

    npm pack hl7.fhir.r4.examples@4.0.1
    python tools/build_fhir_schema.py hl7.fhir.r4.examples-4.0.1.tgz

The package (CC0, HL7) holds every base definition as `package/StructureDefinition-*.json`. Each type
becomes one definition, each nested element another, named by its full path, so that none collide.
The output holds `schema` (JSON Schema draft 4, where `1.0` is not an integer) and `choices` (object →
element name → choice element), and is the same bytes for the same input.
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
TARGET = Path(__file__).resolve().parents[1] / "serment" / "fhir" / "data" / "r4-schema.json.gz"
VERSION = "4.0.1"

_YEAR = "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP_YEAR = "([0-9][0-9](0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"({_YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_NO_BLANK = "[^ \\t\\r\\n]+"

# FHIR R4 2.24.0.1. White space is the four ASCII characters, as in the validators that read these
# expressions: the no-break space of French texts is a letter here. Days exist in the calendar.
PRIMITIVES: dict[str, Schema] = {
    "boolean": {"type": "boolean"},
    "decimal": {"type": "number"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "string": {"type": "string", "minLength": 1, "maxLength": 2**20},
    "markdown": {"type": "string", "minLength": 1, "maxLength": 2**20},
    "xhtml": {"type": "string", "minLength": 1},
    "id": {"type": "string", "pattern": r"[A-Za-z0-9\-\.]{1,64}"},
    "code": {"type": "string", "pattern": f"{_NO_BLANK}([ \\t\\r\\n]{_NO_BLANK})*"},
    "uri": {"type": "string", "pattern": _NO_BLANK},
    "url": {"type": "string", "pattern": _NO_BLANK},
    "canonical": {"type": "string", "pattern": _NO_BLANK},
    "oid": {"type": "string", "pattern": r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+"},
    "uuid": {
        "type": "string",
        "pattern": "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    },
    "base64Binary": {"type": "string", "pattern": r"([ \t\r\n]*[0-9a-zA-Z+/=]{4}[ \t\r\n]*)+"},
    "date": {"type": "string", "pattern": f"({_YEAR}(-(0[1-9]|1[0-2]))?|{_DAY})"},
    "dateTime": {"type": "string", "pattern": f"({_YEAR}(-(0[1-9]|1[0-2]))?|{_DAY}(T{_TIME}{_ZONE})?)"},
    "instant": {"type": "string", "pattern": f"{_DAY}T{_TIME}{_ZONE}"},
    "time": {"type": "string", "pattern": _TIME},
}
_WITHOUT_TWIN = {"xhtml"}
"""Primitive types that carry no extension (FHIR R4 2.24.0.1)."""


def main() -> None:
    definitions = read_definitions(Path(sys.argv[1]))
    output = {"version": VERSION, "schema": schema_of(definitions), "choices": choices_of(definitions)}
    compact = json.dumps(output, separators=(",", ":"), sort_keys=True).encode()
    TARGET.write_bytes(gzip.compress(compact, 9, mtime=0))
    print(f"{TARGET.name}: {len(compact)} bytes, {TARGET.stat().st_size} compressed")


def read_definitions(package: Path) -> dict[str, Schema]:
    """Read the base definitions: type name → StructureDefinition. Profiles and logical models are left."""
    definitions = {}
    with tarfile.open(package) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or not member.name.startswith("package/StructureDefinition-"):
                continue
            definition = json.load(content)
            if definition.get("derivation") == "constraint" or definition["kind"] == "logical":
                continue
            if definition["fhirVersion"] != VERSION:
                raise SystemExit(f"{member.name} is not of {VERSION}")
            definitions[definition["type"]] = definition
    return definitions


def schema_of(definitions: dict[str, Schema]) -> Schema:
    """Build the whole schema. An instance is wrapped as `{type: resource}`: one lookup finds its rules."""
    defs: Schema = {}
    for name, primitive in PRIMITIVES.items():
        rule = dict(primitive)
        if "pattern" in rule:
            rule["pattern"] = f"^(?:{rule['pattern']})$"
        defs[name] = rule
        defs[f"{name}?"] = {**rule, "type": [rule["type"], "null"]}
    defs["Resource"] = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    }
    resources = []
    for name, definition in sorted(definitions.items()):
        if definition["kind"] == "primitive-type" or name in {"Resource", "DomainResource"}:
            continue
        defs.update(objects_of(definition))
        if definition["kind"] == "resource" and not definition["abstract"]:
            resources.append(name)
    defs["Element?"] = {**defs["Element"], "type": ["object", "null"]}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {name: _ref(name) for name in resources},
        "additionalProperties": False,
        "definitions": defs,
    }


def objects_of(definition: Schema) -> dict[str, Schema]:
    """Build one closed object for the type and one for each element that has elements of its own."""
    elements = definition["snapshot"]["element"][1:]
    owners = {element["path"].rpartition(".")[0] for element in elements}
    objects = {}
    for owner in owners | {definition["type"]}:
        mine = [element for element in elements if element["path"].rpartition(".")[0] == owner]
        is_resource = definition["kind"] == "resource" and owner == definition["type"]
        objects[owner] = object_of(owner, mine, owners, is_resource=is_resource)
    return objects


def object_of(name: str, elements: list[Schema], owners: set[str], *, is_resource: bool) -> Schema:
    properties: Schema = {}
    needed: list[list[str]] = []
    if is_resource:
        properties["resourceType"] = {"enum": [name]}
        needed.append(["resourceType"])
    for element in elements:
        found = properties_of(element, owners, is_resource=is_resource)
        properties.update(found)
        if element["min"] > 0:
            needed.append(list(found))
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": properties,
        **_needs(needed),
    }


def _needs(needed: list[list[str]]) -> Schema:
    """Ask for each required element: by its value, or by its `_` twin, or by one of its types."""
    plain = [names[0] for names in needed if len(names) == 1]
    either = [{"anyOf": [{"required": [name]} for name in names]} for names in needed if len(names) > 1]
    return ({"required": plain} if plain else {}) | ({"allOf": either} if either else {})


def properties_of(element: Schema, owners: set[str], *, is_resource: bool) -> Schema:
    """Give the JSON members that one element may be written as."""
    path = element["path"]
    last = path.rpartition(".")[2]
    is_array = element["max"] != "1"
    if "contentReference" in element:
        return {last: _many(_ref(element["contentReference"].removeprefix("#")), is_array=is_array)}
    if path in owners:
        return {last: _many(_ref(path), is_array=is_array)}
    found: Schema = {}
    for kind in element["type"]:
        name = last.removesuffix("[x]") + (_capital(kind["code"]) if last.endswith("[x]") else "")
        found |= _typed(name, kind, is_array=is_array, is_resource_id=is_resource and last == "id")
    return found


def _typed(name: str, kind: Schema, *, is_array: bool, is_resource_id: bool) -> Schema:
    code = kind["code"]
    if code.startswith("http://hl7.org/fhirpath/"):  # ids and Extension.url: attributes, no twin
        return {name: _ref("id" if is_resource_id else kind["extension"][0]["valueUrl"])}
    if code not in PRIMITIVES:
        return {name: _many(_ref(code), is_array=is_array)}
    if code in _WITHOUT_TWIN:
        return {name: _ref(code)}
    null = "?" if is_array else ""
    return {
        name: _many(_ref(code + null), is_array=is_array),
        f"_{name}": _many(_ref("Element" + null), is_array=is_array),
    }


def choices_of(definitions: dict[str, Schema]) -> dict[str, dict[str, str]]:
    """Map, for every object with choice elements, each name to its element: `valueString` → `value[x]`."""
    choices: dict[str, dict[str, str]] = {}
    for definition in definitions.values():
        for element in definition["snapshot"]["element"]:
            owner, _, last = element["path"].rpartition(".")
            if last.endswith("[x]"):
                for kind in element["type"]:
                    name = last.removesuffix("[x]") + _capital(kind["code"])
                    choices.setdefault(owner, {})[name] = last
    return choices


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _many(item: Schema, *, is_array: bool) -> Schema:
    return {"type": "array", "minItems": 1, "items": item} if is_array else item


def _capital(code: str) -> str:
    return code[0].upper() + code[1:]


if __name__ == "__main__":
    main()
