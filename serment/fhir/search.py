"""The search parameters of FHIR R4, and what a resource holds for each of them.

Order: the definitions, compiling a path to a closure, indexing a resource, joining two halves.
Definitions come from `data/search-parameters.json.gz`, written by `tools/build_fhir_search.py` from
the official ones; each path is compiled once, at the first resource of its type.

`index` gives MessagePack `{"": 1, code: [value, …], …}`: only codes with a value, the number of the
format under the empty key. The values of each parameter type are described in `search_values`; a
composite over a repeating member holds one `[values, values]` for each item (`composite`), which an
entry written before it was indexed does not have. Not in it: `_id` and `_lastUpdated`, which the entry
itself carries, composites of the whole resource, and extensions.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from serment.fhir.composite import Pairing, pairings, stored_pairing
from serment.fhir.halves import cut_members
from serment.fhir.search_values import COLLECT, Values

FORMAT: Final = 1
"""Number of the format of the values; raised when an old value would be misread."""

SEARCHED_TYPES: Final = frozenset(
    {"token", "reference", "date", "string", "number", "quantity", "uri", "composite"}
)
OF_THE_ENTRY: Final = frozenset({"_id", "_lastUpdated"})
"""Parameters that are answered from the entry, not from its values."""
NOT_SEARCHED: Final = frozenset({"phonetic"})
"""Codes refused though their type is searched: a prefix of a name is no phonetic match."""

_SPECIAL_VALUES: Final = "http://hl7.org/fhir/special-values"
_encode = msgspec.msgpack.Encoder().encode
_Extract = Callable[[Any, Values], None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One official search parameter of one resource type.

    `paths` are `(json path, element type, argument)`; `targets` the resource types that a reference
    may name, all of them when it holds `*`; `implied` the code systems that bindings imply.
    """

    code: str
    type: str
    definition: str
    expression: str
    paths: tuple[tuple[str, str, str], ...]
    targets: frozenset[str]
    implied: frozenset[str]

    def may_name(self, resource_type: str) -> bool:
        """Say whether a reference of this parameter may name a resource of that type."""
        return resource_type in self.targets or "*" in self.targets


@cache
def _data() -> dict[str, Any]:
    packed = (files(__package__) / "data" / "search-parameters.json.gz").read_bytes()
    data: dict[str, Any] = json.loads(gzip.decompress(packed))
    return data


@cache
def resource_types() -> frozenset[str]:
    """Give the 146 concrete resource types of R4."""
    return frozenset(_data()["types"])


@cache
def parameters(resource_type: str) -> Mapping[str, Parameter]:
    """Give every official parameter of a type by code, those of all types included; empty off R4."""
    if resource_type not in resource_types():
        return {}
    rows = {**_data()["parameters"]["Resource"], **_data()["parameters"].get(resource_type, {})}
    return {code: _parameter(code, row) for code, row in rows.items()}


def _parameter(code: str, row: list[Any]) -> Parameter:
    kind, definition, expression, paths, targets = row
    implied = {system for _, element, argument in paths if element == "code" for system in argument.split()}
    if any(element in {"boolean", "$deceased"} for _, element, _ in paths):
        implied.add(_SPECIAL_VALUES)
    return Parameter(
        code, kind, definition, expression, tuple(map(tuple, paths)), frozenset(targets), frozenset(implied)
    )


def is_searched(resource_type: str, parameter: Parameter) -> bool:
    """Say whether this server answers a search of a type by that parameter now."""
    if parameter.type == "composite":
        return bool(pairings(resource_type, parameter.code))
    return parameter.type in SEARCHED_TYPES and parameter.code not in NOT_SEARCHED


@cache
def searched(resource_type: str) -> Mapping[str, Parameter]:
    """Give the parameters of a type that this server answers now, by code."""
    return {code: p for code, p in parameters(resource_type).items() if is_searched(resource_type, p)}


def compiled(path: tuple[str, str, str], parameter_type: str) -> _Extract | None:
    """Compile one path to a closure that takes the value of its first member. None: no such value is kept."""
    steps, element, argument = path
    collect = COLLECT.get((parameter_type, element))
    if collect is None:
        return None
    names = steps.split(".")

    def leaf(node: Any, out: Values) -> None:
        collect(node, argument, out)

    extract = _each(names[-1], leaf)
    for above, name in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        extract = _each(above, _below(name.partition("[")[0], extract))
    return extract


def _below(name: str, then: _Extract) -> _Extract:
    """Go from an object to one of its members."""

    def member(node: Any, out: Values) -> None:
        if isinstance(node, dict) and (value := node.get(name)) is not None:
            then(value, out)

    return member


def _each(step: str, then: _Extract) -> _Extract:
    """Go to every item of a repeating member, to those that a `[name=value]` keeps, or to item `[0]`."""
    _, _, bracket = step.partition("[")
    if not bracket:
        return _every(then)
    name, equals, value = bracket.rstrip("]").partition("=")
    return _kept(name, value, then) if equals else _first(then)


