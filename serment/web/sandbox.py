"""Where strangers' files are drawn: a process for each, that has nothing and ends with its answer (ADR 58).

It gets the file by a pipe and gives a page back by another; no environment, no other descriptor, no folder.
One that takes too long or says too much is killed. At most `AT_ONCE` run; who finds no room is told to look
again. What comes back is not trusted either.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

from serment.errors import TooManyError
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
        return raster.given(_answer(command, deadline, raster.asked(content, number, drawn=drawn)))
    finally:
        _room.release()


def _answer(command: tuple[str, ...], deadline: float, request: bytes) -> bytes:
    """Run one process on one request; an answer that is too long is none."""
    with _started(command, deadline) as (into, out):
        feeding = threading.Thread(target=_fed, args=(into, request), daemon=True)
        feeding.start()
        answer = out.read(raster.MOST_ANSWER + 1)
        return answer if len(answer) <= raster.MOST_ANSWER else b""


@contextmanager
def _started(command: tuple[str, ...], seconds: float) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Start a process and see it ended, whatever becomes of it."""
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        close_fds=True,
        start_new_session=True,
    )
    deadline = threading.Timer(seconds, child.kill)
    deadline.start()
    try:
        if child.stdin is not None and child.stdout is not None:
            yield child.stdin, child.stdout
    finally:
        deadline.cancel()
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _fed(into: IO[bytes], request: bytes) -> None:
    with suppress(OSError, ValueError):  # it ended before it read everything
        into.write(request)
        into.close()
