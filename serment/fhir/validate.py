"""Is this a resource of FHIR R4: shape and values.

In this order: (1) the type is one of R4; (2) the generated schema, for the resource and for each
resource inside it; (3) at most one `value[x]` for each choice element; (4) arrays of primitives are
paired with their `_` twin. Bindings, reference targets, narrative and invariants are not judged here.
A fault says where and which rule; it never says the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

from serment.errors import InvalidResourceError
from serment.fhir import schema
from serment.fhir.document import Document

MAX_ISSUES = 100
"""Faults listed for one resource: the answer stays readable."""
MAX_LISTED = 64 * 1024
"""Length of text up to which all faults are looked for: a list of a million is no help and costs seconds."""

_Errors = Callable[[dict[str, Any]], Iterator[jsonschema_rs.ValidationError]]

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
    for issue in _issues(document.type, document.value, document.type, _first_error):
        raise InvalidResourceError(issue.sentence, issue.expression)


def issues(document: Document) -> list[Issue]:
    """List the faults of a resource, at most `MAX_ISSUES`; empty when it is valid.

    Over `MAX_LISTED` characters only the first fault of each resource inside is listed.
    """
    if _is_sound(document):
        return []
    errors = _first_error if len(document.text) > MAX_LISTED else schema.validator().iter_errors
    return list(islice(_issues(document.type, document.value, document.type, errors), MAX_ISSUES))


def _is_sound(document: Document) -> bool:
    """Answer fast, without saying where: most resources are valid."""
    return _fits_schema(document.type, document.value) and not _may_break_code_rules(document)


def _fits_schema(kind: Any, value: dict[str, Any]) -> bool:
    return (
        kind in schema.resource_types()
        and schema.validator().is_valid({kind: value})
        and all(
            _fits_schema(inner.get("resourceType"), inner) for _, inner in _inner_resources(kind, value, "")
        )
    )


def _first_error(instance: dict[str, Any]) -> Iterator[jsonschema_rs.ValidationError]:
    """Give the first schema error only: the validator stops there."""
    try:
        schema.validator().validate(instance)
    except jsonschema_rs.ValidationError as error:
        yield error


def _issues(kind: Any, value: dict[str, Any], path: str, errors: _Errors) -> Iterator[Issue]:
    if kind not in schema.resource_types():
        yield Issue(path, "fhir.unknown-type")
        return
    sound = True
    for error in errors({kind: value}):
        sound = False
        yield _schema_issue(error, path)
    if sound:
        yield from _code_issues(value, kind, path)
    for inner_path, inner in _inner_resources(kind, value, path):
        yield from _issues(inner.get("resourceType"), inner, inner_path, errors)


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
    """Name the element that is written in none of its ways: its own name, or `value[x]`."""
    name = str(context[0][0].kind.value)
    return schema.choice_names().get(name, name)


def _may_break_code_rules(document: Document) -> bool:
    """Say whether the exact walk is needed: a null, a `_` twin, or two names of one choice."""
    if "null" in document.text or '"_' in document.text:
        return True
    return _is_crowded(document.value, schema.choice_names(), schema.choice_set())


def _is_crowded(node: dict[str, Any], choice_of: dict[str, str], names: frozenset[str]) -> bool:
    """Say whether two members of some object have names of one choice, in whatever type."""
    if not names.isdisjoint(node):
        chosen = [choice_of[name] for name in node if name in names]
        if len(set(chosen)) < len(chosen):
            return True
    for child in node.values():
        if type(child) is dict:
            if _is_crowded(child, choice_of, names):
                return True
        elif type(child) is list:
            for item in child:
                if type(item) is dict and _is_crowded(item, choice_of, names):
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
