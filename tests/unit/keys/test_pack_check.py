"""A pack and all that it lists, checked by number: nothing comes back but counts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import msgspec
import pytest

from serment.keys.envelope import tag_of
from serment.keys.material import RecordKind, Unwrapped, YearMaterial
from serment.keys.pack_check import Checked, check_pack
from serment.keys.record_keys import RecordKeys
from serment.model import Category, ItemClass, RecordToken
from serment.record.blobs import Manifest, Sealer, framed
from serment.record.index import Entry, Previous, Unit, encode_pack

RECORD = RecordToken(b"r" * 16)
UNIT = ItemClass(Category.LABS, "Observation")
OLD = ItemClass(Category.NOTES, "Observation")
VALUES = msgspec.Raw(msgspec.msgpack.encode({"code": "a value that nobody decodes"}))


def keys() -> RecordKeys:
    year = YearMaterial(2026, b"y" * 16, b"k" * 32)
    return RecordKeys(
        Unwrapped(b"s" * 16, RECORD, RecordKind.PATIENT, 1, b"i" * 32, b"c" * 32, b"t" * 32, year)
    )


@dataclass
class Table:
    """The sealed rows of one record."""

    keys: RecordKeys = field(default_factory=keys)
    packs: dict[int, bytes] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    locators: dict[bytes, tuple[RecordToken, int]] = field(default_factory=dict)
    chunks: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    def body(self, number: int) -> bytes | None:
        return self.bodies.get(number)

    def pack(self, number: int) -> bytes | None:
        return self.packs.get(number)

    def chunk(self, blob: bytes, index: int) -> bytes | None:
        return self.chunks.get((blob, index))

    def leads(self, token: bytes) -> tuple[RecordToken, int] | None:
        return self.locators.get(token)

    def add_body(self, number: int, version: int, unit: ItemClass, plain: bytes = b"{}") -> bytes:
        self.bodies[number] = self.keys.seal_body(unit.category, "Observation", "a", version, plain)
        return tag_of(self.bodies[number])

    def add_pack(self, number: int, unit: ItemClass, entry: Entry) -> bytes:
        self.packs[number] = self.keys.seal_pack(number, unit, encode_pack([entry]))
        return tag_of(self.packs[number])

    def check(self, tag: bytes) -> Checked:
        return check_pack(self.keys, 2, UNIT, tag, self, str.encode)


def two_versions() -> tuple[Table, bytes]:
    """Make an item of two versions, the first of them in another class."""
    table = Table()
    first = Entry("Observation", "a", 1, "", 1, False, 10, table.add_body(10, 1, OLD), None, VALUES)
    before = Previous(1, table.add_pack(1, OLD, first), Unit.of(OLD))
    entry = Entry("Observation", "a", 2, "", 2, False, 11, table.add_body(11, 2, UNIT), before, VALUES)
    tag = table.add_pack(2, UNIT, entry)
    table.locators[b"Observation/a"] = (RECORD, 2)
    return table, tag


def test_a_whole_pack_with_its_versions_is_counted_and_nothing_is_blamed() -> None:
    table, tag = two_versions()
    assert table.check(tag) == Checked(rows=5, broken=[])


def flipped(sealed: bytes) -> bytes:
    return sealed[:-20] + bytes([sealed[-20] ^ 1]) + sealed[-19:]


@pytest.mark.parametrize(("kind", "number"), [("packs", 1), ("packs", 2), ("bodies", 10), ("bodies", 11)])
@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_each_row_that_is_altered_or_gone_is_named_by_its_number(kind: str, number: int, how: str) -> None:
    table, tag = two_versions()
    rows: dict[int, bytes] = getattr(table, kind)
    if how == "gone":
        del rows[number]
    else:
        rows[number] = flipped(rows[number])
    assert table.check(tag).broken == [number]


def test_bodies_exchanged_are_both_named() -> None:
    table, tag = two_versions()
    table.bodies[10], table.bodies[11] = table.bodies[11], table.bodies[10]
    assert sorted(table.check(tag).broken) == [10, 11]


@pytest.mark.parametrize("leads", [None, (RECORD, 3), (RecordToken(b"o" * 16), 2)])
def test_a_locator_that_leads_elsewhere_blames_its_pack(leads: tuple[RecordToken, int] | None) -> None:
    table, tag = two_versions()
    del table.locators[b"Observation/a"]
    if leads is not None:
        table.locators[b"Observation/a"] = leads
    assert table.check(tag).broken == [2]


def test_a_pack_of_another_tag_is_not_believed() -> None:
    table, _ = two_versions()
    assert table.check(bytes(16)).broken == [2]


def test_nothing_but_numbers_comes_back() -> None:
    table, tag = two_versions()
    found: Any = table.check(tag)
    assert {name.name for name in fields(found)} == {"rows", "broken"}
    assert all(isinstance(number, int) for number in [found.rows, *found.broken])


def with_a_blob() -> tuple[Table, bytes, bytes]:
    """Make an item whose content stands in three chunks, written down as `record/blobs.py` does."""
    table = Table()
    sealer = Sealer(table.keys, UNIT.category, chunk=300)
    rows = list(sealer.feed(bytes(700)))
    last, staged = sealer.finish()
    for index, sealed in [*rows, *last, (0, staged.first)]:
        table.chunks[staged.blob, index] = sealed
    manifest = Manifest(staged.blob, staged.size, staged.chunk, staged.tags, staged.digest, 0, 0, 0)
    body = table.add_body(10, 1, UNIT, framed(manifest, b"{}"))
    tag = table.add_pack(2, UNIT, Entry("Observation", "a", 1, "", 1, False, 10, body, None, VALUES))
    table.locators[b"Observation/a"] = (RECORD, 2)
    return table, tag, staged.blob


def test_the_chunks_of_a_blob_are_checked_from_its_manifest() -> None:
    table, tag, _ = with_a_blob()
    assert table.check(tag) == Checked(rows=6, broken=[])


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_chunk_that_is_altered_gone_or_moved_blames_its_body(index: int) -> None:
    table, tag, blob = with_a_blob()
    whole = dict(table.chunks)
    table.chunks[blob, index] = flipped(whole[blob, index])
    assert table.check(tag).broken == [10]
    table.chunks[blob, index] = whole[blob, (index + 1) % 3]
    assert table.check(tag).broken == [10]
    del table.chunks[blob, index]
    assert table.check(tag).broken == [10]
