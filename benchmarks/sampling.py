"""Where this process spends its processor time, by stacks: a sampler of the standard library alone.

The kernel's profiling timer (`ITIMER_PROF`) rings after so much processor time of the process. At each ring
every thread is charged, on the stack where it stands, with the processor time that it used since the last
one: a thread that waits is charged nothing. Between two steps of the interpreter is where a ring is heard, so
time inside C (the database, the cipher, the parser) counts for the Python function that called it, or for
the next one that is entered.

`python -m tools.render_flames` draws what is written here.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EVERY = 0.001
"""Seconds of processor time between two samples; the kernel's tick is the least (1 to 10 ms)."""

RAREST = 2_000
"""What took less than such a part of the whole is not told apart."""

LEAST = 2_000
"""Nanoseconds below which a thread did nothing but wake up."""


class Sampler:
    """Samples from `start` on; `collapsed` gives them as lines `outer;…;inner microseconds`."""

    def __init__(self) -> None:
        self._stacks: Counter[tuple[str, ...]] = Counter()
        self._used: dict[int, int] = {}

    def start(self, *_: Any) -> None:
        """Begin; a handler of signals, to be called in the main thread."""
        signal.signal(signal.SIGPROF, self._ring)
        self._charge(None)
        self._stacks.clear()
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def stop(self) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def collapsed(self) -> str:
        """Write what was seen, in alphabetical order; what is too rare counts for its caller."""
        kept = pruned(self._stacks, self._stacks.total() // RAREST)
        lines = [f"{';'.join(stack)} {spent // 1_000}" for stack, spent in kept.items()]
        return "\n".join(sorted(lines)) + "\n"

    def _ring(self, _number: int, frame: FrameType | None) -> None:
        self._charge(frame)

    def _charge(self, here: FrameType | None) -> None:
        main = threading.get_ident()
        for thread, frame in sys._current_frames().items():
            used = time.clock_gettime_ns(time.pthread_getcpuclockid(thread))
            spent, self._used[thread] = used - self._used.get(thread, used), used
            if spent > LEAST:
                self._stacks[stack_of(here if thread == main else frame)] += spent
        # What sampling itself took is charged to nobody.
        self._used[main] = time.clock_gettime_ns(time.pthread_getcpuclockid(main))


def pruned(stacks: Counter[tuple[str, ...]], least: int) -> Counter[tuple[str, ...]]:
    """Shorten stacks until something of at least `least` was spent in and below their innermost function."""
    inside: Counter[tuple[str, ...]] = Counter()
    for stack, spent in stacks.items():
        for depth in range(len(stack)):
            inside[stack[: depth + 1]] += spent
    kept: Counter[tuple[str, ...]] = Counter()
    for stack, spent in stacks.items():
        depth = next((at for at in range(len(stack), 1, -1) if inside[stack[:at]] >= least), 1)
        kept[stack[:depth]] += spent
    return kept


def stack_of(frame: FrameType | None) -> tuple[str, ...]:
    """Name the functions from the outside in."""
    names = []
    while frame is not None:
        names.append(name_of(frame.f_code))
        frame = frame.f_back
    return tuple(reversed(names))


@cache
def name_of(code: CodeType) -> str:
    """Name one function: its file below `serment`, or its package, and its qualified name."""
    file = Path(code.co_filename)
    name = code.co_qualname.replace(".<locals>", "").replace(";", ",")
    if file.is_relative_to(ROOT / "serment"):
        return f"{file.relative_to(ROOT / 'serment').with_suffix('')} {name}"
    parts = file.parts
    inside = parts[parts.index("site-packages") + 1 :] if "site-packages" in parts else parts[-2:]
    package = inside[0].removesuffix(".py") if not inside[0].startswith("python3") else file.stem
    return f"{package}: {name}"
