"""Strangers' files before a process of their own, that has no key and ends with its answer (ADR 58).

It gets a request by a pipe and gives an answer back by another; no environment, no other descriptor, no
folder. One that takes too long or says too much is killed. What comes back is not trusted either.

Order: one process on one request, the seals of a PDF.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

import msgspec

from serment.errors import TooManyError
from serment.paper.pades_child import MOST_ANSWER, MOST_BYTES
from serment.paper.seal import Seal, Verdict

if TYPE_CHECKING:
    from serment.paper.pades import Checked

COMMAND: Final = (sys.executable, "-I", "-m", "serment.paper.pades_child")
DEADLINE: Final = 20.0
"""Seconds after which a process that checks is killed."""

AT_ONCE: Final = 2
PATIENCE: Final = 10.0
"""Seconds that a check waits for room."""

_room = threading.BoundedSemaphore(AT_ONCE)


def answer(command: tuple[str, ...], deadline: float, request: bytes, most: int) -> bytes:
    """Run one process on one request, `deadline` seconds; an answer of more than `most` bytes is none.

    Blocks: call it off the event loop.
    """
    with _started(command, deadline) as (into, out):
        feeding = threading.Thread(target=_fed, args=(into, request), daemon=True)
        feeding.start()
        said = out.read(most + 1)
        return said if len(said) <= most else b""


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


def check(pdf: bytes, seals: Collection[Seal], command: tuple[str, ...] = COMMAND) -> Checked:
    """Check a PDF against the seals of one house (`pades.check`). Blocks.

    A file that breaks its reader, or takes too much of it, is `UNREADABLE`. Raises `TooManyError` when all
    are busy.
    """
    from serment.paper.pades import Checked

    request = msgspec.msgpack.encode(([one.certificate for one in seals], pdf))
    if len(request) > MOST_BYTES:
        return Checked(Verdict.UNREADABLE)
    if not _room.acquire(timeout=PATIENCE):
        raise TooManyError("chart.viewer-busy")
    try:
        return msgspec.msgpack.decode(answer(command, DEADLINE, request, MOST_ANSWER), type=Checked)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Checked(Verdict.UNREADABLE)
    finally:
        _room.release()
