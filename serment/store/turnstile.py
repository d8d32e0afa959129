"""Who writes next, among the processes of one SQLite file: first come, first served.

SQLite's write lock goes to whoever asks at the right moment. A process that commits group after group asks
again at once, and another one, looking every hundred milliseconds, may wait for seconds. Here whoever wants
to write stands in the turnstile until it has the write lock; who has just written waits behind them.

It orders and protects nothing: that is the write lock's. Where the turnstile cannot be had, because
its file cannot be made or somebody stands in it for too long, writing goes on without it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.0005
"""Between two looks at a lock that another process has."""

PATIENCE_SECONDS: Final = 2.0
"""How long one waits for whoever stands in the turnstile: that one may have been stopped."""


def turnstile_of(path: Path) -> Path:
    """Name the file whose lock (`flock(2)`) is the turnstile of a database. It stays empty."""
    return path.with_name(path.name + "-turn")


class Turnstile:
    """The turnstile as one writer goes through it."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        with suppress(OSError):
            self._file = os.open(turnstile_of(path), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Stand in it for as long as the write lock is asked for."""
        entered = self._enter()
        try:
            yield
        finally:
            if entered is not None:
                fcntl.flock(entered, fcntl.LOCK_UN)

    def enter_now(self) -> int | None:
        """Step in and give what to unlock; None when somebody stands there, or when it cannot be had."""
        if self._file is None:
            return None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return None
        return self._file

    def _enter(self) -> int | None:
        until = time.monotonic() + PATIENCE_SECONDS
        while (entered := self.enter_now()) is None:
            if self._file is None or time.monotonic() >= until:
                return None
            time.sleep(LOOK_SECONDS)
        return entered

    def close(self) -> None:
        """Go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def patient(milliseconds: int) -> Callable[[int], bool]:
    """Give a busy handler of SQLite that looks again every `LOOK_SECONDS`, for so long.

    Its own one waits a hundred milliseconds between two looks.
    """
    looks = int(milliseconds / 1000 / LOOK_SECONDS)

    def again(looked: int) -> bool:
        time.sleep(LOOK_SECONDS)
        return looked < looks

    return again
