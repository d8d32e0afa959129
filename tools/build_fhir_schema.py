"""Build `serment/fhir/data/r4-schema.json.gz` from the official R4 StructureDefinitions.

    npm pack hl7.fhir.r4.examples@4.0.1
    python tools/build_fhir_schema.py hl7.fhir.r4.examples-4.0.1.tgz

The package (CC0, HL7) holds every base definition as `package/StructureDefinition-*.json`. Each type
becomes one definition, each nested element another, named by its full path, so that none collide. A type
that an element narrows is one more, `Type-what`: the codes of a required binding (`code-observation-status`),
the types that a reference may lead to (`Reference-Patient-Group`). Invariants stand in `allOf`; what judges
more than shape says its name in `title` (the invariant's key, `binding` or `target`).
The output holds `schema` (JSON Schema draft 4, where `1.0` is not an integer) and `choices` (object →
element name → choice element), and is the same bytes for the same input.
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tools import fhir_values
from tools.fhir_invariants import BY_HAND, SAME_AS, LeftOutError, Member, translate

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
    schema = schema_of(definitions, fhir_values.read(Path(sys.argv[1])))
    output = {"version": VERSION, "schema": schema, "choices": choices_of(definitions)}
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


def schema_of(definitions: dict[str, Schema], values: fhir_values.Package) -> Schema:
    """Build the whole schema. An instance is wrapped as `{type: resource}`: one lookup finds its rules."""
    defs: Schema = {}
    rules = rules_of(definitions)
    narrow = Narrowing(definitions, values)
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
        defs.update(objects_of(definition, narrow, rules))
        if definition["kind"] == "resource" and not definition["abstract"]:
            resources.append(name)
    narrow.complete(defs)
    defs["Element?"] = {**defs["Element"], "type": ["object", "null"]}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {name: _ref(name) for name in resources},
        "additionalProperties": False,
        "definitions": defs,
    }


def objects_of(definition: Schema, narrow: Narrowing, rules: Rules) -> dict[str, Schema]:
    """Build one closed object for the type and one for each element that has elements of its own."""
    elements = definition["snapshot"]["element"][1:]
    owners = {element["path"].rpartition(".")[0] for element in elements}
    objects = {}
    for owner in owners | {definition["type"]}:
        mine = [element for element in elements if element["path"].rpartition(".")[0] == owner]
        is_resource = definition["kind"] == "resource" and owner == definition["type"]
        found = object_of(owner, mine, owners, narrow, is_resource=is_resource)
        judged = found.get("allOf", []) + rules.get(owner, [])
        objects[owner] = found | ({"allOf": judged} if judged else {})
    return objects


def object_of(
    name: str, elements: list[Schema], owners: set[str], narrow: Narrowing, *, is_resource: bool
) -> Schema:
    properties: Schema = {}
    needed: list[list[str]] = []
    if is_resource:
        properties["resourceType"] = {"enum": [name]}
        needed.append(["resourceType"])
    for element in elements:
        found = properties_of(element, owners, narrow, is_resource=is_resource)
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


def properties_of(element: Schema, owners: set[str], narrow: Narrowing, *, is_resource: bool) -> Schema:
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
        narrowed = narrow.type_of(element, kind)
        found |= _typed(name, kind, narrowed, is_array=is_array, is_resource_id=is_resource and last == "id")
    return found


def _typed(name: str, kind: Schema, narrowed: str, *, is_array: bool, is_resource_id: bool) -> Schema:
    code = kind["code"]
    if code.startswith("http://hl7.org/fhirpath/"):  # ids and Extension.url: attributes, no twin
        return {name: _ref("id" if is_resource_id else kind["extension"][0]["valueUrl"])}
    if code not in PRIMITIVES:
        return {name: _many(_ref(narrowed), is_array=is_array)}
    if code in _WITHOUT_TWIN:
        return {name: _ref(code)}
    null = "?" if is_array else ""
    return {
        name: _many(_ref(narrowed + null), is_array=is_array),
        f"_{name}": _many(_ref("Element" + null), is_array=is_array),
    }


class Narrowing:
    """The types that elements narrow: by a binding or by the targets of a reference."""

    def __init__(self, definitions: dict[str, Schema], values: fhir_values.Package) -> None:
        self._resources = {name for name, one in definitions.items() if one["kind"] == "resource"}
        self._values = values
        self._made: dict[str, Schema] = {}

    def type_of(self, element: Schema, kind: Schema) -> str:
        """Give the name of the definition that one type of an element has, made on the way."""
        code = str(kind["code"])
        narrowed = code
        if code == "Reference":
            narrowed = self._reference(kind)
        elif code in {"code", "CodeableConcept"}:
            narrowed = self._bound(code, element.get("binding", {}))
        return narrowed

    def complete(self, defs: Schema) -> None:
        """Put the narrowed definitions beside the others; a narrowed object is the whole object, narrowed."""
        for name, rule in self._made.items():
            base = name.partition("-")[0]
            if base == "code":
                defs[name] = rule
                defs[f"{name}?"] = _or_null(rule)
            else:
                whole = defs[base]
                properties = whole["properties"] | rule.get("properties", {})
                defs[name] = whole | {"properties": properties}
                if "allOf" in rule:
                    defs[name]["allOf"] = whole.get("allOf", []) + rule["allOf"]

    def _reference(self, kind: Schema) -> str:
        targets = sorted({url.rpartition("/")[2] for url in kind.get("targetProfile", [])})
        if not targets or "Resource" in targets or not self._resources.issuperset(targets):
            return "Reference"
        name = "-".join(["Reference", *targets])
        self._made[name] = {"properties": _targets("|".join(targets))}
        return name

    def _bound(self, code: str, binding: Schema) -> str:
        url = _value_set(binding)
        short = url.rpartition("/")[2]
        if not url:
            return code
        name = f"{code}-{short.removesuffix('.txt')}"
        if short in fhir_values.SYNTAX:
            if code == "code":
                pattern = f"^(?:{fhir_values.SYNTAX[short]})$"
                self._made[name] = {"type": "string", "title": "binding", "pattern": pattern}
            return name if code == "code" else code
        try:
            codings = self._values.expanded(url)
        except fhir_values.NotListedError:
            print(f"not listed: {url}, bound to a {code}")
            return code
        enumerated = list(dict.fromkeys(one for _, one in codings))
        self._made[name] = (
            {"type": "string", "title": "binding", "enum": enumerated}
            if code == "code"
            else {"allOf": [_coded(codings)]}
        )
        return name


def _value_set(binding: Schema) -> str:
    """Give the value set that a code must come from: a required one, or the largest one allowed."""
    if binding.get("strength") == "required":
        return str(binding.get("valueSet", "")).partition("|")[0]
    largest = [
        one["valueCanonical"] for one in binding.get("extension", []) if one["url"].endswith("maxValueSet")
    ]
    found = str(largest[0]).partition("|")[0] if largest else ""
    return found if found.rpartition("/")[2] in fhir_values.SYNTAX else ""


def _targets(types: str) -> Schema:
    """Say what a reference may lead to: a local one names its type, any other tells nothing."""
    local = f"^(?:(?:{types})/|[^A-Z]|[A-Z][A-Za-z]*(?:[^A-Za-z/]|$))"
    typed = f"^(?:(?:{types})$|[^A-Z]|[A-Z][A-Za-z]*[^A-Za-z])"
    return {
        "reference": {"allOf": [_ref("string"), {"title": "target", "pattern": local}]},
        "type": {"allOf": [_ref("uri"), {"title": "target", "pattern": typed}]},
    }


def _coded(codings: list[fhir_values.Coding]) -> Schema:
    """Ask for a coding of the value set; a concept that says why it is absent, in an extension, has none."""
    by_system: dict[str, list[str]] = {}
    for system, code in codings:
        by_system.setdefault(system, []).append(code)
    either = [
        {
            "required": ["system", "code"],
            "properties": {"system": {"enum": [system]}, "code": {"enum": codes}},
        }
        for system, codes in by_system.items()
    ]
    some = {"required": ["coding"], "properties": {"coding": {"not": {"items": {"not": {"anyOf": either}}}}}}
    silent = {"not": {"anyOf": [{"required": ["coding"]}, {"required": ["text"]}]}}
    return {"title": "binding", "anyOf": [some, silent]}


def _or_null(rule: Schema) -> Schema:
    nullable = {**rule, "type": [rule["type"], "null"]}
    return nullable | ({"enum": [*rule["enum"], None]} if "enum" in rule else {})


Rules = dict[str, list[Schema]]
"""Definition → what it must keep, each with the key of the official invariant as its title."""


def rules_of(definitions: dict[str, Schema]) -> Rules:
    """Translate the invariants of severity `error`; tell those that are left out."""
    rules: Rules = {}
    elements = {e["path"]: e for one in definitions.values() for e in one["snapshot"]["element"]}
    find = partial(member_of, elements)
    resources = [n for n, one in definitions.items() if one["kind"] == "resource" and not one["abstract"]]
    for owner, key, expression in invariants(definitions):
        place, again = SAME_AS.get(key, (owner, expression))
        try:
            rule = BY_HAND.get(key) or translate(again, place, find)
        except LeftOutError:
            print(f"left out: {owner} {key}: {expression}")
            continue
        of_domain = [n for n in resources if n not in {"Bundle", "Binary", "Parameters"}]
        for name in of_domain if place == "DomainResource" else [place]:
            rules.setdefault(name, []).append({"title": key, **rule})
    return rules


def invariants(definitions: dict[str, Schema]) -> Iterator[tuple[str, str, str]]:
    """Walk the invariants of each type's own elements: definition, key, expression.

    `ele-1` (an element has a value or children) is what the schema says of every object already.
    """
    for name, definition in sorted(definitions.items()):
        for element in definition["snapshot"]["element"]:
            for one in element.get("constraint", []):
                source = str(one.get("source", "")).rpartition("/")[2]
                if one["severity"] == "error" and one["key"] != "ele-1" and source in {"", name}:
                    yield element["path"], one["key"], one["expression"]


def member_of(elements: dict[str, Schema], definition: str, name: str) -> Member | None:
    """Find an element by its name, a choice by its name without `[x]`; a resource inside by any resource."""
    definition = "Patient" if definition == "Resource" else definition
    choice = f"{definition}.{name}[x]" in elements
    element = elements.get(f"{definition}.{name}[x]" if choice else f"{definition}.{name}")
    if element is None:
        return None
    path, many = element["path"], element["max"] != "1"
    if "contentReference" in element:
        return Member((name,), element["contentReference"].removeprefix("#"), many, primitive=False)
    if any(other.startswith(f"{path}.") for other in elements):
        return Member((name,), path, many, primitive=False)
    kinds = [kind["code"] for kind in element["type"]]
    names = tuple(name + (_capital(kind) if choice else "") for kind in kinds)
    return Member(names, kinds[0], many, primitive=not PRIMITIVES.keys().isdisjoint(kinds))


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
