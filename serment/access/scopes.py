"""SMART scopes: what a program may do of what its person may do (SMART App Launch 2.2, scopes; pure).

    (patient|user|system)/(Type|*).[cruds][?category=system|code][?_security=system|code]

Order: one scope of resources (parsed, written, narrowed), what a request needs, the `Scope` that a token
carries. Version 1 (`read`, `write`, `*`) is read as version 2 says. A scope only ever narrows: the
decision asks it first (veto `S1.scope`, which nobody lifts), then every rule as if there were none.

The class of an item says its type, save where one class holds several: a document, its Composition and
its content. There the type of the item is asked too (`shows`), before anything of it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from serment.errors import MalformedError, ScopeError
from serment.fhir.search import resource_types
from serment.model import Act, Category, ItemClass, Label, RecordToken

PATIENT: Final = "patient"
USER: Final = "user"
SYSTEM: Final = "system"
LEVELS: Final = frozenset({PATIENT, USER, SYSTEM})

LETTERS: Final = "cruds"
"""create, read, update, delete, search: in this order, each once at most."""

LOOKING: Final = frozenset("rs")
CHANGING: Final = frozenset("cud")
VERSION_1: Final = {"read": "rs", "write": "cud", "*": "cruds"}

OPERATION: Final = "urn:serment:operation:"
"""What a scope that lets a program ask for an operation begins with."""

DOCUMENTS: Final = frozenset({"DocumentReference", "Composition", "Binary"})
"""What one class of a document may hold: the class is that of the document's type."""

_TRACE: Final = "trace"
"""Document type of the trace, which programs read as AuditEvents."""

_OBSERVATIONS: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_CATEGORY: Final = "urn:serment:category"
_EXACT: Final = {
    ("Observation", f"{_OBSERVATIONS}|laboratory"): Category.LABS,
    ("Observation", f"{_OBSERVATIONS}|vital-signs"): Category.VITALS,
    ("Observation", f"{_OBSERVATIONS}|imaging"): Category.IMAGING,
}
"""Categories of FHIR that are one of ours; the others are several in one, and would let more through."""

_GRADES: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_SECURITY: Final = {f"{_GRADES}|{grade.value}": grade for grade in (Label.NORMAL, Label.RESTRICTED)}

_ACTS: Final = {
    Act.LIST: LOOKING,
    Act.READ: LOOKING,
    Act.PRINT: LOOKING,
    Act.WRITE: CHANGING,
    Act.FILE: CHANGING,
}

FREE: Final = frozenset({"validate", "expand", "validate-code"})
"""Operations that tell nothing of anybody."""

_OF_TYPE: Final = {"verify-integrity": "AuditEvent.s", "everything": "Patient.r", "summary": "Patient.r"}
_OF_ITEM: Final = {"GET": "r", "PUT": "u", "PATCH": "u", "DELETE": "d"}
_WHERE: Final = {"GET": "s", "PUT": "csu", "PATCH": "su", "DELETE": "sd"}
"""What an act on those that meet criteria needs: they are searched first, and an update may create."""


class ResourceScope(NamedTuple):
    """One scope of resources. `category` and `label` narrow what is looked at, never what is written."""

    level: str
    type: str
    letters: str
    category: Category | None = None
    label: Label | None = None

    def __str__(self) -> str:
        narrowed = [f"category={_token_of(self.type, self.category)}"] if self.category else []
        narrowed += [f"_security={_GRADES}|{self.label.value}"] if self.label else []
        return f"{self.level}/{self.type}.{self.letters}" + ("?" + "&".join(narrowed) if narrowed else "")

    @property
    def writes(self) -> bool:
        """Say whether something may be changed under it."""
        return not CHANGING.isdisjoint(self.letters)

    def holds(self, unit: ItemClass, act: Act) -> bool:
        """Say whether it lets an act on a class through, whatever record it is in."""
        return (
            not _ACTS[act].isdisjoint(self.letters)
            and (self.type == "*" or self.type in types_of(unit))
            and (self.category is None or self.category is unit.category)
            and (self.label is None or self.label in unit.labels)
        )


def _token_of(type_: str, category: Category) -> str:
    known = (token for (named, token), found in _EXACT.items() if (named, found) == (type_, category))
    return next(known, f"{_CATEGORY}|{category.value}")


def types_of(unit: ItemClass) -> frozenset[str]:
    """Name the types that a class may hold: its own, or those of a document."""
    type_ = unit.document_type
    if type_ == _TRACE:
        return frozenset({"AuditEvent"})
    return DOCUMENTS if type_ in DOCUMENTS or type_ not in resource_types() else frozenset({type_})


def parse(text: str) -> ResourceScope | None:
    """Read one scope; None when it is none of resources. Raises `MalformedError` for one that is ill formed.

    Refused: letters out of order or twice, a type that R4 does not know, a parameter other than `category`
    and `_security`, one that writes, and a category that is not exactly one of ours.
    """
    level, slash, rest = text.partition("/")
    if level not in LEVELS or not slash:
        return None
    named, _, query = rest.partition("?")
    type_, dot, said = named.partition(".")
    letters = VERSION_1.get(said, said)
    if not dot or not _in_order(letters) or (type_ != "*" and type_ not in resource_types()):
        raise MalformedError("access.scope-malformed")
    category, label = _restriction(type_, query) if query else (None, None)
    if query and not CHANGING.isdisjoint(letters):
        raise MalformedError("access.scope-malformed")
    return ResourceScope(level, type_, letters, category, label)


