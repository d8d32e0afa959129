"""Is this a resource of FHIR R4: shape, values, codes, targets, invariants, narrative.

In this order: (1) the type is one of R4; (2) the generated schema, for the resource and for each
resource inside it, with the required bindings, the types that references lead to and the invariants that
a schema can say; (3) at most one `value[x]` for each choice element; (4) arrays of primitives are
paired with their `_` twin; (5) the invariants that compare values, and the narrative. Profiles are not
judged, nor are warnings of R4, extensible bindings, or whether a reference leads anywhere.
A fault says where and which rule; it never says the value.

What comes in is judged: a write, an import (which keeps what it refuses, with the reason), a patch once
it is applied. What is stored is never judged again: a record stays readable whatever the rules become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import jsonschema_rs

from serment.errors import InvalidResourceError
from serment.fhir import invariants, schema
from serment.fhir.document import Document

MAX_ISSUES = 100
"""Faults listed for one resource: the answer stays readable."""
MAX_LISTED = 64 * 1024
"""Length of text up to which all faults are looked for: a list of a million is no help and costs seconds."""

_CONTAINED = ".contained["
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


_OF_RULES = {"binding": "fhir.unknown-code", "target": "fhir.wrong-target"}
_SPOKEN = "ait-1 ait-2 att-1 cmp-1 con-4 con-5 cpt-2 dom-3 ext-1 obs-6 obs-7 pat-1 per-1 ref-1 rng-2"
_SAID = frozenset(_SPOKEN.split())
"""Invariants that have a sentence of their own; the others are said by their key."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: the FHIRPath of the element, the id of a sentence, the key of the invariant broken or ""."""

    expression: str
    sentence: str
    rule: str = ""

    @classmethod
    def of_rule(cls, expression: str, rule: str) -> Issue:
        """Make the fault of a rule that has a name."""
        if "." in rule:
            return cls(expression, rule)
        if rule in _OF_RULES:
            return cls(expression, _OF_RULES[rule])
        return cls(expression, f"fhir.rule-{rule}" if rule in _SAID else "fhir.rule", rule)


def check(document: Document) -> None:
    """Refuse a resource that breaks the shape or the values of R4.

    Raises `InvalidResourceError` with the FHIRPath of the first fault found.
    """
    if _is_sound(document):
        return
    for issue in _issues(document.type, document.value, document.type, _first_error):
        raise InvalidResourceError(issue.sentence, issue.expression, rule=issue.rule)


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
    return (
        _fits_schema(document.type, document.value)
        and not _may_break_code_rules(document)
        and not (
            invariants.concerns(document.value, document.text)
            and _breaks_invariant(document.type, document.value)
        )
    )


def _fits_schema(kind: Any, value: dict[str, Any]) -> bool:
    return (
        _is_type(kind)
        and schema.validator().is_valid({kind: value})
        and all(
            _fits_schema(inner.get("resourceType"), inner) for _, inner in _inner_resources(kind, value, "")
        )
    )


def _is_type(kind: Any) -> bool:
    return isinstance(kind, str) and kind in schema.resource_types()


def _breaks_invariant(kind: str, value: dict[str, Any]) -> bool:
    return any(True for _ in invariants.faults(value, "")) or any(
        _breaks_invariant(str(inner["resourceType"]), inner)
        for path, inner in _inner_resources(kind, value, "")
        if not path.startswith(_CONTAINED)
    )


def _first_error(instance: dict[str, Any]) -> Iterator[jsonschema_rs.ValidationError]:
    """Give the first schema error only: the validator stops there."""
    try:
        schema.validator().validate(instance)
    except jsonschema_rs.ValidationError as error:
        yield error


def _issues(
    kind: Any, value: dict[str, Any], path: str, errors: _Errors, within: str | None = None
) -> Iterator[Issue]:
    """Give the faults of one resource and of those inside it; `within` is the path of what holds it."""
    is_contained = within is not None and path.startswith(within + _CONTAINED)
    if not _is_type(kind):
        yield Issue(path, "fhir.unknown-type")
        return
    sound = True
    for error in errors({kind: value}):
        sound = False
        if error.kind.name != "enum" or isinstance(error.instance, str):  # else its type is said already
            yield _schema_issue(error, path)
    if sound:
        yield from _code_issues(value, kind, path)
    for inner_path, inner in _inner_resources(kind, value, path):
        for issue in _issues(inner.get("resourceType"), inner, inner_path, errors, path):
            sound = False  # what compares values looks at nothing of another shape
            yield issue
    if sound and not is_contained:
        for place, rule in invariants.faults(value, path):
            yield Issue.of_rule(place, rule)


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
    rule = schema.rule_at(error.schema_path[:-1])
    if rule and kind.name != "type" and (rule, kind.name) != ("binding", "pattern"):
        return Issue.of_rule(where, rule)
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
    """Say whether the exact walk is needed: a null, a `_` twin, two names of one choice, a broken rule."""
    if "null" in document.text or '"_' in document.text:
        return True
    return _is_suspect(document.value, schema.choice_names(), schema.choice_set(), _watched())


@cache
def _watched() -> frozenset[str]:
    return schema.choice_set() | invariants.MARKS


def _is_suspect(
    node: dict[str, Any], choice_of: dict[str, str], choices: frozenset[str], watched: frozenset[str]
) -> bool:
    """Say whether some object has two names of one choice, in whatever type, or breaks a rule."""
    if not watched.isdisjoint(node):
        chosen = [choice_of[name] for name in node if name in choices]
        if len(set(chosen)) < len(chosen):
            return True
        if not invariants.MARKS.isdisjoint(node) and invariants.breaks(node):
            return True
    for child in node.values():
        if type(child) is dict:
            if _is_suspect(child, choice_of, choices, watched):
                return True
        elif type(child) is list:
            for item in child:
                if type(item) is dict and _is_suspect(item, choice_of, choices, watched):
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
