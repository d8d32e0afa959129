"""The values of a search, read by parameter type and modifier (R4 search.html).

Order: the values, escapes, one reader for each parameter type, modifiers. What is not of the form that
FHIR writes is refused with 400; no error repeats a value, which may be a name or a number of a person.
`,` `|` `$` and a backslash are written with a backslash before them (search.html#escaping).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from serment.errors import MalformedError, TooLargeError
from serment.fhir import dates, quantity, search
from serment.fhir.quantity import Number
from serment.fhir.search_values import folded, folded_code, reference_type

MAX_VALUES: Final = 1000
MAX_LENGTH: Final = 4096

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")
_ABSOLUTE = re.compile(r"(?:https?://|urn:uuid:|urn:oid:)\S+")
_ESCAPES = re.compile(r"\\(.?)", re.DOTALL)
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)

MODIFIERS: Final[Mapping[str, frozenset[str]]] = {
    "token": frozenset({"missing", "not", "text"}),
    "reference": frozenset({"missing", "identifier"}),
    "string": frozenset({"missing", "exact", "contains"}),
    "date": frozenset({"missing"}),
    "number": frozenset({"missing"}),
    "quantity": frozenset({"missing"}),
    "uri": frozenset({"missing"}),
    "composite": frozenset(),
}
"""Parameter type → the modifiers that are answered; a reference takes the types that it may name too."""


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
    """The text asked, folded, and as it was written (without escapes)."""

    folded: str
    text: str
    plain: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class NumberValue:
    """The number asked and the prefix that compares (`ap`: the number is widened already)."""

    prefix: str
    number: Number
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class QuantityValue:
    """A number with its unit: `code` "" is any; `system` None takes `code` for the unit as written too."""

    prefix: str
    number: Number
    system: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class UriValue:
    """The address asked; as a canonical, in any version."""

    uri: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class MissingValue:
    """Whether an entry without any value is asked for, or one with."""

    missing: bool
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class CompositeValue:
    """The two parts of a composite: for each way in which it is met, a value of either part's type."""

    ways: tuple[tuple[Value, Value], ...]
    text: str


Value = (
    TokenValue
    | ReferenceValue
    | DateValue
    | StringValue
    | NumberValue
    | QuantityValue
    | UriValue
    | MissingValue
    | CompositeValue
)


def alternatives(code: str, value: str) -> list[str]:
    """Split at the commas that no backslash precedes. Raises `MalformedError` on an empty one."""
    for escape in _ESCAPES.finditer(value):
        if escape[1] not in {",", "|", "$", "\\"}:
            raise MalformedError("search.malformed-escape", parameter=code)
    texts = [text.strip() for text in split(value, ",")]
    if not all(texts):
        raise MalformedError("search.empty-value", parameter=code)
    if any(len(text) > MAX_LENGTH for text in texts):
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MAX_LENGTH)
    return texts


def split(text: str, separator: str) -> list[str]:
    """Split at a separator that is not escaped; escapes stay."""
    return re.findall(rf"(?:^|{re.escape(separator)})((?:\\.|[^\\{separator}])*)", text, re.DOTALL)


def plain(text: str) -> str:
    """Take the escapes out."""
    return _ESCAPES.sub(r"\1", text)


def modified(parameter: search.Parameter, modifier: str, text: str) -> Value:
    """Read a value under a modifier of `MODIFIERS`. Raises `MalformedError`."""
    if modifier == "missing":
        if text not in {"true", "false"}:
            raise MalformedError("search.malformed-missing", parameter=parameter.code)
        return MissingValue(text == "true", text)
    if modifier == "identifier" or (modifier == "not" and parameter.type == "token"):
        return _token(parameter.code, text)
    return _string(parameter.code, text)


def value_of(parameter: search.Parameter, text: str, typed: str = "", base: str = "") -> Value:
    """Read a value as the parameter's type writes it; `typed` is the type that a modifier said.

    Not for composites. Raises `MalformedError`.
    """
    if parameter.type == "reference":
        return _reference(parameter, text, typed, base)
    read = _id if parameter.code == "_id" else _READERS[parameter.type]
    return read(parameter.code, text)