def _in_order(letters: str) -> bool:
    return bool(letters) and "".join(one for one in LETTERS if one in letters) == letters


def _restriction(type_: str, query: str) -> tuple[Category | None, Label | None]:
    """Read what stands after the question mark. Raises `MalformedError`."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        pairs = []
    found = dict(pairs)
    if not pairs or len(found) != len(pairs) or not found.keys() <= {"category", "_security"}:
        raise MalformedError("access.scope-malformed")
    category = _category(type_, found["category"]) if "category" in found else None
    label = _SECURITY.get(found["_security"]) if "_security" in found else None
    if "_security" in found and label is None:
        raise MalformedError("access.scope-malformed")
    return category, label


def _category(type_: str, token: str) -> Category:
    known = _EXACT.get((type_, token))
    if known is not None:
        return known
    system, _, code = token.partition("|")
    if system != _CATEGORY or code not in Category.__members__.values():
        raise MalformedError("access.scope-malformed")
    return Category(code)


def narrowed(asked: Iterable[ResourceScope], registered: Iterable[ResourceScope]) -> list[ResourceScope]:
    """Give what both say: of each that is asked, the part that is registered."""
    limits = list(registered)
    return list(dict.fromkeys(both for one in asked for limit in limits for both in _both(one, limit)))


def _both(one: ResourceScope, limit: ResourceScope) -> Iterator[ResourceScope]:
    types = {one.type, limit.type}
    letters = "".join(letter for letter in one.letters if letter in limit.letters)
    categories = {one.category, limit.category} - {None}
    labels = {one.label, limit.label} - {None}
    apart = len(types - {"*"}) > 1 or len(categories) > 1 or len(labels) > 1
    if one.level != limit.level or apart:
        return
    category, label = next(iter(categories), None), next(iter(labels), None)
    if category is not None or label is not None:
        letters = "".join(letter for letter in letters if letter in LOOKING)
    if letters:
        yield ResourceScope(one.level, next(iter(types - {"*"}), "*"), letters, category, label)


def needed(method: str, path: str, *, conditional: bool = False) -> tuple[str, ...] | None:
    """Say what a request needs, by its path below the FHIR address; None: no scope lets it through.

    `Type.letter` or the name of an operation, all of them; nothing for a bundle, whose entries are asked one
    by one. `conditional`: criteria stand beside the path.
    """
    first, *rest = [part for part in path.partition("?")[0].split("/") if part] or [""]
    operation = next((part[1:] for part in (first, *rest) if part.startswith("$")), "")
    if operation:
        return _of_operation(operation)
    if first in {"", "metadata"}:
        return ()
    if first == "Subscription":  # it would go on when the token has ended
        return None
    if rest in ([], ["_search"], ["_history"]):
        return tuple(f"{first}.{letter}" for letter in _of_many(method, rest, conditional=conditional))
    letter = "r" if rest[1:2] == ["_history"] else _OF_ITEM.get("GET" if method == "HEAD" else method)
    return None if letter is None else (f"{first}.{letter}",)


def _of_many(method: str, rest: list[str], *, conditional: bool) -> str:
    """Give the letters that an act on a type needs; `x`, which no scope has, for one that is unknown."""
    if rest or method in {"GET", "HEAD"}:
        return "s"
    if method == "POST":
        return "cs" if conditional else "c"
    return _WHERE.get(method, "x")


def _of_operation(name: str) -> tuple[str, ...]:
    if name in FREE:
        return ()
    return (_OF_TYPE.get(name, f"{OPERATION}{name}"),)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token lets its `program` do. `record` is that of the launch patient, None without one."""

    resources: tuple[ResourceScope, ...]
    operations: frozenset[str] = frozenset()
    record: RecordToken | None = field(default=None, repr=False)
    program: str = ""

    def covers(self, unit: ItemClass, act: Act, record: RecordToken) -> bool:
        """Say whether an act on a class of a record is inside."""
        return any(one.holds(unit, act) for one in self._in(unit, record))

    def shows(self, type_: str, unit: ItemClass, record: RecordToken) -> bool:
        """Say whether an item of a type, in a class of a record, may be looked at."""
        return any(one.type in {"*", type_} and one.holds(unit, Act.READ) for one in self._in(unit, record))

    def reaches(self, record: RecordToken) -> bool:
        """Say whether an operation may be about a record: with patient scopes, the launch patient's."""
        launched = self.record is None or record == self.record
        return launched or any(one.level != PATIENT for one in self.resources)

    def lets(self, need: str) -> bool:
        """Say whether one thing that a request needs is inside, on some record at least."""
        if need.startswith(OPERATION):
            return need in self.operations
        type_, _, letter = need.partition(".")
        return any(one.type in {"*", type_} and letter in one.letters for one in self.resources)

    def check(self, method: str, path: str | None, *, conditional: bool = False) -> None:
        """Refuse a request, by its path below the FHIR address, None outside it. Raises `ScopeError`."""
        needs = None if path is None else needed(method, path, conditional=conditional)
        if needs is None or not all(self.lets(one) for one in needs):
            raise ScopeError("access.outside-scope")

    def _in(self, unit: ItemClass, record: RecordToken) -> Iterator[ResourceScope]:
        """Give the scopes that count in a record: those of a patient in that patient's, and the directory."""
        here = unit.category is Category.DIRECTORY or (self.record is not None and record == self.record)
        return (one for one in self.resources if here or one.level != PATIENT)
