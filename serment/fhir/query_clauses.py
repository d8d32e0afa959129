"""One parameter of a search, read whole: its name, its modifier, its values.

Order: the clause, reading one, finding its parameter, composites. A name is repeated in an error only
when it is official or looks like one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from serment.errors import MalformedError, NotSupportedError
from serment.fhir import search
from serment.fhir.composite import pairings
from serment.fhir.query_values import (
    MODIFIERS,
    CompositeValue,
    Value,
    alternatives,
    is_target,
    modified,
    split,
    value_of,
)

_NAME = re.compile(r"[A-Za-z_:.-]{1,40}")

NOT_YET: Final = frozenset(
    {"_content", "_contained", "_containedType", "_filter", "_format", "_list", "_pretty", "_query"}
    | {"_score", "_text", "_type"}
)
"""Parameters of R4 itself that are refused. The door takes `_format` and `_pretty` out first."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One parameter of the query: an entry matches when one of its values agrees.

    `kind` is the resource type that it is asked of; `modifier` one of `MODIFIERS`, "" for none or for
    the type of a reference, which stands in its values. Under `not`, an entry matches when none agrees.
    """

    name: str
    code: str
    type: str
    values: tuple[Value, ...] = field(repr=False)
    implied: frozenset[str] = frozenset()
    kind: str = ""
    modifier: str = ""

    @property
    def text(self) -> str:
        """Write the values back."""
        return ",".join(value.text for value in self.values)

    def pair(self) -> tuple[str, str]:
        """Write the clause as a pair of a query string."""
        return self.name, self.text


def clause(resource_type: str, name: str, value: str, base: str) -> Clause:
    """Read a pair. Raises `NotSupportedError`, `MalformedError`, `TooLargeError`."""
    code, colon, modifier = name.partition(":")
    parameter = found(resource_type, code, name)
    typed = ""
    if colon and parameter.type == "reference" and is_target(parameter, modifier):
        typed, modifier = modifier, ""
    elif colon and (code in search.OF_THE_ENTRY or modifier not in MODIFIERS[parameter.type]):
        raise NotSupportedError("search.modifier-not-supported", parameter=code)
    texts = alternatives(code, value)
    values: list[Value] = []
    for text in texts:
        if parameter.type == "composite":
            values.append(_composite(resource_type, code, text, base))
        elif modifier:
            values.append(modified(parameter, modifier, text))
        else:
            values.append(value_of(parameter, text, typed, base))
    return Clause(name, code, parameter.type, tuple(values), parameter.implied, resource_type, modifier)


def found(resource_type: str, code: str, name: str) -> search.Parameter:
    """Find the parameter, or refuse it. Raises `NotSupportedError`."""
    parameter = search.parameters(resource_type).get(code)
    if code in NOT_YET:
        raise NotSupportedError("search.parameter-not-supported", parameter=code)
    if parameter is None:
        if _NAME.fullmatch(name):
            raise NotSupportedError("search.unknown-parameter", parameter=name, type=resource_type)
        raise NotSupportedError("search.unreadable-parameter", type=resource_type)
    if parameter.type not in search.SEARCHED_TYPES:
        raise NotSupportedError("search.type-not-supported", parameter=code, kind=parameter.type)
    if not search.is_searched(resource_type, parameter):
        raise NotSupportedError("search.parameter-not-supported", parameter=code)
    return parameter


def _composite(resource_type: str, code: str, text: str, base: str) -> CompositeValue:
    """Read `one$two`, each as its own parameter is read. Raises `MalformedError`."""
    texts = split(text, "$")
    if len(texts) != 2 or not all(texts):
        raise MalformedError("search.malformed-composite", parameter=code)
    known = search.parameters(resource_type)
    ways = []
    for pairing in pairings(resource_type, code):
        one, two = (known[part] for part in pairing.parts)
        ways.append((value_of(one, texts[0], "", base), value_of(two, texts[1], "", base)))
    return CompositeValue(tuple(ways), text)
