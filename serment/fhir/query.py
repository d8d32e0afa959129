"""A search request, read into a frozen value (R4 search.html).

Order: limits, the values, the query, parsing: names, values by type, what rules the answer, patients.
What is not understood is refused with 400, never dropped: a filter that is silently left out shows
more than was asked. No error repeats a value, which may be a name or a number of a person; a name of
a parameter is repeated only when it is official or looks like one.

Between repeated parameters stands AND, between commas OR. `,` `|` `$` and a backslash are written
with a backslash before them (search.html#escaping).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from serment.errors import MalformedError, NotSupportedError, TooLargeError
from serment.fhir import compartment, dates, search
from serment.fhir.search_values import folded, folded_code, reference_type

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500
MAX_VALUES: Final = 1000
MAX_LENGTH: Final = 4096

_NAME = re.compile(r"[A-Za-z_:.-]{1,40}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")
_ABSOLUTE = re.compile(r"(?:https?://|urn:uuid:|urn:oid:)\S+")
_ESCAPES = re.compile(r"\\(.?)", re.DOTALL)
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)

NOT_YET: Final = frozenset(
    {"_content", "_contained", "_containedType", "_elements", "_filter", "_format", "_include", "_list"}
    | {"_pretty", "_query", "_revinclude", "_score", "_summary", "_text", "_type"}
)
"""Parameters of R4 itself that are refused for now. The door takes `_format` and `_pretty` out first."""
SORTED_TYPES: Final = frozenset({"date", "string", "token"})


@dataclass(frozen=True, slots=True, repr=False)
class TokenValue:
    """`system` None: any system; "": none. `code` None: any code of the system."""

    system: str | None
    code: str | None
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class ReferenceValue:
    """`url` when absolute, else `id`, with its `type` when one was said."""

    type: str
    id: str
    url: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class DateValue:
    """The range asked, and the prefix that compares (`ap`: the range is widened already)."""

    prefix: str
    span: dates.Range
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class StringValue:
    """The beginning asked, folded."""

    folded: str
    text: str


Value = TokenValue | ReferenceValue | DateValue | StringValue


@dataclass(frozen=True, slots=True)
class Clause:
    """One parameter of the query: an entry matches when one of its values agrees."""

    name: str
    code: str
    type: str
    values: tuple[Value, ...] = field(repr=False)
    implied: frozenset[str] = frozenset()

    def pair(self) -> tuple[str, str]:
        """Write the clause as a pair of a query string."""
        return self.name, ",".join(value.text for value in self.values)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of `_sort`; `type` is the parameter's."""

    code: str
    type: str
    descending: bool

    def text(self) -> str:
        return ("-" if self.descending else "") + self.code


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one resource type. What was searched is left out of `repr`: it identifies people.

    `patients` are the ids that the query names by a parameter of the type's patient compartment, each
    once, sorted: those of `patient`, `subject` and the like when there are any, else those of the others
    when they say `Patient/`; for the type Patient itself, those of `_id`. `count` 0 asks for the total only.
    """

    type: str
    clauses: tuple[Clause, ...] = field(repr=False)
    patients: tuple[str, ...] = field(repr=False)
    sort: tuple[SortKey, ...]
    count: int
    total: Literal["none", "accurate"]

    def to_pairs(self) -> list[tuple[str, str]]:
        """Write the query back, as the server understood it: the pairs of the `self` link."""
        pairs = [clause.pair() for clause in self.clauses]
        if self.sort:
            pairs.append(("_sort", ",".join(key.text() for key in self.sort)))
        return [*pairs, ("_count", str(self.count)), ("_total", self.total)]

    def key(self) -> bytes:
        """Give bytes that are equal for equal queries, whatever the order of pairs and of alternatives.

        They hold what was searched: they belong inside a sealed token, never in a log.
        """
        clauses = sorted((c.name, sorted({v.text for v in c.values})) for c in self.clauses)
        sort = [key.text() for key in self.sort]
        return msgspec.msgpack.encode([1, self.type, clauses, sort, self.count, self.total])


def parse(resource_type: str, pairs: Sequence[tuple[str, str]], base: str = "") -> Query:
    """Read the pairs of a query string or form.

    `base` is this server's FHIR address: references that begin with it are read, and written back, as
    local ones. Raises
    `NotSupportedError` for what this server does not do, `MalformedError` for what FHIR does not write
    so, `TooLargeError` beyond `MAX_VALUES` values.
    """
    if resource_type not in search.resource_types():
        raise NotSupportedError("search.unknown-type")
    if len(pairs) > MAX_VALUES:
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
    rules = _Rules(resource_type)
    clauses = []
    for name, value in pairs:
        if len(value) > MAX_LENGTH * 4:
            raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
        if not rules.takes(name, value):
            clauses.append(_clause(resource_type, name, value, base))
    if sum(len(clause.values) for clause in clauses) > MAX_VALUES:
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
    patients = _patients(resource_type, clauses)
    return Query(resource_type, tuple(clauses), patients, rules.sort, rules.count, rules.total)


def _clause(resource_type: str, name: str, value: str, base: str) -> Clause:
    code, colon, modifier = name.partition(":")
    if code == "_has" or "." in name:
        raise NotSupportedError("search.chain-not-supported")
    parameter = _parameter(resource_type, code, name)
    typed = ""
    if colon:
        if parameter.type != "reference" or not _is_target(parameter, modifier):
            raise NotSupportedError("search.modifier-not-supported", parameter=code)
        typed = modifier
    texts = _alternatives(code, value)
    return Clause(
        name,
        code,
        parameter.type,
        tuple(_value(parameter, text, typed, base) for text in texts),
        parameter.implied,
    )


def _parameter(resource_type: str, code: str, name: str) -> search.Parameter:
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
    if not search.is_searched(parameter):
        raise NotSupportedError("search.parameter-not-supported", parameter=code)
    return parameter


def _is_target(parameter: search.Parameter, resource_type: str) -> bool:
    return resource_type in search.resource_types() and parameter.may_name(resource_type)


def _alternatives(code: str, value: str) -> list[str]:
    """Split at the commas that no backslash precedes. Raises `MalformedError` on an empty one."""
    for escape in _ESCAPES.finditer(value):
        if escape[1] not in {",", "|", "$", "\\"}:
            raise MalformedError("search.malformed-escape", parameter=code)
    texts = [text.strip() for text in _split(value, ",")]
    if not all(texts):
        raise MalformedError("search.empty-value", parameter=code)
    if any(len(text) > MAX_LENGTH for text in texts):
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
    return texts


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that is not escaped; escapes stay."""
    return re.findall(rf"(?:^|{re.escape(separator)})((?:\\.|[^\\{separator}])*)", text, re.DOTALL)


