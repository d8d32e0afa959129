"""Where strangers' files are drawn: a process for each, that has nothing and ends with its answer (ADR 58).

How one is started and ended is in `exits/apart`. At most `AT_ONCE` run; who finds no room is told to look
again. What comes back is not trusted either.
"""

from __future__ import annotations

import sys
import threading
from typing import Final

from serment.errors import TooManyError
from serment.exits.apart import answer
from serment.paper import raster
from serment.paper.raster import Sheet

COMMAND: Final = (sys.executable, "-I", "-m", "serment.paper.raster_child")
DEADLINE: Final = 12.0
"""Seconds after which a process that draws is killed."""

AT_ONCE: Final = 3
PATIENCE: Final = 10.0
"""Seconds that a page waits for room."""

_room = threading.BoundedSemaphore(AT_ONCE)


def sheet(
    content: bytes,
    number: int,
    *,
    drawn: bool = True,
    command: tuple[str, ...] = COMMAND,
    deadline: float = DEADLINE,
) -> Sheet:
    """Draw a page of a PDF, the first is 1, or give its words only. Blocks: call it off the event loop.

    A file that breaks its reader gives the fault `raster.BROKEN`. Raises `TooManyError` when all are busy.
    """
    if len(content) > raster.MOST_BYTES:
        return Sheet(raster.BROKEN)
    if not _room.acquire(timeout=PATIENCE):
        raise TooManyError("chart.viewer-busy")
    try:
        request = raster.asked(content, number, drawn=drawn)
        return raster.given(answer(command, deadline, request, raster.MOST_ANSWER))
    finally:
        _room.release()
