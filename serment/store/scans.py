"""The threads in which a store does its long reads, the same for every engine.

Nothing of a database is known here: what a read needs it opens and closes itself, in its thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from serment.errors import DependencyError

T = TypeVar("T")

AT_ONCE: Final = 2
"""Long reads that run side by side; further ones wait."""


class Scans:
    """Runs long reads, `AT_ONCE` of them, until it is closed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="store-scan")

    def run(self, work: Callable[[], T]) -> Future[T]:
        """Run `work` in a thread; after `close` its future carries `DependencyError`."""
        try:
            return self._threads.submit(work)
        except RuntimeError:
            # It has been closed, perhaps this very moment.
            future: Future[T] = Future()
            future.set_exception(DependencyError("store.closed"))
            return future

    def close(self) -> None:
        """Wait for the reads that run, and take no more."""
        self._threads.shutdown()
