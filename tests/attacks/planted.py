"""Resources that carry a mark in every element that FHIR R4 gives their type.

Made from the schema itself: no element is forgotten because nobody thought of it. A choice element
takes one of its types, another one for each `variant`. Every text holds `MARK`; dates, numbers and
identifiers that cannot hold one have a value that stands nowhere else; a code of a required list is one
of that list. Where an invariant of R4 lets two elements not stand together, one of them is taken away,
another one for each `variant`.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from serment.fhir.document import read
from serment.fhir.owner import owner_rules
from serment.fhir.validate import Issue, issues

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
        inside = {"reference": f"#{MARK}1"}
        made["extension"] = [
            {"url": f"urn:{MARK}", "valueString": _TEXT},
            {"url": f"urn:{MARK}", "valueReference": inside},
        ]
        made["contained"] = [{"resourceType": "Organization", "id": f"{MARK}1", "name": _TEXT}]
    made["meta"] = {"tag": [{"system": f"urn:{MARK}", "code": MARK, "display": _TEXT}]}
    if type_ == "MolecularSequence":
        made["coordinateSystem"] = variant % 2
    if type_ == "Binary":
        made["contentType"] = f"text/{MARK.lower()}"
    rule = owner_rules()[type_]
    if rule.rule in {"patient", "target"}:
        _own(made, rule.paths[0].split("."), patient)
    return _kept_to_the_rules(made, variant)


def _kept_to_the_rules(made: dict[str, Any], variant: int) -> dict[str, Any]:
    """Take away what must not stand beside something else, one member at a time."""
    while found := _faults(made):
        steps = _steps(found[0])
        nodes = [
            node for end in range(len(steps), -1, -1) if isinstance(node := _at(made, steps[:end]), dict)
        ]
        assert any(_lightened(node, made, found[0], variant) for node in nodes), found[0]
    return made


def _faults(made: dict[str, Any]) -> list[Issue]:
    return issues(read(json.dumps(made).encode()))


def _steps(issue: Issue) -> list[str | int]:
    return [int(one) if one.isdigit() else one for one in re.findall(r"\w+(?:\[x\])?", issue.expression)][1:]


def _at(node: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str) and step not in node:
            return None
        node = node[step]
    return node


def _lightened(node: dict[str, Any], made: dict[str, Any], fault: Issue, variant: int) -> bool:
    """Take one member away if that mends a fault and leaves nothing missing; say whether one was found."""
    names = [name for name in node if name != "resourceType"]
    turned = names[variant % len(names) :] + names[: variant % len(names)] if names else []
    for name in turned:
        value = node.pop(name)
        after = _faults(made)
        if fault not in after and all(one.sentence != "fhir.missing-element" for one in after):
            return True
        node[name] = value
    return False


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
    whole = str(shape.get("$ref", "")).removeprefix("#/definitions/").removesuffix("?")
    name, _, narrowed = whole.partition("-")
    if narrowed and name != "Reference":
        return _bound(whole, name, variant)
    if name in _PRIMITIVES:
        return _PRIMITIVES[name]
    if name == "Reference":
        targets = narrowed.split("-") if narrowed else ["Practitioner"]
        return {"reference": f"{targets[variant % len(targets)]}/{MARK}", "display": _TEXT}
    if name in path or name in {"Resource", "Element", "Extension", ""} or len(path) > 5:
        return None
    return _object(name, variant, (*path, name)) or None


_SYNTAX = {"mimetypes": f"text/{MARK.lower()}", "all-languages": "fr-FR", "currencies": "EUR"}


def _bound(whole: str, name: str, variant: int) -> Any:
    """Take a code of a required list; say the rest in words."""
    rule = _content()["schema"]["definitions"][whole]
    if name == "CodeableConcept":
        some = rule["allOf"][-1]["anyOf"][0]["properties"]["coding"]["not"]["items"]["not"]["anyOf"]
        listed = some[variant % len(some)]["properties"]
        coding = {key: one["enum"][variant % len(one["enum"])] for key, one in listed.items()}
        return {"coding": [{**coding, "display": _TEXT}], "text": _TEXT}
    if "enum" in rule:
        return rule["enum"][variant % len(rule["enum"])]
    return _SYNTAX.get(whole.partition("-")[2], f"text/{MARK.lower()}")


def _own(value: dict[str, Any], path: list[str], patient: str) -> None:
    for name in path[:-1]:
        inner = value[name]
        value = inner[0] if isinstance(inner, list) else inner
    last = path[-1]
    owner = {"reference": f"Patient/{patient}", "display": _TEXT}
    value[last] = [owner] if isinstance(value.get(last), list) else owner
