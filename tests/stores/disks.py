"""Disks that misbehave, under SQLite: one that remembers every write and flush, one that refuses the Nth.

Each is an `apsw.VFS` over the real one, made the default while it is `under` a test. What a power cut
may leave (`after_power_cut`): of each file, all that was flushed; of what was written since, any part
in sectors of 512 bytes. Names in folders are taken to be durable once made.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

SECTOR = 512


@dataclass(frozen=True)
class Written:
    file: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Cut:
    file: str
    size: int


@dataclass(frozen=True)
class Flushed:
    file: str


@dataclass(frozen=True)
class Acknowledged:
    name: bytes


Event = Written | Cut | Flushed | Acknowledged


class Disk(apsw.VFS):
    """Passes everything on, after `happens` has seen it."""

    def __init__(self) -> None:
        super().__init__("test-disk", "unix", makedefault=True)

    def happens(self, event: Event) -> None:
        """See one operation; raising refuses it."""

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        full = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk = disk
        self._name = os.path.basename(full or "temporary")

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.happens(Written(self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.happens(Cut(self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.happens(Flushed(self._name))
        super().xSync(flags)


@contextmanager
def under(disk: Disk) -> Iterator[None]:
    try:
        yield
    finally:
        disk.unregister()


class RecordingDisk(Disk):
    def __init__(self) -> None:
        self.events: list[Event] = []
        super().__init__()

    def happens(self, event: Event) -> None:
        self.events.append(event)


class RefusingDisk(Disk):
    """Refuses operation number `turn` (and all after it when `for_good`) with SQLite's code `code`."""

    def __init__(self, turn: int, code: int, *, for_good: bool) -> None:
        self.count = 0
        self.refused = 0
        self._turn = turn
        self._code = code
        self._for_good = for_good
        self.armed = False
        super().__init__()

    def happens(self, event: Event) -> None:  # noqa: ARG002 - any operation counts
        self.count += self.armed
        if self.armed and (self.count == self._turn or (self._for_good and self.count > self._turn)):
            self.refused += 1
            raise apsw.exception_for(self._code)


def after_power_cut(before: Path, after: Path, events: list[Event], dice: random.Random) -> None:
    """Write into `after` what may be left of `before` when the power goes once `events` have happened."""
    files = {file.name: bytearray(file.read_bytes()) for file in before.iterdir()}
    waiting: dict[str, list[Written | Cut]] = {}
    for event in events:
        if isinstance(event, Written | Cut):
            waiting.setdefault(event.file, []).append(event)
        elif isinstance(event, Flushed):
            for change in waiting.pop(event.file, []):
                _apply(files, change)
    for change in (change for changes in waiting.values() for change in changes):
        for part in _sectors(change):
            if dice.random() < 0.5:
                _apply(files, part)
    for name, content in files.items():
        if not name.endswith("-shm"):
            (after / name).write_bytes(content)


def _sectors(change: Written | Cut) -> Iterator[Written | Cut]:
    if isinstance(change, Cut):
        yield change
        return
    for start in range(0, len(change.content), SECTOR):
        yield Written(change.file, change.offset + start, change.content[start : start + SECTOR])


def _apply(files: dict[str, bytearray], change: Written | Cut) -> None:
    content = files.setdefault(change.file, bytearray())
    if isinstance(change, Cut):
        del content[change.size :]
        return
    end = change.offset + len(change.content)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.content
