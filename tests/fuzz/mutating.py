"""Inputs nobody meant to send: seeds that are well formed, changed a little, or put together wrongly.

Every draw comes from a numbered `Random`, so an input that fails is found again by its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

NASTY: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\\u0000",
    b"\\ud800",
    b"\\u0023",
    b'"',
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"-",
    b"1e999999999",
    b"1E-400",
    b"-0",
    b"9" * 400,
    b"0.1e1",
    b"NaN",
    b"__proto__",
    b"_",
    b"#",
    b"/",
    b"|",
    b"$",
    b"%00",
    b"%F0%9F",
    b"../",
    b"\xe2\x80\xae",
    b"2024-02-30",
    b"0000-00-00",
    b"T24:60:61Z",
    b"urn:uuid:",
    b"&amp;",
    b"<!DOCTYPE x [<!ENTITY a '&a;'>]>",
    b"<script>",
    b"A" * 300,
    b"[" * 70,
    b'{"a":' * 70,
)


def _flip(draw: Random, text: bytes) -> bytes:
    at = draw.randrange(len(text) or 1)
    return text[:at] + bytes([draw.randrange(256)]) + text[at + 1 :]


def _cut(draw: Random, text: bytes) -> bytes:
    one, other = sorted((draw.randrange(len(text) + 1), draw.randrange(len(text) + 1)))
    return text[:one] + text[other:] if draw.random() < 0.5 else text[:one]


def _put(draw: Random, text: bytes) -> bytes:
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice(NASTY) + text[at + draw.randrange(3) :]


def _again(draw: Random, text: bytes) -> bytes:
    one, other = sorted((draw.randrange(len(text) + 1), draw.randrange(len(text) + 1)))
    return text[:other] + text[one:other] * draw.randrange(1, 4) + text[other:]


_WAYS: Sequence[Callable[[Random, bytes], bytes]] = (_flip, _cut, _put, _put, _again)
MOST = 64 * 1024


def inputs(seeds: Sequence[bytes], count: int, number: int = 0) -> Iterator[bytes]:
    """Give `count` inputs made from seeds, the same for the same number."""
    draw = Random(number)  # noqa: S311 - examples for a test, no secret
    for _ in range(count):
        text = draw.choice(seeds)
        for _ in range(draw.choice((1, 1, 2, 3, 8))):
            if draw.random() < 0.1:
                other = draw.choice(seeds)
                text = text[: draw.randrange(len(text) + 1)] + other[draw.randrange(len(other) + 1) :]
            else:
                text = draw.choice(_WAYS)(draw, text)
        yield text[:MOST]
