"""Is this a resource of FHIR R4: shape and values.

In this order: (1) the type is one of R4; (2) the generated schema, for the resource and for each
resource inside it; (3) at most one `value[x]` for each choice element; (4) arrays of primitives are
paired with their `_` twin. Bindings, reference targets, narrative and invariants are not judged here.
A fault says where and which rule; it never says the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

from serment.errors import InvalidResourceError
from serment.fhir import schema
from serment.fhir.document import Document

MAX_ISSUES = 100
"""Faults listed for one resource: the answer stays readable, and as cheap as the question."""

_SENTENCES = {
    "additionalProperties": "fhir.unknown-element",
    "required": "fhir.missing-element",
    "anyOf": "fhir.missing-element",
    "type": "fhir.wrong-type",
    "pattern": "fhir.wrong-form",
    "minLength": "fhir.empty",
    "minItems": "fhir.empty",
    "minProperties": "fhir.empty",
    "maxLength": "fhir.too-long",
    "minimum": "fhir.out-of-range",
    "maximum": "fhir.out-of-range",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: the FHIRPath of the element and the id of a sentence."""

    expression: str
    sentence: str


def check(document: Document) -> None:
    """Refuse a resource that breaks the shape or the values of R4.

    Raises `InvalidResourceError` with the FHIRPath of the first fault found.
    """
    if _is_sound(document):
        return
    for issue in issues(document):
        raise InvalidResourceError(issue.sentence, issue.expression)


def issues(document: Document) -> list[Issue]:
    """List the faults of a resource, at most `MAX_ISSUES`; empty when it is valid."""
    return list(islice(_issues(document.type, document.value, document.type), MAX_ISSUES))


def _is_sound(document: Document) -> bool:
    """Answer fast, without saying where: most resources are valid."""
    valid = schema.validator().is_valid
    if document.type not in schema.resource_types() or not valid({document.type: document.value}):
        return False
    for _, inner in _inner_resources(document.type, document.value, ""):
        kind = inner.get("resourceType")
        if kind not in schema.resource_types() or not valid({kind: inner}):
            return False
    return not _may_break_code_rules(document)


def _issues(kind: Any, value: dict[str, Any], path: str) -> Iterator[Issue]:
    if kind not in schema.resource_types():
        yield Issue(path, "fhir.unknown-type")
        return
    sound = True
    for error in schema.validator().iter_errors({kind: value}):
        sound = False
        yield _schema_issue(error, path)
    if sound:
        yield from _code_issues(value, kind, path)
    for inner_path, inner in _inner_resources(kind, value, path):
        yield from _issues(inner.get("resourceType"), inner, inner_path)


def _inner_resources(kind: str, value: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk the resources that stand directly inside a resource: contained, bundle entries, parameters."""
    yield from _objects(value.get("contained"), f"{path}.contained")
    if kind == "Bundle":
        for entry_path, entry in _objects(value.get("entry"), f"{path}.entry"):
            yield from _object(entry.get("resource"), f"{entry_path}.resource")
            for response_path, response in _object(entry.get("response"), f"{entry_path}.response"):
                yield from _object(response.get("outcome"), f"{response_path}.outcome")
    elif kind == "Parameters":
        yield from _of_parameters(value.get("parameter"), f"{path}.parameter")


def _of_parameters(parameters: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for parameter_path, parameter in _objects(parameters, path):
        yield from _object(parameter.get("resource"), f"{parameter_path}.resource")
        yield from _of_parameters(parameter.get("part"), f"{parameter_path}.part")


def _objects(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _object(item, f"{path}[{index}]")


def _object(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value


def _schema_issue(error: jsonschema_rs.ValidationError, path: str) -> Issue:
    """Turn a schema error into place and sentence. Names that R4 does not know are not repeated."""
    where = path + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path[1:]
    )
    kind = error.kind
    match kind:
        case jsonschema_rs.ValidationErrorKind.Required(property=name):
            where += f".{name}"
        case jsonschema_rs.ValidationErrorKind.AnyOf(context=context):
            where += f".{_missing(context)}"
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=[name, *_]):
            where += f".{name}" if name in schema.element_names() else ""
    return Issue(where, _SENTENCES.get(kind.name, "fhir.wrong-form"))


def _missing(context: list[list[jsonschema_rs.ValidationError]]) -> str:
    """Name the element that none of the alternatives has: its own name, or `value[x]`."""
    names = [str(error.kind.value) for branch in context for error in branch]
    plain = [name for name in names if not name.startswith("_")]
    if len(plain) == 1:
        return plain[0]
    common = names[0]
    for name in plain:
        while not name.startswith(common):
            common = common[:-1]
    return f"{common}[x]"


def _may_break_code_rules(document: Document) -> bool:
    """Say whether the exact walk is needed: two names of one choice, a null, or a list of twins."""
    if "null" in document.text:
        return True
    names = schema.choice_names().keys()
    twins = '"_' in document.text
    waiting: list[Any] = [document.value]
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            if not names.isdisjoint(node) and _is_crowded(node):
                return True
            if twins and any(name[0] == "_" and type(node[name]) is list for name in node):
                return True
            waiting.extend(child for child in node.values() if type(child) is dict or type(child) is list)
        elif type(node) is list:
            waiting.extend(node)
    return False


def _is_crowded(node: dict[str, Any]) -> bool:
    """Say whether two members have names of one choice, whatever the type: the exact walk then judges."""
    choice_of = schema.choice_names()
    used: dict[str, str] = {}
    for written in node:
        name = written.removeprefix("_")
        if name in choice_of and used.setdefault(choice_of[name], name) != name:
            return True
    return False


def _code_issues(value: Any, definition: str, path: str) -> Iterator[Issue]:
    """Walk one resource with its definitions and give the faults that the schema does not see."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _code_issues(item, definition, f"{path}[{index}]")
    elif isinstance(value, dict):
        yield from _choice_issues(value, definition, path)
        yield from _pairing_issues(value, path)
        for name, child in value.items():
            inner = schema.definition_of(definition, name)
            if inner and inner != "Resource":
                yield from _code_issues(child, inner, f"{path}.{name}")


def _choice_issues(value: dict[str, Any], definition: str, path: str) -> Iterator[Issue]:
    choices = schema.choices_of(definition)
    used: dict[str, str] = {}
    for written in value:
        name = written.removeprefix("_")
        if name in choices and used.setdefault(choices[name], name) != name:
            yield Issue(f"{path}.{choices[name]}", "fhir.several-values")


def _pairing_issues(value: dict[str, Any], path: str) -> Iterator[Issue]:
    """Pair arrays of primitives with their twins: same length, and at each place a value or an extension."""
    for written, items in value.items():
        if not isinstance(items, list):
            continue
        name = written.removeprefix("_")
        twin = value.get(name if written.startswith("_") else f"_{name}")
        if twin is None:
            paired = None not in items
        else:
            paired = len(items) == len(twin) and all(
                one is not None or other is not None for one, other in zip(items, twin, strict=True)
            )
        if not paired:
            yield Issue(f"{path}.{name}", "fhir.unpaired")
