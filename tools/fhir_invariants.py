"""Invariants of the official definitions, translated from FHIRPath to JSON Schema draft 4.

R4 writes each rule as FHIRPath. Most of them say that members stand together, exclude each other, or have
one of a few values: the schema says that as well, at the speed of the schema. What this translator does
not read is left out, and told. Order: tokens, the parser, paths to schemas.

A rule that FHIRPath leaves empty (a comparison with something absent) is not met, as in the HL7 validator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
ALWAYS: Schema = {}
UCUM = "http://unitsofmeasure.org"

SAME_AS: dict[str, tuple[str, str]] = {
    "bdl-3": (
        "Bundle",
        "(type in ('batch' | 'transaction' | 'history') and entry.all(request.exists()))"
        " or ((type in ('batch' | 'transaction' | 'history')).not() and entry.request.empty())",
    ),
    "bdl-4": (
        "Bundle",
        "(type in ('batch-response' | 'transaction-response' | 'history') and entry.all(response.exists()))"
        " or ((type in ('batch-response' | 'transaction-response' | 'history')).not()"
        " and entry.response.empty())",
    ),
    "bdl-8": ("Bundle.entry", "fullUrl.matches('/_history/').not()"),
    "app-4": ("Appointment", "cancelationReason.exists() implies (status='no-show' or status='cancelled')"),
    "ipn-1": ("InsurancePlan", "identifier.exists() or name.exists()"),
    "org-1": ("Organization", "identifier.exists() or name.exists()"),
    "org-2": ("Organization", "address.where(use = 'home').empty()"),
    "org-3": ("Organization", "telecom.where(use = 'home').empty()"),
    "cpb-2": (
        "CapabilityStatement",
        "description.exists() or software.exists() or implementation.exists()",
    ),
    "tcp-2": (
        "TerminologyCapabilities",
        "description.exists() or software.exists() or implementation.exists()",
    ),
    "qrs-1": ("QuestionnaireResponse.item", "answer.empty() or item.empty()"),
    "que-1": (
        "Questionnaire.item",
        "(type='group' implies item.exists()) and (type='display' implies item.empty())",
    ),
}
"""Rules said again in words that the translator reads, with the definition they stand on then; each says
what the official expression says."""


def _first_entry_is(kind: str, bundle: str) -> Schema:
    is_kind = {
        "required": ["resource"],
        "properties": {"resource": {"properties": {"resourceType": {"enum": [kind]}}}},
    }
    first = {"required": ["entry"], "properties": {"entry": {"items": [is_kind]}}}
    return {"anyOf": [{"not": {"properties": {"type": {"enum": [bundle]}}}}, first]}


BY_HAND: dict[str, Schema] = {
    "bdl-11": _first_entry_is("Composition", "document"),
    "bdl-12": _first_entry_is("MessageHeader", "message"),
    "ras-2": {"properties": {"probabilityDecimal": {"maximum": 100}}},
}
"""Rules written as schemas, on the definition where R4 puts them."""

_TOKEN = re.compile(
    r"\s*(?:('(?:[^'\\]|\\.)*')|([0-9]+(?:\.[0-9]+)?)|(%?[A-Za-z_$][A-Za-z_0-9]*)|(!=|<=|>=|[().=<>|,]))"
)


class LeftOutError(Exception):
    """An expression that this translator does not read."""


@dataclass(frozen=True)
class Member:
    """One element below another: JSON names it may have, type, whether it repeats, and its rules' place."""

    names: tuple[str, ...]
    type: str
    many: bool
    primitive: bool


Elements = Callable[[str, str], Member | None]
"""From (definition, element) to the member; None when the definition has no such element."""


def translate(expression: str, definition: str, elements: Elements) -> Schema:
    """Give the schema of one rule on one object of a definition. Raises `LeftOutError`."""
    reader = _Reader(_tokens(expression), definition, elements)
    found = reader.implies()
    if reader.peek():
        raise LeftOutError(expression)
    return found


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise LeftOutError(text)
        tokens.append(match[0].strip())
        at = match.end()
    return tokens


def both(*schemas: Schema) -> Schema:
    return {"allOf": list(schemas)}


def either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def negated(schema: Schema) -> Schema:
    return schema["not"] if set(schema) == {"not"} else {"not": schema}


def differ(one: Schema, other: Schema) -> Schema:
    return {"oneOf": [one, other]}


Path = list[tuple[str, Schema]]
"""Steps from the object: a name, and what `where` asks of the node found there."""


