"""Blobs: content sealed in chunks outside the row, and the manifest that holds their tags.

In this order: the manifest and how it stands in a body, sealing content piece by piece, writing
the manifest down. A chunk binds its blob, its place and whether it is the last; the manifest binds the
tags, the entry binds the body: a chunk that is cut, moved, swapped or flipped is found.

Chunks other than the first are written before the decision that counts, each in a transaction of its
own; the first is written with the manifest. So a blob without its first chunk is one that was never
finished: nothing points to it, and a sweep drops it without opening anything. Nothing is opened here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.errors import ConflictError, IntegrityError, TooLargeError
from serment.fhir.binary_json import Shell, shell
from serment.keys.envelope import tag_of
from serment.keys.record_keys import IDENTITY_CATEGORIES, RecordKeys
from serment.model import Category, RecordToken
from serment.store.contract import Transaction

CHUNK: Final = 262_140
"""Bytes of content in a chunk: with its length field 256 KiB, so that padding adds nothing, and a
multiple of three, so that each chunk is whole base64."""

MOST_BYTES: Final = 512 * 1024 * 1024
"""Largest content, in bytes."""

_MARK: Final = b"\x01"
"""First byte of a body that holds a manifest; JSON begins with none such."""


class Manifest(msgspec.Struct, array_like=True, frozen=True):
    """What a blob is made of: its name, sizes in bytes, the tag of each chunk in order, its SHA-256.

    `at`, `start` and `end` are the offsets of `Shell`.
    """

    blob: bytes
    size: int
    chunk: int
    tags: tuple[bytes, ...]
    digest: bytes
    at: int
    start: int
    end: int

    def length_of(self, index: int) -> int:
        """Give the bytes of content in chunk `index`."""
        return min(self.chunk, self.size - index * self.chunk)


_decoder = msgspec.msgpack.Decoder(Manifest)


def framed(manifest: Manifest, text: bytes) -> bytes:
    """Join manifest and shell as one body: mark, u32 length, manifest, shell."""
    packed = msgspec.msgpack.encode(manifest)
    return _MARK + len(packed).to_bytes(4, "big") + packed + text


def unframed(plain: bytes) -> tuple[Manifest | None, Shell]:
    """Take an opened body apart; a body without a manifest is a shell with no place for content.

    Raises `IntegrityError` when the manifest is not one of ours.
    """
    if not plain.startswith(_MARK):
        return None, Shell(plain, 0, 0, 0)
    end = 5 + int.from_bytes(plain[1:5], "big")
    try:
        manifest = _decoder.decode(plain[5:end])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        manifest = None
    if manifest is None:
        raise IntegrityError("binary.altered")
    return manifest, Shell(plain[end:], manifest.at, manifest.start, manifest.end)


def sheet(plain: bytes) -> bytes:
    """Give the resource that an opened body holds: its JSON, without the content that stands in chunks."""
    return unframed(plain)[1].sheet


@dataclass(frozen=True, slots=True)
class Staged:
    """Content that is sealed. Every chunk is stored but the first, which waits for the manifest."""

    record: RecordToken = field(repr=False)
    under_identity: bool
    blob: bytes = field(repr=False)
    size: int
    chunk: int
    tags: tuple[bytes, ...] = field(repr=False)
    digest: bytes = field(repr=False)
    first: bytes = field(repr=False)


Row = tuple[int, bytes]
"""Place and sealed bytes of one chunk."""


class Sealer:
    """Seals content as it comes, never holding more than one chunk of it."""

    def __init__(
        self, keys: RecordKeys, category: Category, chunk: int = CHUNK, most: int = MOST_BYTES
    ) -> None:
        self.blob = os.urandom(16)
        self._keys = keys
        self._category = category
        self._chunk, self._most = chunk, most
        self._waiting = bytearray()
        self._size = 0
        self._digest = hashlib.sha256()
        self._tags: list[bytes] = []
        self._first = b""

    def feed(self, piece: bytes) -> Iterator[Row]:
        """Take more content; give the chunks that are ready to be stored. Raises `TooLargeError`."""
        self._size += len(piece)
        if self._size > self._most:
            raise TooLargeError("binary.too-large", limit=self._most)
        self._digest.update(piece)
        self._waiting += piece
        while len(self._waiting) > self._chunk:
            yield from self._sealed(bytes(self._waiting[: self._chunk]), last=False)
            del self._waiting[: self._chunk]

    def finish(self) -> tuple[list[Row], Staged]:
        """Seal what remains as the last chunk; give it (unless it is the first), and the staged blob."""
        rows = list(self._sealed(bytes(self._waiting), last=True))
        keys, digest = self._keys, self._digest.digest()
        under_identity = self._category in IDENTITY_CATEGORIES
        tags = tuple(self._tags)
        return rows, Staged(
            keys.record, under_identity, self.blob, self._size, self._chunk, tags, digest, self._first
        )

    def _sealed(self, plain: bytes, *, last: bool) -> Iterator[Row]:
        index = len(self._tags)
        sealed = self._keys.seal_chunk(self._category, self.blob, index, plain, last=last)
        self._tags.append(tag_of(sealed))
        if index == 0:
            self._first = sealed
        else:
            yield index, sealed


def seal_all(
    keys: RecordKeys, category: Category, content: bytes, put: Callable[[Row, bytes], None]
) -> Staged:
    """Seal content that is at hand; `put` is given each chunk but the first, and the blob."""
    sealer = Sealer(keys, category)
    for start in range(0, len(content), CHUNK):
        for row in sealer.feed(content[start : start + CHUNK]):
            put(row, sealer.blob)
    rows, staged = sealer.finish()
    for row in rows:
        put(row, sealer.blob)
    return staged


def kept(
    txn: Transaction, keys: RecordKeys, category: Category, body: bytes, content: Staged | bytes
) -> bytes:
    """Write the last of a blob inside a transaction; give the body that holds its manifest.

    Raises `ConflictError` when staged chunks are no longer there, or are under keys of another kind.
    """

    def put(row: Row, blob: bytes) -> None:
        txn.put_chunk(keys.record, blob, *row)

    staged = content if isinstance(content, Staged) else seal_all(keys, category, content, put)
    same_root = staged.under_identity == (category in IDENTITY_CATEGORIES)
    if staged.record != keys.record or not same_root:
        raise ConflictError("binary.swept")
    if txn.chunks(staged.blob) != len(staged.tags) - 1:
        raise ConflictError("binary.swept")
    txn.put_chunk(keys.record, staged.blob, 0, staged.first)
    made = shell(body)
    manifest = Manifest(
        staged.blob, staged.size, staged.chunk, staged.tags, staged.digest, made.at, made.start, made.end
    )
    return framed(manifest, made.text)
