"""Content is sealed piece by piece; a manifest says what it is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError, TooLargeError
from serment.fhir.binary_json import described, shell
from serment.keys.envelope import tag_of
from serment.keys.openings import SealedRow
from serment.keys.openings import open as open_row
from serment.model import ItemClass
from serment.record.blobs import CHUNK, Manifest, Row, Sealer, Staged, framed, sheet, unframed
from tests.unit.keys.samples import LABS, NOW, alice, permit, receipt

SMALL = 9


def seal(content: bytes, pieces: int = 4, chunk: int = SMALL) -> tuple[list[Row], Staged]:
    sealer = Sealer(alice(), LABS.category, chunk)
    rows = [row for at in range(0, len(content), pieces) for row in sealer.feed(content[at : at + pieces])]
    last, staged = sealer.finish()
    return [(0, staged.first), *rows, *last], staged


def opened(rows: list[Row], staged: Staged, unit: ItemClass = LABS) -> Iterator[bytes]:
    keys = alice()
    for index, sealed in rows:
        at = keys.chunk_at(staged.blob, index, last=index == len(staged.tags) - 1)
        row = SealedRow(at, sealed, unit, staged.tags[index])
        yield open_row(keys, permit(), receipt(), row, NOW)


@given(st.binary(max_size=100), st.integers(1, 40))
def test_content_in_any_pieces_comes_back_whole(content: bytes, pieces: int) -> None:
    rows, staged = seal(content, pieces)
    assert b"".join(opened(rows, staged)) == content
    assert staged.digest == hashlib.sha256(content).digest()
    assert (staged.size, [index for index, _ in rows]) == (len(content), list(range(len(staged.tags))))


def test_the_tags_of_the_manifest_are_those_of_the_chunks() -> None:
    rows, staged = seal(bytes(30))
    assert [tag_of(sealed) for _, sealed in rows] == list(staged.tags)
    assert len(staged.tags) == 4


def test_a_chunk_that_is_exactly_full_is_the_last_one() -> None:
    rows, staged = seal(bytes(SMALL))
    assert len(staged.tags) == 1
    assert b"".join(opened(rows, staged)) == bytes(SMALL)


def test_the_first_chunk_is_never_stored_before_the_manifest() -> None:
    sealer = Sealer(alice(), LABS.category, SMALL)
    assert [index for index, _ in sealer.feed(bytes(SMALL * 4))] == [1, 2]


def test_two_seals_of_the_same_content_share_no_byte_that_tells() -> None:
    one, other = seal(bytes(30)), seal(bytes(30))
    assert one[1].blob != other[1].blob
    assert not {sealed for _, sealed in one[0]} & {sealed for _, sealed in other[0]}


def test_a_chunk_cut_from_the_end_cannot_make_the_one_before_the_last() -> None:
    rows, staged = seal(bytes(30))
    keys = alice()
    index, sealed = rows[2]
    as_last = SealedRow(keys.chunk_at(staged.blob, index, last=True), sealed, LABS, staged.tags[index])
    with pytest.raises(IntegrityError):
        open_row(keys, permit(), receipt(), as_last, NOW)


def test_too_much_content_is_refused_while_it_comes() -> None:
    sealer = Sealer(alice(), LABS.category, SMALL, most=20)
    list(sealer.feed(bytes(20)))
    with pytest.raises(TooLargeError):
        list(sealer.feed(b"x"))


def test_a_full_chunk_is_whole_base64_and_needs_no_padding() -> None:
    assert CHUNK % 3 == 0
    sealed = alice().seal_chunk(LABS.category, b"blob", 0, bytes(CHUNK), last=False)
    assert len(sealed) == 256 * 1024 + 46


def manifest(text: bytes) -> tuple[Manifest, bytes]:
    _, staged = seal(bytes(30))
    made = shell(text)
    told = Manifest(
        staged.blob, 30, SMALL, staged.tags, staged.digest, made.at, made.start, made.end
    )  # fmt: skip
    return told, made.text


def test_a_body_holds_the_manifest_and_the_resource() -> None:
    told, text = manifest(described("application/pdf", "Patient/1"))
    plain = framed(told, text)
    found, made = unframed(plain)
    assert (found, made.text) == (told, text)
    assert sheet(plain) == described("application/pdf", "Patient/1")
    assert [told.length_of(index) for index in range(4)] == [9, 9, 9, 3]


def test_a_body_without_manifest_is_the_resource_itself() -> None:
    assert unframed(b'{"resourceType":"Binary"}')[0] is None
    assert sheet(b' {"resourceType":"Observation"}') == b' {"resourceType":"Observation"}'


@pytest.mark.parametrize("plain", [b"\x01", b"\x01\x00\x00\x00\x02\xc0\xc0", b"\x01\x00\x00\x00\x01\x90{}"])
def test_a_manifest_that_is_not_ours_is_an_integrity_error(plain: bytes) -> None:
    with pytest.raises(IntegrityError):
        unframed(plain)
