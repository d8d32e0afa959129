"""What a search asks of other items: chains, `_has`, `_include`, `_revinclude` (R4 search.html#chaining).

A chain asks something of what an item refers to, `_has` of what refers to it, as far as `MOST_STEPS`
away; an include brings what a page refers to, or what refers to it. All of it stays inside the one record
that is searched and the directory (`record/chaining`, `record/including`): nothing here names a record.
Order: the links, chains, includes, what may be included, the types of a link. Wildcards and `:iterate`
are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from serment.errors import MalformedError, NotSupportedError, RequestError
from serment.fhir import search
from serment.fhir.owner import DIRECTORY_TYPES, NEVER_WRITTEN, owner_rules
from serment.fhir.query_clauses import Clause, clause, found
from serment.fhir.query_values import is_target

MOST_STEPS: Final = 3
"""Steps from an item that is searched to the one of which something is asked."""
MOST_TARGETS: Final = 12
"""Types that an untyped step may lead to; a parameter that may name more needs `:Type`."""
INCLUDES: Final = frozenset({"_include", "_revinclude"})


@dataclass(frozen=True, slots=True)
class Chain:
    """`code.…`: an item refers by `code` to one of `targets`, of which the rest holds."""

    name: str
    code: str
    targets: tuple[tuple[str, Criterion], ...] = field(repr=False)

    @property
    def text(self) -> str:
        """Write the values back."""
        return self.targets[0][1].text


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:type:code:…`: an item of `type` refers to this one by `code`, and the rest holds of it."""

    name: str
    type: str
    code: str
    inner: Criterion = field(repr=False)

    @property
    def text(self) -> str:
        """Write the values back."""
        return self.inner.text


Link = Chain | Has
Criterion = Clause | Chain | Has


@dataclass(frozen=True, slots=True)
class Include:
    """`type:code[:target]`. `reverse`: what refers to the page (`_revinclude`), else what the page names.

    `types` are the types of what is brought.
    """

    reverse: bool
    type: str
    code: str
    types: frozenset[str]
    text: str

    def pair(self) -> tuple[str, str]:
        """Write the include as a pair of a query string."""
        return "_revinclude" if self.reverse else "_include", self.text


@cache
def kept_types() -> frozenset[str]:
    """List the types that are stored as items: of nothing else can anything be asked."""
    kept = {type_ for type_, rule in owner_rules().items() if rule.rule != "none"}
    return frozenset(kept - NEVER_WRITTEN)


def is_link(name: str) -> bool:
    """Say whether the name of a parameter asks something of another item."""
    return name.startswith("_has:") or name == "_has" or "." in name


def link(resource_type: str, name: str, value: str, base: str) -> Link:
    """Read a chain or a `_has`. Raises `NotSupportedError`, `MalformedError`, `TooLargeError`."""
    criterion = _criterion(resource_type, name, value, base, MOST_STEPS)
    if isinstance(criterion, Clause):
        raise MalformedError("search.malformed-chain")
    return criterion


def _criterion(resource_type: str, name: str, value: str, base: str, steps: int) -> Criterion:
    if not is_link(name):
        return clause(resource_type, name, value, base)
    if not steps:
        raise NotSupportedError("search.chain-too-long", limit=MOST_STEPS)
    if name.startswith("_has"):
        return _has(resource_type, name, value, base, steps)
    return _chain(resource_type, name, value, base, steps)


def _has(resource_type: str, name: str, value: str, base: str, steps: int) -> Has:
    _, *parts = name.split(":", 3)
    if len(parts) != 3 or not all(parts):
        raise MalformedError("search.malformed-chain")
    type_, code, rest = parts
    _refers(type_, code, resource_type)
    return Has(name, type_, code, _criterion(type_, rest, value, base, steps - 1))


def _refers(type_: str, code: str, to: str) -> None:
    """Check that an item of `type_` may refer by `code` to one of type `to`. Raises `NotSupportedError`."""
    if type_ not in kept_types():
        raise NotSupportedError("search.unknown-type")
    parameter = found(type_, code, code)
    if parameter.type != "reference" or not is_target(parameter, to):
        raise NotSupportedError("search.no-such-link", parameter=code)


