"""Check a pack and all that it lists, without giving anything of it back.

A scrub has nobody's permission to read: it learns which rows are not what was written, by number, and
nothing else. So the way from a pack to its bodies is walked here, behind `check`: the entries of a pack
are read, the rows that they name are fetched by number and checked, and everything is discarded.

Only the first nine fields of an entry are known here, those that name rows, and of a body that begins
with a blob's manifest the blob and the tags of its chunks (`record/index.py` and `record/blobs.py` have
the whole; tests hold the readings together). Values are never decoded. ADR 23 says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from serment.errors import IntegrityError
from serment.keys.material import RecordKind
from serment.keys.openings import SealedRow, check, unsealed
from serment.keys.record_keys import RecordKeys
from serment.model import ActorId, Category, Instant, ItemClass, RecordToken


class _Unit(msgspec.Struct, array_like=True, frozen=True):
    category: str
    document_type: str
    labels: tuple[str, ...]
    author: str
    masked: bool
    timer_end: int | None

    def item_class(self) -> ItemClass:
        end = None if self.timer_end is None else Instant(self.timer_end)
        return ItemClass(
            Category(self.category), self.document_type, self.labels, ActorId(self.author), self.masked, end
        )


class _Previous(msgspec.Struct, array_like=True, frozen=True):
    pack: int
    tag: bytes
    unit: _Unit


class _Listed(msgspec.Struct, array_like=True, frozen=True):
    """The start of an entry; what follows stays unread."""

    type: str
    id: str
    version: int
    part: str
    updated: int
    deleted: bool
    body: int
    tag: bytes
    previous: _Previous | None


class _Manifest(msgspec.Struct, array_like=True, frozen=True):
    """The start of a blob's manifest."""

    blob: bytes
    size: int
    chunk: int
    tags: tuple[bytes, ...]


class _Line(msgspec.Struct, array_like=True, frozen=True):
    """The start of a page's line on one pack."""

    number: int
    tag: bytes


_MANIFEST = b"\x01"
_manifest = msgspec.msgpack.Decoder(_Manifest)
_listed = msgspec.msgpack.Decoder(list[_Listed])
_lines = msgspec.msgpack.Decoder(list[_Line])


class Rows(Protocol):
    """Rows of one record by number, chunks by blob and place; where a locator leads: (record, pack)."""

    def body(self, number: int) -> bytes | None: ...
    def pack(self, number: int) -> bytes | None: ...
    def chunk(self, blob: bytes, index: int) -> bytes | None: ...
    def leads(self, token: bytes) -> tuple[RecordToken, int] | None: ...


@dataclass(slots=True)
class Checked:
    """How many rows were read, and the numbers of those that are not what was written."""

    rows: int = 0
    broken: list[int] = field(default_factory=list)

    def see(self, number: int, *, whole: bool) -> None:
        """Count one row."""
        self.rows += 1
        if not whole:
            self.broken.append(number)


def check_pack(
    keys: RecordKeys, number: int, unit: ItemClass, tag: bytes, rows: Rows, locator: Callable[[str], bytes]
) -> Checked:
    """Check current pack `number`, the locators of its entries, their bodies and every version before.

    `locator` is the installation's. Gives counts and row numbers, never a byte of what was opened.
    """
    found = Checked()
    for entry in _entries(keys, number, unit, tag, rows, found):
        name = f"{entry.type}/{entry.id}#{entry.part}" if entry.part else f"{entry.type}/{entry.id}"
        found.see(number, whole=rows.leads(locator(name)) == (keys.record, number))
        _check_versions(keys, entry, unit, rows, found)
    return found


def check_page(
    keys: RecordKeys,
    number: int,
    unit: ItemClass,
    tag: bytes,
    packs: Sequence[int],
    rows: Rows,
    locator: Callable[[str], bytes],
) -> Checked:
    """Check page `number`: it lists the `packs` that the head says, each as whole as `check_pack` asks."""
    found = Checked()
    row = SealedRow(keys.page_at(number, unit), rows.pack(number) or b"", unit, tag)
    try:
        lines = _lines.decode(unsealed(keys, row))
    except (IntegrityError, msgspec.MsgspecError, ValueError):
        lines = []
    found.see(number, whole=bool(lines) and [line.number for line in lines] == list(packs))
    for line in lines:
        below = check_pack(keys, line.number, unit, line.tag, rows, locator)
        found.rows += below.rows
        found.broken += below.broken
    return found


def _check_versions(keys: RecordKeys, entry: _Listed, unit: ItemClass, rows: Rows, found: Checked) -> None:
    """Check the body of an entry, then go back from version to version."""
    step: _Listed | None = entry
    while step is not None:
        _check_body(keys, step, unit, rows, found)
        link = step.previous
        if link is None:
            return
        unit = link.unit.item_class()
        step = next(_entries(keys, link.pack, unit, link.tag, rows, found), None)


def _check_body(keys: RecordKeys, entry: _Listed, unit: ItemClass, rows: Rows, found: Checked) -> None:
    if entry.deleted:
        return
    if keys.kind is RecordKind.QUARANTINE:
        at = keys.quarantine_at(entry.id)
    else:
        at = keys.body_at(entry.type, entry.id, entry.version, entry.part)
    sealed = rows.body(entry.body) or b""
    try:
        plain = unsealed(keys, SealedRow(at, sealed, unit, entry.tag))
        manifest = _manifest_of(plain)
    except (IntegrityError, msgspec.MsgspecError, ValueError):
        found.see(entry.body, whole=False)
        return
    found.see(entry.body, whole=True)
    if manifest is None:
        return
    for index, tag in enumerate(manifest.tags):
        place = keys.chunk_at(manifest.blob, index, last=index == len(manifest.tags) - 1)
        row = SealedRow(place, rows.chunk(manifest.blob, index) or b"", unit, tag)
        found.see(entry.body, whole=check(keys, row))


def _manifest_of(plain: bytes) -> _Manifest | None:
    """Read the manifest that a body begins with: mark, u32 length, MessagePack; None for JSON."""
    if not plain.startswith(_MANIFEST):
        return None
    return _manifest.decode(plain[5 : 5 + int.from_bytes(plain[1:5], "big")])


def _entries(
    keys: RecordKeys, number: int, unit: ItemClass, tag: bytes, rows: Rows, found: Checked
) -> Iterator[_Listed]:
    sealed = rows.pack(number) or b""
    try:
        listed = _listed.decode(unsealed(keys, SealedRow(keys.pack_at(number, unit), sealed, unit, tag)))
    except (IntegrityError, msgspec.MsgspecError, ValueError):
        found.see(number, whole=False)
        return
    found.see(number, whole=True)
    yield from listed
