"""Resources that carry a mark in every element that FHIR R4 gives their type.

Made from the schema itself: no element is forgotten because nobody thought of it. A choice element
takes one of its types, another one for each `variant`. Every text holds `MARK`; dates, numbers and
identifiers that cannot hold one have a value that stands nowhere else.
"""

from __future__ import annotations

import base64
import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from serment.fhir.owner import owner_rules

MARK = "canari7Zq"
DATE = "1907-03-17"
NUMBER = "7391.204588137"
INTEGER = 739120458
UUID = "urn:uuid:ca4a7127-7391-4204-8581-37ca4a712773"
TIME = "03:17:42.7391204"
NEEDLES = (MARK, DATE, NUMBER, str(INTEGER), UUID.removeprefix("urn:uuid:"), TIME)

_TEXT = f"un {MARK} jaune"
_PRIMITIVES: dict[str, Any] = {
    "string": _TEXT,
    "markdown": _TEXT,
    "xhtml": f'<div xmlns="http://www.w3.org/1999/xhtml">{_TEXT}</div>',
    "code": MARK,
    "id": MARK,
    "uri": f"https://{MARK}.example/u",
    "url": f"https://{MARK}.example",
    "canonical": f"urn:{MARK}",
    "oid": "urn:oid:1.2.739120458",
    "uuid": UUID,
    "base64Binary": base64.b64encode(_TEXT.encode()).decode(),
    "date": DATE,
    "dateTime": f"{DATE}T{TIME}Z",
    "instant": f"{DATE}T{TIME}Z",
    "time": TIME,
    "decimal": float(NUMBER),
    "integer": INTEGER,
    "positiveInt": INTEGER,
    "unsignedInt": INTEGER,
    "boolean": True,
}
_LEFT_OUT = frozenset({"contained", "implicitRules", "modifierExtension"})


@cache
def _content() -> dict[str, Any]:
    packed = (files("serment.fhir") / "data" / "r4-schema.json.gz").read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(packed))
    return content


def types() -> list[str]:
    """List the types that this server keeps."""
    return sorted(type_ for type_, rule in owner_rules().items() if rule.rule != "none")


def planted(type_: str, patient: str, variant: int = 0) -> dict[str, Any]:
    """Make one resource of a type, in the record of a patient, with a mark in every element."""
    made: dict[str, Any] = {"resourceType": type_, **_object(type_, variant, (type_,))}
    if type_ != "Binary":
        made["extension"] = [{"url": f"urn:{MARK}", "valueString": _TEXT}]
        made["contained"] = [{"resourceType": "Organization", "id": f"{MARK}1", "name": _TEXT}]
    made["meta"] = {"tag": [{"system": f"urn:{MARK}", "code": MARK, "display": _TEXT}]}
    if type_ == "Binary":
        made["contentType"] = f"text/{MARK.lower()}"
    rule = owner_rules()[type_]
    if rule.rule in {"patient", "target"}:
        _own(made, rule.paths[0].split("."), patient)
    return made


def _object(definition: str, variant: int, path: tuple[str, ...]) -> dict[str, Any]:
    properties: dict[str, Any] = _content()["schema"]["definitions"][definition]["properties"]
    choices: dict[str, str] = _content()["choices"].get(definition, {})
    wanted = _chosen(choices, variant)
    made: dict[str, Any] = {}
    for name, shape in properties.items():
        if name.startswith("_") or name in _LEFT_OUT or name in {"extension", "resourceType"}:
            continue
        if name in choices and name not in wanted:
            continue
        value = _value(shape, variant, path)
        if value is not None:
            made[name] = value
    return made


def _chosen(choices: dict[str, str], variant: int) -> set[str]:
    """Take one name of each choice element."""
    by_element: dict[str, list[str]] = {}
    for name, element in sorted(choices.items()):
        by_element.setdefault(element, []).append(name)
    return {names[variant % len(names)] for names in by_element.values()}


def _value(shape: dict[str, Any], variant: int, path: tuple[str, ...]) -> Any:
    if "items" in shape:
        inner = _value(shape["items"], variant, path)
        return None if inner is None else [inner]
    name = str(shape.get("$ref", "")).removeprefix("#/definitions/").removesuffix("?")
    if name in _PRIMITIVES:
        return _PRIMITIVES[name]
    if name == "Reference":
        return {"reference": f"Practitioner/{MARK}", "display": _TEXT}
    if name in path or name in {"Resource", "Element", "Extension", ""} or len(path) > 5:
        return None
    return _object(name, variant, (*path, name)) or None


def _own(value: dict[str, Any], path: list[str], patient: str) -> None:
    for name in path[:-1]:
        inner = value[name]
        value = inner[0] if isinstance(inner, list) else inner
    last = path[-1]
    owner = {"reference": f"Patient/{patient}", "display": _TEXT}
    value[last] = [owner] if isinstance(value.get(last), list) else owner