def _chain(resource_type: str, name: str, value: str, base: str, steps: int) -> Chain:
    step, _, rest = name.partition(".")
    code, colon, typed = step.partition(":")
    parameter = found(resource_type, code, name)
    if parameter.type != "reference" or not rest or (colon and not is_target(parameter, typed)):
        raise NotSupportedError("search.no-such-link", parameter=code)
    types = [typed] if colon else [type_ for type_ in sorted(kept_types()) if parameter.may_name(type_)]
    if colon and typed not in kept_types():
        raise NotSupportedError("search.unknown-type")
    if len(types) > MOST_TARGETS:
        raise NotSupportedError("search.chain-needs-type", parameter=code)
    targets: list[tuple[str, Criterion]] = []
    refusal: RequestError | None = None
    for type_ in types:
        try:
            targets.append((type_, _criterion(type_, rest, value, base, steps - 1)))
        except RequestError as error:  # a type that does not have the parameter, unless none does
            refusal = error
    if not targets:
        raise refusal or NotSupportedError("search.no-such-link", parameter=code)
    return Chain(name, code, tuple(targets))


def include(resource_type: str, name: str, value: str) -> Include:
    """Read an `_include` or `_revinclude`. Raises `NotSupportedError`, `MalformedError`."""
    plain, colon, _ = name.partition(":")
    if colon or "*" in value:
        raise NotSupportedError("search.include-not-supported")
    type_, *rest = value.split(":")
    if len(rest) not in {1, 2} or not all(rest):
        raise MalformedError("search.malformed-include")
    code, target = rest[0], (rest[1] if len(rest) == 2 else "")
    if plain == "_revinclude":
        _refers(type_, code, resource_type)
        if target not in {"", resource_type}:
            raise NotSupportedError("search.no-such-link", parameter=code)
        return Include(True, type_, code, frozenset({type_}), value)
    if type_ != resource_type:
        raise NotSupportedError("search.include-not-supported")
    parameter = found(type_, code, code)
    types = {one for one in kept_types() if parameter.may_name(one) and target in {"", one}}
    if parameter.type != "reference" or not types:
        raise NotSupportedError("search.no-such-link", parameter=code)
    return Include(False, type_, code, frozenset(types), value)


@cache
def includes_of(resource_type: str) -> tuple[str, ...]:
    """List every `_include` that a search of a type takes, without its target."""
    there = DIRECTORY_TYPES if resource_type in DIRECTORY_TYPES else kept_types()
    return tuple(f"{resource_type}:{code}" for code, to in _leads(resource_type) if to & there)


@cache
def revincludes_of(resource_type: str) -> tuple[str, ...]:
    """List every `_revinclude` that a search of a type takes. From the directory none leads into a record."""
    there = DIRECTORY_TYPES if resource_type in DIRECTORY_TYPES else kept_types()
    return tuple(f"{one}:{code}" for one in sorted(there) for code, to in _leads(one) if resource_type in to)


@cache
def _leads(resource_type: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Give the references of a type by code, with the types that each may name."""
    known = sorted(search.searched(resource_type).items())
    references = [(code, one) for code, one in known if one.type == "reference"]
    return tuple((code, frozenset(filter(one.may_name, kept_types()))) for code, one in references)


def types_of(criterion: Criterion) -> Iterator[str]:
    """Give the types whose items must be looked at to answer a link."""
    if isinstance(criterion, Chain):
        for type_, inner in criterion.targets:
            yield type_
            yield from types_of(inner)
    elif isinstance(criterion, Has):
        yield criterion.type
        yield from types_of(criterion.inner)


def clauses_of(criterion: Criterion) -> Iterator[Clause]:
    """Give the clauses at the ends of a criterion."""
    if isinstance(criterion, Clause):
        yield criterion
    elif isinstance(criterion, Has):
        yield from clauses_of(criterion.inner)
    else:
        for _, inner in criterion.targets:
            yield from clauses_of(inner)
