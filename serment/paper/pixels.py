"""The pixels of a page that a child process drew: one form of PNG and no other (PNG 3, W3C 2025).

What a process gives back that read a stranger's file is not trusted: no image library sees it. Taken is what
`raster.png` writes: 8-bit red, green, blue, no filter, no interlace; anything else is no picture.
"""

from __future__ import annotations

import struct
import zlib

from serment.paper.press import Picture

MOST_PIXELS = 8_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(png: bytes) -> Picture | None:
    """Read a picture; None for what is none of ours."""
    chunks = _chunks(png)
    if [kind for kind, _ in chunks] != [b"IHDR", b"IDAT", b"IEND"] or len(chunks[0][1]) != 13:
        return None
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    if form != [8, 2, 0, 0, 0] or not 0 < width * height <= MOST_PIXELS:
        return None
    rows = _inflated(chunks[1][1], (width * 3 + 1) * height)
    if rows is None or any(rows[:: width * 3 + 1]):
        return None
    stride = width * 3 + 1
    pixels = b"".join(rows[at + 1 : at + stride] for at in range(0, len(rows), stride))
    return Picture(pixels, width, height)


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Take a file apart into at most four chunks; their checksums say nothing about who wrote them."""
    found: list[tuple[bytes, bytes]] = []
    at = len(_SIGNATURE) if png.startswith(_SIGNATURE) else len(png)
    while at + 12 <= len(png) and len(found) < 4:
        size = int.from_bytes(png[at : at + 4], "big")
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += size + 12
    return found


def _inflated(raw: bytes, size: int) -> bytes | None:
    """Decompress to exactly `size` bytes, never to more (a small file may hold a very large one)."""
    inflating = zlib.decompressobj()
    try:
        data = inflating.decompress(raw, size + 1)
    except zlib.error:
        return None
    return data if len(data) == size else None
