"""The Luhn check digit (ISO/IEC 7812-1 annex B), under RPPS and FINESS numbers."""

from __future__ import annotations


def digit(stem: str) -> str:
    """Give the digit that closes `stem` (ASCII digits)."""
    return str(-_sum(stem + "0") % 10)


def holds(number: str) -> bool:
    """Tell whether `number` (ASCII digits, the check digit last) is consistent."""
    return number.isascii() and number.isdigit() and _sum(number) % 10 == 0


def _sum(number: str) -> int:
    """Add the digits, each second one from the right doubled and its own digits added."""
    total = 0
    for place, character in enumerate(reversed(number)):
        total += sum(divmod(int(character) * (1 + place % 2), 10))
    return total