def _every(then: _Extract) -> _Extract:
    def every(node: Any, out: Values) -> None:
        if isinstance(node, list):
            for item in node:
                then(item, out)
        else:
            then(node, out)

    return every


def _kept(name: str, value: str, then: _Extract) -> _Extract:
    def kept(node: Any, out: Values) -> None:
        for item in node if isinstance(node, list) else (node,):
            if isinstance(item, dict) and item.get(name) == value:
                then(item, out)

    return kept


def _first(then: _Extract) -> _Extract:
    def first(node: Any, out: Values) -> None:
        if isinstance(node, list):
            for item in node[:1]:
                then(item, out)

    return first


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to extract from a resource: by top-level member, and what is there whatever it holds."""

    by_member: dict[str, list[tuple[str, _Extract]]]
    always: list[tuple[str, _Extract]]


@cache
def _plan(resource_type: str) -> _Plan:
    plan = _Plan({}, [])
    for code, parameter in parameters(resource_type).items():
        if code in OF_THE_ENTRY or code in NOT_SEARCHED:
            continue
        for path in parameter.paths:
            member = path[0].partition(".")[0].partition("[")[0]
            extract = compiled(path, parameter.type)
            if extract is None:
                continue
            if path[1].startswith("$"):
                plan.always.append((code, extract))
            else:
                plan.by_member.setdefault(member, []).append((code, extract))
        pairing = stored_pairing(resource_type, code)
        if pairing is not None:
            paired = _paired(resource_type, pairing)
            plan.by_member.setdefault(pairing.member, []).append((code, paired))
    return plan


def _paired(resource_type: str, pairing: Pairing) -> _Extract:
    """Make the extractor of a composite: the values of its two parts, item by item."""
    ways = []
    for part in pairing.parts:
        parameter = parameters(resource_type)[part]
        found = (_inside(path, pairing.member, parameter.type) for path in parameter.paths)
        ways.append([extract for extract in found if extract is not None])

    def item(node: Any, out: Values) -> None:
        pair: list[Values] = [[], []]
        for values, extracts in zip(pair, ways, strict=True):
            for extract in extracts:
                extract(node, values)
        if all(pair):
            out.append(pair)

    return _every(item)


def _inside(path: tuple[str, str, str], member: str, parameter_type: str) -> _Extract | None:
    """Compile what a path does inside one item of `member`."""
    steps = path[0].removeprefix(f"{member}.")
    extract = compiled((steps, *path[1:]), parameter_type)
    return None if extract is None else _below(steps.partition(".")[0].partition("[")[0], extract)


def index(resource: dict[str, Any], *, part: str = "", base: str = "") -> bytes:
    """Give the search values of a resource (an object as JSON readers make it) as MessagePack.

    Of a type that is cut in two (`halves`), `part` "" gives what is left beside the half, "contact" or
    "reason" the half, whichever way the resource comes, whole or cut already. What an expression says of
    every resource (`Patient.deceased` is false when nothing is written) goes with the first. `base` is this
    server's FHIR address: a reference that begins with it is found as a local one. Nothing is raised: an
    element of an unexpected shape gives no value.
    """
    kind = str(resource.get("resourceType", ""))
    plan = _plan(kind)
    values: dict[str, Any] = {"": FORMAT}
    cut = cut_members(resource)
    for member, content in resource.items():
        if (member in cut) != bool(part):
            continue
        for code, extract in plan.by_member.get(member, ()):
            _take(values, code, extract, content)
    for code, extract in plan.always if not part else ():
        _take(values, code, extract, resource)
    if base:
        _localise(kind, values, base.rstrip("/") + "/")
    return _encode(values)


def _localise(kind: str, values: dict[str, Any], base: str) -> None:
    known = parameters(kind)
    for code, found in values.items():
        if code and known[code].type == "reference":
            _strip(found, base)
        pairing = stored_pairing(kind, code) if code and known[code].type == "composite" else None
        for place, part in enumerate(pairing.parts if pairing else ()):
            if known[part].type == "reference":
                for pair in found:
                    _strip(pair[place], base)


def _strip(found: Values, base: str) -> None:
    for value in found:
        value[0] = value[0] and value[0].removeprefix(base)


def _take(values: dict[str, Any], code: str, extract: _Extract, content: Any) -> None:
    found = values.get(code) or []
    extract(content, found)
    if found:
        values[code] = found


def joined(values: bytes, other: bytes) -> bytes:
    """Join the values of the two halves of one resource, so that a query is matched on both together."""
    raw: dict[str, msgspec.Raw] = msgspec.msgpack.decode(other, type=dict[str, msgspec.Raw])
    whole: dict[str, Any] = msgspec.msgpack.decode(values)
    for code, content in raw.items():
        if code:
            whole.setdefault(code, []).extend(msgspec.msgpack.decode(content))
    return _encode(whole)
