"""`python -m serment.intake.import_.worker PARENT`: read and make ready what an import sends, until it ends.

Pipes only: jobs come by the standard input, answers go by the standard output, and no file is opened. A
job is read once, says which names it needs, and waits for them while the next one is read. It holds
plaintext, so it leaves no core dump, lets nobody of the same user look into it, and dies with the import,
even a killed one (`prctl(2)`, PR_SET_PDEATHSIG). A defect is told by the name of its type only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import BinaryIO

from serment.intake.import_.jobs import Reading
from serment.intake.import_.messages import decode_job, receive, send

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def harden(parent: int) -> bool:
    """Close this process to its peers and tie it to `parent`; say whether that one still runs."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer message after message until the other side closes."""
    reading = Reading()
    while (frame := receive(jobs)) is not None:
        send(answers, reading.of(decode_job(frame)))


def main() -> None:
    """Serve the import that started this process. Ctrl-C is for the import, which closes the pipes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if harden(int(sys.argv[1])):
        try:
            serve(sys.stdin.buffer, sys.stdout.buffer)
        except BaseException as fault:
            sys.stderr.write(f"import worker: {type(fault).__name__}\n")
            os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
