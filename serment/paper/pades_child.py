"""The process in which the seals of a PDF are checked: `python -I -m serment.paper.pades_child`, one file.

A few kilobytes may unfold into gigabytes of a cross-reference table: whoever checks files that anybody sends
does so where memory and processor are limited, and where no key is. The reader is Python, which no file makes
write where it should not; what it needs of the system is more than `confinement.confine` leaves, so the
limits stand alone, and care goes first. An error ends it without a word.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import msgspec

from serment.paper import confinement

MOST_BYTES: Final = 34 * 1024 * 1024
"""Largest request: a file, and the certificates of our seals."""

MOST_ANSWER: Final = 1024 * 1024


def main() -> None:
    """Answer one request: MessagePack `[certificates, file]` in, what `pades.check` found out."""
    confinement.limited()
    os.nice(10)
    from serment.paper import pades
    from serment.paper.seal import Seal

    request = sys.stdin.buffer.read(MOST_BYTES)
    certificates, pdf = msgspec.msgpack.decode(request, type=tuple[list[bytes], bytes])
    found = pades.check(pdf, [Seal(one) for one in certificates])
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))
    sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