def _plain(text: str) -> str:
    """Take the escapes out."""
    return _ESCAPES.sub(r"\1", text)


def _value(parameter: search.Parameter, text: str, typed: str, base: str) -> Value:
    if parameter.code == "_id":
        return _id(parameter.code, text)
    if parameter.type == "token":
        return _token(parameter.code, text)
    if parameter.type == "reference":
        return _reference(parameter, text, typed, base)
    if parameter.type == "date":
        return _date(parameter.code, text)
    return _string(parameter.code, text)


def _id(code: str, text: str) -> TokenValue:
    if not _ID.fullmatch(text):
        raise MalformedError("search.malformed-id", parameter=code)
    return TokenValue(None, text, text)


def _token(code: str, text: str) -> TokenValue:
    """Read `code`, `system|code`, `|code` or `system|` (search.html#token)."""
    parts = [_plain(part) for part in _split(text, "|")]
    if len(parts) == 1:
        return TokenValue(None, parts[0], text)
    system, asked = parts if len(parts) == 2 else ("", "")
    if not system and not asked:
        raise MalformedError("search.malformed-token", parameter=code)
    return TokenValue(system, folded_code(system, asked) or None, text)


def _reference(parameter: search.Parameter, text: str, typed: str, base: str) -> ReferenceValue:
    """Read `Type/id`, `id` or an absolute address (search.html#reference)."""
    plain = _plain(text)
    if base and plain.startswith(base.rstrip("/") + "/"):
        plain = plain[len(base.rstrip("/")) + 1 :]
    if local := _LOCAL.fullmatch(plain):
        if not _is_target(parameter, local[1]) or typed not in {"", local[1]}:
            raise MalformedError("search.malformed-reference", parameter=parameter.code)
        return ReferenceValue(local[1], local[2], "", plain)
    if _ID.fullmatch(plain):
        return ReferenceValue(typed, plain, "", text)
    if not _ABSOLUTE.fullmatch(plain) or (typed and reference_type(plain) not in {"", typed}):
        raise MalformedError("search.malformed-reference", parameter=parameter.code)
    return ReferenceValue(typed, "", plain, text)


