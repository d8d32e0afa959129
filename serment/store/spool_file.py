"""The spool: a preallocated file on another path, where a trace is durable when the store is not.

Layout, all integers big-endian, every block 4 096 bytes long or a multiple:

    block 0, 1   two headers, written in turn:  check (32) | turn (8) | generation (8) | length (4) | bytes
    then slots   check (32) | generation (8) | index (8) | length (4) | bytes

`check` is the SHA-256 of the rest of the block's used part. A header torn by a crash leaves the other
one, which is the state before. A slot torn by a crash was never acknowledged: it reads as free. A bad
slot *before* a good one was acknowledged once: that is damage. `clear` raises the generation, in one
header write, so that every slot is free at once; then it wipes them.

Each write ends on the disk before its call returns. The file is shared by processes: each call takes
the file's lock and reads again what it builds on. What the bytes mean is the caller's business.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final

from serment.errors import (
    ConflictError,
    DependencyError,
    IntegrityError,
    SermentError,
    SettingsError,
    StorageFullError,
    TooLargeError,
)
from serment.store.connection import sync_folder
from serment.store.failure import NO_ROOM

BLOCK: Final = 4096
_HEADER = struct.Struct(">QQI")
_SLOT = struct.Struct(">QQI")
_CHECK = 32
_WIPE = 256 * BLOCK

HEADER_MAX: Final = BLOCK - _CHECK - _HEADER.size
"""Bytes that fit in the header."""


@dataclass(frozen=True, slots=True)
class _Header:
    turn: int
    generation: int
    content: bytes


class SpoolFile:
    """`slots` entries of at most `slot_size` bytes each at `path`; made when absent.

    Raises `SettingsError` (the file cannot be made or opened, or has another shape), `IntegrityError`
    (both headers are damaged), `StorageFullError` (no room to preallocate it).
    """

    def __init__(self, path: Path, slots: int, slot_size: int) -> None:
        self.slots = slots
        self.slot_size = slot_size
        self._stride = -(-(_CHECK + _SLOT.size + slot_size) // BLOCK) * BLOCK
        self._size = 2 * BLOCK + slots * self._stride
        self._known = (-1, 0)
        self._read = 0
        self._broken = False
        self._lock = Lock()
        try:
            self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            raise SettingsError("store.spool-cannot-open") from None
        try:
            self._prepare(path)
        except BaseException:
            os.close(self._handle)
            raise

    def header(self) -> bytes:
        """Give the bytes last put in the header, empty at first. Raises `IntegrityError`."""
        with self._locked():
            return self._header().content

    def put_header(self, content: bytes) -> None:
        """Replace the header durably: after a crash either the old or the new one stands."""
        if len(content) > HEADER_MAX:
            raise TooLargeError("store.too-large", code="SPOOL_HEADER")
        with self._locked():
            self._write_header(replace(self._header(), content=content))

    def append(self, entry: bytes) -> int:
        """Store one entry durably and give its index, from 0 since the last `clear`.

        Raises `StorageFullError` when every slot is taken, `TooLargeError`, `DependencyError` when the
        disk refuses (nothing more is taken then until the file is opened again).
        """
        if len(entry) > self.slot_size:
            raise TooLargeError("store.too-large", code="SPOOL_ENTRY")
        with self._locked():
            generation = self._header().generation
            index = self._count(generation)
            if index == self.slots:
                raise StorageFullError("store.spool-full")
            self._write(self._place(index), _seal(_SLOT.pack(generation, index, len(entry)) + entry))
            self._known = (generation, index + 1)
            return index

    def entries(self) -> list[bytes]:
        """Give every entry, oldest first. Raises `IntegrityError` on a damaged one that others follow."""
        with self._locked():
            generation = self._header().generation
            found = [self._slot(index, generation) for index in range(self.slots)]
        whole = [entry for entry in found if entry is not None]
        if found[: len(whole)] != whole:
            raise IntegrityError("store.spool-damaged")
        self._read = len(whole)
        return whole

    def clear(self) -> None:
        """Free every slot, once its entries are durable elsewhere.

        Raises `ConflictError` when entries have come since `entries` was last called here: they would
        be lost.
        """
        with self._locked():
            header = self._header()
            count = self._count(header.generation)
            if count > self._read:
                raise ConflictError("store.spool-moved")
            self._write_header(replace(header, generation=header.generation + 1))
            self._wipe(2 * BLOCK, count * self._stride)
            self._read = 0

    @property
    def count(self) -> int:
        """Entries that stand."""
        with self._locked():
            return self._count(self._header().generation)

    @property
    def full(self) -> bool:
        """Whether every slot is taken."""
        return self.count == self.slots

    def close(self) -> None:
        """Let go of the file, which stays. No later call can touch a file that takes its number."""
        handle, self._handle = self._handle, -1
        os.close(handle)

    def _prepare(self, path: Path) -> None:
        with self._locked():
            size = os.fstat(self._handle).st_size
            # The header is the last thing written when the file is made: blank ones mean a crash then.
            if size <= self._size and not self._bytes_at(0, 2 * BLOCK).strip(b"\0"):
                self._wipe(0, self._size)
                self._write_header(_Header(0, 1, b""))
                sync_folder(path.parent)
            elif size != self._size:
                raise SettingsError("store.spool-shape")
            self._header()

    def _both(self) -> tuple[_Header | None, _Header | None]:
        return self._header_at(0), self._header_at(1)

    def _header(self) -> _Header:
        standing = [header for header in self._both() if header is not None]
        if not standing:
            raise IntegrityError("store.spool-damaged")
        return max(standing, key=lambda header: header.turn)

    def _header_at(self, turn: int) -> _Header | None:
        block = _unseal(self._bytes_at((turn % 2) * BLOCK, BLOCK), _HEADER)
        return _Header(block[0][0], block[0][1], block[1]) if block else None

    def _write_header(self, header: _Header) -> None:
        turn = header.turn + 1
        block = _seal(_HEADER.pack(turn, header.generation, len(header.content)) + header.content)
        self._write((turn % 2) * BLOCK, block.ljust(BLOCK, b"\0"))

    def _count(self, generation: int) -> int:
        """Count up to the last good slot: a damaged one before it is never written over."""
        known, count = self._known
        if known != generation:
            taken = (
                index for index in reversed(range(self.slots)) if self._slot(index, generation) is not None
            )
            count = next(taken, -1) + 1
        while count < self.slots and self._slot(count, generation) is not None:
            count += 1
        self._known = (generation, count)
        return count

    def _slot(self, index: int, generation: int) -> bytes | None:
        block = _unseal(self._bytes_at(self._place(index), self._stride), _SLOT)
        return block[1] if block and block[0][:2] == (generation, index) else None

    def _place(self, index: int) -> int:
        return 2 * BLOCK + index * self._stride

    def _bytes_at(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._handle, length, offset)
        except OSError:
            raise DependencyError("store.spool-failed") from None

    def _wipe(self, start: int, length: int) -> None:
        for offset in range(start, start + length, _WIPE):
            self._pwrite(offset, bytes(min(_WIPE, start + length - offset)))
        self._sync()

    def _write(self, offset: int, content: bytes) -> None:
        self._pwrite(offset, content)
        self._sync()

    def _pwrite(self, offset: int, content: bytes) -> None:
        if self._broken:
            raise DependencyError("store.spool-failed")
        try:
            while content:
                written = os.pwrite(self._handle, content, offset)
                content, offset = content[written:], offset + written
        except OSError as error:
            raise self._refused(error) from None

    def _sync(self) -> None:
        try:
            os.fsync(self._handle)
        except OSError as error:
            # After a failed fsync the kernel may call lost pages clean: no later one can be trusted.
            self._broken = True
            raise self._refused(error) from None

    @staticmethod
    def _refused(error: OSError) -> SermentError:
        if error.errno in NO_ROOM:
            return StorageFullError("store.spool-full")
        return DependencyError("store.spool-failed")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).digest() + content


def _unseal(block: bytes, fixed: struct.Struct) -> tuple[tuple[int, ...], bytes] | None:
    """Give the fixed part and the bytes of a block, or None when it is free, torn or damaged."""
    start = _CHECK + fixed.size
    if len(block) < start:
        return None
    numbers: tuple[int, ...] = fixed.unpack_from(block, _CHECK)
    end = start + numbers[-1]
    if end > len(block) or hashlib.sha256(block[_CHECK:end]).digest() != block[:_CHECK]:
        return None
    return numbers, block[start:end]
