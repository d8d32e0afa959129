"""What a record's head, packs and entries are, once opened (ARCHITECTURE.md, "At rest").

A head is the root of a tree of tags: it names the facts row and every pack with the AEAD tag of
the row, so that a row that was deleted, swapped, rolled back or edited is found from here. The
classes are stored once in the head and named by their place. A class with many packs lists its settled ones
in *pages*: rows of their own, sealed as the class, whose tags stand in the head (ADR 38).

Order: classes, pages, head, entries. Nothing here opens, decides or stores anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256

import msgspec

from serment.fhir.extent import Extent
from serment.model import ActorId, Category, Instant, ItemClass

PACK_SIZE = 256
"""Entries in a full pack."""

TAIL_PACKS = 2
"""Small packs of one class that a write leaves before it merges them.

Measured against 4 on a record of 1 000 entries: 60 packs in place of 86 to open, and no dearer write.
"""

Needles = Sequence[Sequence[bytes]]
"""Byte strings that what is looked for holds: of each of them, one at least."""


class Unit(msgspec.Struct, array_like=True, frozen=True):
    """An `ItemClass` as the head stores it."""

    category: str
    document_type: str
    labels: tuple[str, ...]
    author: str
    masked: bool
    timer_end: int | None

    @classmethod
    def of(cls, item: ItemClass) -> Unit:
        """Write a class down."""
        return cls(
            item.category.value, item.document_type, item.labels, item.author, item.masked, item.timer_end
        )

    def item_class(self) -> ItemClass:
        """Read the class back."""
        return _class_of(self)


@lru_cache(maxsize=2048)
def _class_of(unit: Unit) -> ItemClass:
    """Read a class back; the same few hundred stand in every head, and none says whose it is."""
    return ItemClass(
        Category(unit.category),
        unit.document_type,
        unit.labels,
        ActorId(unit.author),
        unit.masked,
        None if unit.timer_end is None else Instant(unit.timer_end),
    )


class PackRef(msgspec.Struct, array_like=True, frozen=True):
    """One pack as the head names it: row number, tag, how many entries, place of its class."""

    number: int
    tag: bytes
    count: int
    unit: int


class PageRef(msgspec.Struct, array_like=True, frozen=True):
    """One page as the head names it: row number, tag, place of its class, numbers of the packs it lists."""

    number: int
    tag: bytes
    unit: int
    packs: tuple[int, ...]


class Listed(msgspec.Struct, array_like=True, frozen=True):
    """One pack as a page lists it: row number, tag, how many entries, how many of them live.

    `newest` is the instant of the last change of any; `spans` stays raw until a search asks for it.
    """

    number: int
    tag: bytes
    count: int
    live: int
    newest: int
    spans: msgspec.Raw

    def extent(self) -> Extent:
        """Read what the entries span."""
        return _extent.decode(self.spans)


class Head(msgspec.Struct, array_like=True, frozen=True):
    """The sealed head of a record. `epoch` repeats the clear column; `writes` counts the writes.

    `persons` is the mark of the tokens under which the person may be found. `packs` are those that no page
    lists: the newest of each class.
    """

    patient: str
    epoch: int
    writes: int
    facts: bytes
    units: tuple[Unit, ...] = ()
    packs: tuple[PackRef, ...] = ()
    persons: bytes = b""
    pages: tuple[PageRef, ...] = ()

    def unit_of(self, pack: int) -> Unit | None:
        """Give the class of a pack, None when neither the head nor a page lists it."""
        place = next((ref.unit for ref in self.packs if ref.number == pack), None)
        if place is None:
            page = self.page_of(pack)
            return None if page is None else self.units[page.unit]
        return self.units[place]

    def page_of(self, pack: int) -> PageRef | None:
        """Give the page that lists a pack."""
        return next((page for page in self.pages if pack in page.packs), None)

    def classes(self) -> tuple[ItemClass, ...]:
        """Give the classes in their places."""
        return tuple(unit.item_class() for unit in self.units)


class Previous(msgspec.Struct, array_like=True, frozen=True):
    """Where the entry of the version before lies: a history pack, its tag and its class."""

    pack: int
    tag: bytes
    unit: Unit


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One index entry. `values` stays raw until a search parameter needs it (HOUSE section 5).

    `part` is "" or the name of a cut half (`fhir/halves`). `body` and `tag` name
    the sealed body; a deleted version has neither.
    """

    type: str
    id: str
    version: int
    part: str
    updated: int
    deleted: bool
    body: int
    tag: bytes
    previous: Previous | None
    values: msgspec.Raw

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"


_head = msgspec.msgpack.Decoder(Head)
_pack = msgspec.msgpack.Decoder(list[Entry])
_extent = msgspec.msgpack.Decoder(Extent)
_page = msgspec.msgpack.Decoder(list[Listed])
_encode = msgspec.msgpack.Encoder().encode


def persons_mark(tokens: Iterable[bytes]) -> bytes:
    """Mark a set of person tokens: 16 bytes, none for no token. A token that is gone is found by it."""
    ordered = sorted(set(tokens))
    return sha256(b"serment/persons/1" + b"".join(ordered)).digest()[:16] if ordered else b""


def encode_head(head: Head) -> bytes:
    """Write a head down."""
    return _encode(head)


def decode_head(plain: bytes) -> Head:
    """Read a head back."""
    return _head.decode(plain)


def encode_pack(entries: list[Entry]) -> bytes:
    """Write the entries of one pack down."""
    return _encode(entries)


def decode_pack(plain: bytes, needles: Needles = ()) -> list[Entry]:
    """Read the entries of a pack; none when its bytes lack, for one of `needles`, all its alternatives.

    Their values stay raw. Entry by entry the needles are for the matcher: to cut a pack into entries costs as
    much as to read them.
    """
    if any(all(needle not in plain for needle in choice) for choice in needles):
        return []
    return _pack.decode(plain)


def encode_page(listed: Iterable[Listed]) -> bytes:
    """Write a page down."""
    return _encode(list(listed))


def decode_page(plain: bytes) -> list[Listed]:
    """Read a page back."""
    return _page.decode(plain)