def _date(code: str, text: str) -> DateValue:
    """Read an optional prefix and a date whose parts may be missing from the right (search.html#date)."""
    match = _PREFIXED.fullmatch(text)
    prefix, moment = match.groups() if match else (None, text)
    try:
        span: dates.Range | None = dates.parse(moment)
    except ValueError:
        span = None  # raised below, without the text of the cause
    if span is None:
        raise MalformedError("search.malformed-date", parameter=code)
    if prefix == "ap":
        span = dates.widened(span)
    return DateValue(prefix or "eq", span, moment if prefix == "eq" else text)


def _string(code: str, text: str) -> StringValue:
    """Read the beginning of a text. One that folds to nothing would match all: it is refused."""
    plain = folded(_plain(text))
    if not plain:
        raise MalformedError("search.empty-value", parameter=code)
    return StringValue(plain, text)


class _Rules:
    """What rules the answer: `_count`, `_sort`, `_total`, each once."""

    def __init__(self, resource_type: str) -> None:
        self.type = resource_type
        self.count = DEFAULT_COUNT
        self.sort: tuple[SortKey, ...] = ()
        self.total: Literal["none", "accurate"] = "accurate"
        self.seen: set[str] = set()

    def takes(self, name: str, value: str) -> bool:
        """Read the pair when it is one of the three; say whether it was."""
        if name not in {"_count", "_sort", "_total"}:
            return False
        if name in self.seen:
            raise MalformedError("search.repeated", parameter=name)
        self.seen.add(name)
        if name == "_count":
            self.count = self._count(value)
        elif name == "_sort":
            self.sort = self._sort(value)
        else:
            self.total = self._total(value)
        return True

    def _count(self, value: str) -> int:
        """Read the size of a page: `MAX_COUNT` at most, since search.html#count lets a server give less."""
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise MalformedError("search.malformed-count")
        return min(int(value), MAX_COUNT)

    def _total(self, value: str) -> Literal["none", "accurate"]:
        """Read the wish for a total; an estimate costs no less here and is exact."""
        if value not in {"none", "accurate", "estimate"}:
            raise MalformedError("search.malformed-total")
        return "none" if value == "none" else "accurate"

    def _sort(self, value: str) -> tuple[SortKey, ...]:
        keys = tuple(self._sort_key(text.strip()) for text in value.split(","))
        if len({key.code for key in keys}) != len(keys):
            raise MalformedError("search.malformed-sort", type=self.type)
        return keys

    def _sort_key(self, text: str) -> SortKey:
        code = text.removeprefix("-")
        parameter = search.searched(self.type).get(code)
        if parameter is None or parameter.type not in SORTED_TYPES:
            raise MalformedError("search.malformed-sort", type=self.type)
        return SortKey(code, parameter.type, text.startswith("-"))


def _patients(resource_type: str, clauses: Sequence[Clause]) -> tuple[str, ...]:
    """Say which patients the query names (see `Query`)."""
    if resource_type == "Patient":
        ids = {value.text for clause in clauses if clause.code == "_id" for value in clause.values}
        return tuple(sorted(ids))
    owners, mentions = compartment.owner_codes(resource_type), compartment.mention_codes(resource_type)
    named = _named(clauses, owners, {"", "Patient"}) or _named(clauses, mentions, {"Patient"})
    return tuple(sorted(named))


def _named(clauses: Sequence[Clause], codes: frozenset[str], types: set[str]) -> set[str]:
    values = [value for clause in clauses if clause.code in codes for value in clause.values]
    return {v.id for v in values if isinstance(v, ReferenceValue) and v.id and v.type in types}