def is_target(parameter: search.Parameter, resource_type: str) -> bool:
    """Say whether a reference may name a type that exists."""
    return resource_type in search.resource_types() and parameter.may_name(resource_type)


def _id(code: str, text: str) -> TokenValue:
    if not _ID.fullmatch(text):
        raise MalformedError("search.malformed-id", parameter=code)
    return TokenValue(None, text, text)


def _token(code: str, text: str) -> TokenValue:
    """Read `code`, `system|code`, `|code` or `system|` (search.html#token)."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) == 1:
        return TokenValue(None, parts[0], text)
    system, asked = parts if len(parts) == 2 else ("", "")
    if not system and not asked:
        raise MalformedError("search.malformed-token", parameter=code)
    return TokenValue(system, folded_code(system, asked) or None, text)


def _reference(parameter: search.Parameter, text: str, typed: str, base: str) -> ReferenceValue:
    """Read `Type/id`, `id` or an absolute address (search.html#reference)."""
    written = plain(text)
    if base and written.startswith(base.rstrip("/") + "/"):
        written = written[len(base.rstrip("/")) + 1 :]
    if local := _LOCAL.fullmatch(written):
        if not is_target(parameter, local[1]) or typed not in {"", local[1]}:
            raise MalformedError("search.malformed-reference", parameter=parameter.code)
        return ReferenceValue(local[1], local[2], "", written)
    if _ID.fullmatch(written):
        return ReferenceValue(typed, written, "", text)
    if not _ABSOLUTE.fullmatch(written) or (typed and reference_type(written) not in {"", typed}):
        raise MalformedError("search.malformed-reference", parameter=parameter.code)
    return ReferenceValue(typed, "", written, text)


def _prefixed(text: str) -> tuple[str, str]:
    """Take the prefix that compares from a value; `eq` when there is none."""
    match = _PREFIXED.fullmatch(text)
    prefix, rest = match.groups() if match else (None, text)
    return prefix or "eq", rest


def _date(code: str, text: str) -> DateValue:
    """Read an optional prefix and a date whose parts may be missing from the right (search.html#date)."""
    prefix, moment = _prefixed(text)
    try:
        span: dates.Range | None = dates.parse(moment)
    except ValueError:
        span = None  # raised below, without the text of the cause
    if span is None:
        raise MalformedError("search.malformed-date", parameter=code)
    if prefix == "ap":
        span = dates.widened(span)
    return DateValue(prefix, span, moment if prefix == "eq" else text)


def _amount(text: str) -> tuple[str, Number] | None:
    prefix, digits = _prefixed(text)
    try:
        number = quantity.asked(digits)
    except ValueError:
        return None
    return prefix, quantity.approximate(number) if prefix == "ap" else number


def _number(code: str, text: str) -> NumberValue:
    """Read an optional prefix and a number (search.html#number)."""
    amount = _amount(text)
    if amount is None:
        raise MalformedError("search.malformed-number", parameter=code)
    return NumberValue(*amount, text)


def _quantity(code: str, text: str) -> QuantityValue:
    """Read `number`, `number|system|code` or `number||code` (search.html#quantity)."""
    digits, *unit = [plain(part) for part in split(text, "|")]
    amount = _amount(digits)
    if amount is None or len(unit) not in {0, 2} or (unit and not unit[1]):
        raise MalformedError("search.malformed-quantity", parameter=code)
    system, coded = unit or ("", "")
    return QuantityValue(*amount, system or None, coded, text)


def _string(code: str, text: str) -> StringValue:
    """Read the beginning of a text. One that folds to nothing would match all: it is refused."""
    written = plain(text)
    if not folded(written):
        raise MalformedError("search.empty-value", parameter=code)
    return StringValue(folded(written), text, written)


def _uri(_code: str, text: str) -> UriValue:
    return UriValue(plain(text), text)


_READERS: Final[Mapping[str, Callable[[str, str], Value]]] = {
    "token": _token,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "uri": _uri,
    "string": _string,
}
"""Parameter type → how a value is read, from the parameter's code and the text."""
