"""What a process can do against its own memory being read: no core dump, no ptrace by its peers.

These are Linux settings of this process only. Swap, hibernation and root are outside: see
`docs/explanation/custody.md`.
"""

from __future__ import annotations

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """Forbid core dumps and `/proc/<pid>/mem` to others of the same user; files made here are private."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
