"""The reserve: a file that takes room on the database's volume so that it can be given back.

When a write meets a full disk, `release` frees one step and the write goes on: traced reads outlive a
full disk by the ballast's size. `refill` takes the room again when there is enough. The state is the
size of the file itself, so that two processes and a restart see the same one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from serment.errors import SettingsError

_BLOCK = 1024 * 1024


class Ballast:
    """`size` bytes in `steps` equal parts at `path`. Raises `SettingsError` when it cannot be opened."""

    def __init__(self, path: Path, size: int, steps: int = 8) -> None:
        if steps < 1 or size < steps:
            raise ValueError("a ballast has at least one byte for each step")
        self._path = path
        self._step = size // steps
        self.size = self._step * steps
        self._lock = Lock()
        try:
            self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            raise SettingsError("store.ballast-cannot-open") from None

    @property
    def standing(self) -> int:
        """Bytes still held."""
        return min(os.fstat(self._handle).st_size, self.size)

    @property
    def whole(self) -> bool:
        """Whether nothing has been given back."""
        return self.standing == self.size

    def release(self) -> int:
        """Give one step back to the volume; the number of bytes freed, 0 when the reserve is spent."""
        with self._locked():
            standing = self.standing
            left = max(0, standing - self._step)
            try:
                os.ftruncate(self._handle, left)
                os.fsync(self._handle)
            except OSError:
                return 0
            return standing - left

    def refill(self) -> bool:
        """Take the room again when the volume keeps as much free beside it; whether the ballast is whole."""
        with self._locked():
            missing = self.size - self.standing
            if missing and self._room() >= 2 * missing:
                self._take(self.standing, missing)
            return self.whole

    def close(self) -> None:
        """Let go of the file, which stays. No later call can touch a file that takes its number."""
        handle, self._handle = self._handle, -1
        os.close(handle)

    def _room(self) -> int:
        volume = os.fstatvfs(self._handle)
        return volume.f_bavail * volume.f_frsize

    def _take(self, start: int, length: int) -> None:
        try:
            os.posix_fallocate(self._handle, start, length)
            if os.fstat(self._handle).st_blocks * 512 < self.size:
                self._write(start, length)
            os.fsync(self._handle)
        except OSError:
            # Somebody else took the room meanwhile: hold what was held before.
            os.ftruncate(self._handle, start)

    def _write(self, start: int, length: int) -> None:
        """Take room with bytes that no file system can compress or leave out."""
        for offset in range(start, start + length, _BLOCK):
            os.pwrite(self._handle, os.urandom(min(_BLOCK, start + length - offset)), offset)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
