"""Numbers of a search, and how they compare with stored ones (R4 search.html#number, #quantity).

A number that is asked stands for a range: `5.4` is [5.35, 5.45), `5.40` is [5.395, 5.405). A stored
number may be a range too: a Range, or a value with a comparator (`<5` lies below 5, wherever). Ends are
`Decimal`, None when open; nothing is rounded and no unit is converted: `mg` and `g` are never compared.
Order: what is asked, what is stored, comparing. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from serment.fhir.json import MAX_EXPONENT

_FORM = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_HALF: Final = Decimal("0.5")
_TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as asked: itself, and the range that its digits stand for, `low` in and `high` out of it."""

    exact: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """A stored number or range: None where it is open; an end may lie outside (`5` in `<5`)."""

    low: Decimal | None
    high: Decimal | None
    low_out: bool = False
    high_out: bool = False


def asked(text: str) -> Number:
    """Read a number with the precision that its digits say. Raises `ValueError` for any other text.

    One digit with an exponent follows the specification's own example: `1e2` is [95, 105).
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError("not a number")
    exact = Decimal(text)
    if not -MAX_EXPONENT <= exact.adjusted() <= MAX_EXPONENT:
        raise ValueError("not a number")
    exponent = int(exact.as_tuple().exponent)
    if form[2] is not None and len(exact.as_tuple().digits) == 1:
        exponent -= 1
    half = _HALF.scaleb(exponent)
    return Number(exact, exact - half, exact + half)


def approximate(number: Number) -> Number:
    """Widen a number to a tenth of its value on both sides, as `ap` asks."""
    tenth = max(abs(number.exact) * _TENTH, (number.high - number.low) / 2)
    return Number(number.exact, number.exact - tenth, number.exact + tenth)


def stored(low: str | None, high: str | None, comparator: str | None = None) -> Span | None:
    """Read what the index holds: two ends as text, and the comparator of the Quantity. None: not a number."""
    try:
        ends = [None if end is None else Decimal(end) for end in (low, high)]
    except InvalidOperation:
        return None
    match comparator:
        case "<" | "<=":
            return Span(None, ends[1], high_out=comparator == "<")
        case ">" | ">=":
            return Span(ends[0], None, low_out=comparator == ">")
        case _:
            return Span(ends[0], ends[1])


def _inside(number: Number, span: Span) -> bool:
    """Say whether the range that was asked holds the whole stored one."""
    if span.low is None or span.high is None or span.low < number.low:
        return False
    return span.high < number.high or (span.high_out and span.high == number.high)


def _above(number: Number, span: Span) -> bool:
    return span.high is None or span.high > number.exact


def _below(number: Number, span: Span) -> bool:
    return span.low is None or span.low < number.exact


def _touches_above(number: Number, span: Span) -> bool:
    return _above(number, span) or (span.high == number.exact and not span.high_out)


def _touches_below(number: Number, span: Span) -> bool:
    return _below(number, span) or (span.low == number.exact and not span.low_out)


def _all_above(number: Number, span: Span) -> bool:
    return span.low is not None and (span.low > number.exact or (span.low_out and span.low == number.exact))


def _all_below(number: Number, span: Span) -> bool:
    return span.high is not None and (
        span.high < number.exact or (span.high_out and span.high == number.exact)
    )


def _overlaps(number: Number, span: Span) -> bool:
    return (span.low is None or span.low <= number.high) and (span.high is None or span.high >= number.low)


COMPARISONS: Final[dict[str, Callable[[Number, Span], bool]]] = {
    "eq": _inside,
    "ne": lambda number, span: not _inside(number, span),
    "gt": _above,
    "lt": _below,
    "ge": _touches_above,
    "le": _touches_below,
    "sa": _all_above,
    "eb": _all_below,
    "ap": _overlaps,
}
"""Prefix → whether a stored span agrees with the number asked (widened already for `ap`)."""