class _Reader:
    """A reader of one expression, by recursive descent. `here` is the definition that names start from."""

    def __init__(self, tokens: list[str], here: str, elements: Elements) -> None:
        self.tokens, self.at, self.here, self.elements = tokens, 0, here, elements

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if not token or (expected and token not in expected):
            raise LeftOutError(token)
        self.at += 1
        return token

    def implies(self) -> Schema:
        left = self.or_()
        while self.peek() == "implies":
            self.take()
            left = either(negated(left), self.or_())
        return left

    def or_(self) -> Schema:
        left = self.and_()
        while self.peek() in {"or", "xor"}:
            left = either(left, self.and_()) if self.take() == "or" else differ(left, self.and_())
        return left

    def and_(self) -> Schema:
        left = self.equal()
        while self.peek() == "and":
            self.take()
            left = both(left, self.equal())
        return left

    def equal(self) -> Schema:
        """Read two truths compared with each other, or one of them."""
        left = self.truth()
        if self.peek() == "!=":
            self.take()
            return differ(left, self.truth())
        if self.peek() == "=":
            self.take()
            return negated(differ(left, self.truth()))
        return left

    def truth(self) -> Schema:
        if self.peek() == "(":
            self.take()
            found = self.implies()
            self.take(")")
        else:
            found = self.path()
        while self.peek() == ".":
            self.take()
            self.take("not")
            self.take("(")
            self.take(")")
            found = negated(found)
        return found

    def path(self) -> Schema:
        """Read a path and what is said of it at its end."""
        start, steps = self.here, list[tuple[str, Schema]]()
        while True:
            name = self.take()
            if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name):
                raise LeftOutError(name)
            if self.peek() == "(":
                found = self.function(name, start, steps)
                if found is not None:
                    return found
            else:
                steps.append((name, ALWAYS))
            if self.peek() != ".":
                return self.comparison(start, steps)
            self.take()

    def function(self, name: str, start: str, steps: Path) -> Schema | None:
        """Read a function call; None when the path goes on after it."""
        self.take("(")
        if name in {"where", "all"}:
            asked = self.inside(start, steps)
            self.take(")")
            if name == "all":
                return negated(self.some(start, steps, negated(asked)))
            if not steps:
                raise LeftOutError(name)
            steps[-1] = (steps[-1][0], asked if steps[-1][1] == ALWAYS else both(steps[-1][1], asked))
            return None
        if name in {"startsWith", "matches"}:
            text = self.literal()
            self.take(")")
            pattern = re.escape(text).replace(r"\-", "-") if name == "startsWith" else text
            return self.some(start, steps, {"pattern": f"^{pattern}" if name == "startsWith" else pattern})
        self.take(")")
        if name in {"exists", "hasValue"}:
            return self.some(start, steps, ALWAYS, valued=name == "hasValue")
        if name == "empty":
            return negated(self.some(start, steps, ALWAYS))
        if name == "count":
            return self.counted(start, steps)
        raise LeftOutError(name)

    def inside(self, start: str, steps: Path) -> Schema:
        """Read the criterion of `where` or `all`, which stands on the element that the steps lead to."""
        self.here, before = self.type_at(start, steps), self.here
        found = self.implies()
        self.here = before
        return found

    def counted(self, start: str, steps: Path) -> Schema:
        if len(steps) != 1:
            raise LeftOutError("count")
        sign, number = self.take("<=", ">"), int(self.literal_number())
        member = self.member(start, steps[0][0])
        if not member.many:
            raise LeftOutError("count")
        name = member.names[0]
        more = {"required": [name], "properties": {name: {"minItems": number + 1}}}
        return more if sign == ">" else negated(more)

    def comparison(self, start: str, steps: Path) -> Schema:
        """Read what a value is compared with; a bare path is a boolean that must be true."""
        sign = self.peek()
        if sign in {"=", "!="} and self.at + 1 < len(self.tokens):
            self.take()
            one = {"enum": [self.literal()]}
            return self.some(start, steps, one if sign == "=" else negated(one))
        if sign == "in":
            self.take()
            return self.some(start, steps, {"enum": self.literals()})
        if sign in {"<", "<=", ">", ">="}:
            return self.some(start, steps, _bounded(self.take(), float(self.literal_number())))
        return self.some(start, steps, {"enum": [True]})

    def literals(self) -> list[Any]:
        self.take("(")
        found = [self.literal()]
        while self.peek() == "|":
            self.take()
            found.append(self.literal())
        self.take(")")
        return found

    def literal(self) -> Any:
        token = self.take()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        known = {"true": True, "false": False, "%ucum": UCUM}
        if token in known:
            return known[token]
        if token.isdigit():
            return int(token)
        raise LeftOutError(token)

    def literal_number(self) -> str:
        token = self.take()
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", token):
            raise LeftOutError(token)
        return token

    def member(self, definition: str, name: str) -> Member:
        found = self.elements(definition, name)
        if found is None:
            raise LeftOutError(f"{definition}.{name}")
        return found

    def type_at(self, start: str, steps: Path) -> str:
        for name, _ in steps:
            start = self.member(start, name).type
        return start

    def some(self, start: str, steps: Path, asked: Schema, *, valued: bool = False) -> Schema:
        """Say that some node at the end of the path is as `asked`. A primitive stands by its twin too."""
        if not steps:
            raise LeftOutError("$this")
        (name, where), *rest = steps
        member = self.member(start, name)
        deeper = self.some(member.type, rest, asked, valued=valued) if rest else asked
        checks = [one for one in (where, deeper) if one != ALWAYS]
        then = both(*checks) if len(checks) > 1 else next(iter(checks), ALWAYS)
        found = [_standing(one, then, many=member.many) for one in member.names]
        if then == ALWAYS and member.primitive and not valued:
            found += [{"required": [f"_{one}"]} for one in member.names]
        return found[0] if len(found) == 1 else either(*found)


def _standing(name: str, then: Schema, *, many: bool) -> Schema:
    """Say that a member stands, and that it, or one of its items, is as asked."""
    if then == ALWAYS:
        return {"required": [name]}
    value = {"not": {"items": negated(then)}} if many else then
    return {"required": [name], "properties": {name: value}}


def _bounded(sign: str, number: float) -> Schema:
    bound = "minimum" if sign.startswith(">") else "maximum"
    exact: Schema = {bound: int(number)}
    if not sign.endswith("="):
        exact["exclusiveMinimum" if bound == "minimum" else "exclusiveMaximum"] = True
    return exact
