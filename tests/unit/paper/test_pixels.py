"""A picture that a child gives back: ours, or none."""

from __future__ import annotations

import struct
import zlib

import pytest

from serment.paper.pixels import picture
from serment.paper.raster import png

ROWS = bytes(range(12)) * 2


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def made(header: bytes, rows: bytes) -> bytes:
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_what_the_child_writes_comes_back_as_its_pixels() -> None:
    found = picture(png(ROWS, 4, 2, 12))
    assert found is not None
    assert (found.pixels, found.width, found.height) == (ROWS, 4, 2)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        png(ROWS, 4, 2, 12)[:-20],
        made(struct.pack(">IIBBBBB", 4, 2, 8, 6, 0, 0, 0), b"\0" * 26),
        made(struct.pack(">IIBBBBB", 4, 2, 8, 2, 0, 0, 1), b"\0" * 26),
        made(struct.pack(">IIBBBBB", 4, 2, 8, 2, 0, 0, 0), b"\1" * 26),
        made(struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0), b"\0" * 26),
        made(struct.pack(">IIBBBBB", 4, 2, 8, 2, 0, 0, 0), b"\0" * 27_000_000),
        made(struct.pack(">IIBBBBB", 0, 2, 8, 2, 0, 0, 0), b""),
        made(b"short", b""),
    ],
)
def test_anything_else_is_no_picture(raw: bytes) -> None:
    assert picture(raw) is None
