"""The envelope: what is sealed opens at its place under its key, and nowhere else."""

from __future__ import annotations

import copy
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError
from serment.keys.envelope import (
    FORMAT,
    Coordinates,
    RowKind,
    SubKey,
    length_prefixed,
    padded_size,
    padme,
    seal,
    tag_of,
    unseal,
)
from serment.model import RecordToken

KEY = SubKey(b"k" * 32)
OTHER = SubKey(b"o" * 32)
AT = Coordinates(b"s" * 16, RecordToken(b"r" * 16), RowKind.BODY, "Observation", "f001", 3)
SEALED = seal(KEY, AT, b'{"resourceType":"Observation"}')


@given(st.binary(max_size=5000))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    assert unseal(KEY, AT, seal(KEY, AT, plain)) == plain


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_altered_byte_fails(place: int, flip: int) -> None:
    altered = bytearray(SEALED)
    altered[place] ^= flip
    with pytest.raises(IntegrityError):
        unseal(KEY, AT, bytes(altered))


@given(st.integers(0, len(SEALED) - 1))
def test_a_shortened_row_fails(size: int) -> None:
    with pytest.raises(IntegrityError):
        unseal(KEY, AT, SEALED[:size])


@pytest.mark.parametrize(
    "moved",
    [
        AT._replace(store=b"t" * 16),
        AT._replace(record=RecordToken(b"q" * 16)),
        AT._replace(kind=RowKind.CHUNK),
        AT._replace(type="Condition"),
        AT._replace(id="f002"),
        AT._replace(version=2),
    ],
)
def test_a_row_moved_along_any_coordinate_does_not_open(moved: Coordinates) -> None:
    with pytest.raises(IntegrityError) as caught:
        unseal(KEY, moved, SEALED)
    assert caught.value.sentence == "keys.altered"


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_two_places_never_have_the_same_associated_data(a: str, b: str, c: str, d: str) -> None:
    one, two = AT._replace(type=a, id=b), AT._replace(type=c, id=d)
    assert (one.aad() == two.aad()) == ((a, b) == (c, d))


def test_a_row_of_one_key_never_opens_under_another() -> None:
    with pytest.raises(IntegrityError) as caught:
        unseal(OTHER, AT, SEALED)
    assert caught.value.sentence == "keys.wrong-key"


def test_a_ciphertext_made_for_two_keys_opens_under_none_but_the_one_it_names() -> None:
    """Even an authentic ciphertext of another key is refused while it names this one."""
    forged = FORMAT + KEY.commitment + SEALED[18:]
    named = FORMAT + OTHER.commitment + SEALED[18:]
    assert unseal(KEY, AT, forged)
    with pytest.raises(IntegrityError):
        unseal(KEY, AT, named)
    with pytest.raises(IntegrityError):
        unseal(OTHER, AT, named)


def test_another_format_says_so() -> None:
    with pytest.raises(IntegrityError) as caught:
        unseal(KEY, AT, b"\x53\x02" + SEALED[2:])
    assert caught.value.sentence == "keys.other-format"


def test_an_authentic_envelope_with_an_impossible_length_is_refused() -> None:
    nonce = b"n" * 12
    padded = b"\xff\xff\xff\xff" + bytes(252)
    sealed = FORMAT + KEY.commitment + nonce + AESGCM(b"k" * 32).encrypt(nonce, padded, AT.aad())
    with pytest.raises(IntegrityError) as caught:
        unseal(KEY, AT, sealed)
    assert caught.value.sentence == "keys.other-format"


@pytest.mark.parametrize(
    ("size", "padded"), [(0, 0), (1, 1), (9, 10), (100, 104), (1000, 1024), (1025, 1088), (65_537, 67_584)]
)
def test_padme_matches_its_paper(size: int, padded: int) -> None:
    assert padme(size) == padded


@given(st.integers(0, 10_000_000))
def test_padding_costs_at_most_twelve_per_cent(size: int) -> None:
    assert size <= padme(size) <= size * 1.12 + 1
    assert padme(padme(size)) == padme(size)


@given(st.binary(max_size=252))
def test_small_rows_all_have_one_size(plain: bytes) -> None:
    assert len(seal(KEY, AT, plain)) == 2 + 16 + 12 + 256 + 16


def test_the_padded_size_is_what_the_envelope_holds() -> None:
    assert len(seal(KEY, AT, b"x" * 3000)) == 30 + padded_size(3000) + 16


def test_the_same_plaintext_is_never_sealed_twice_alike() -> None:
    assert seal(KEY, AT, b"same") != seal(KEY, AT, b"same")


def test_the_tag_is_the_last_sixteen_bytes() -> None:
    assert tag_of(SEALED) == SEALED[-16:]


def test_the_associated_data_are_fixed_for_ever() -> None:
    assert AT.aad() == length_prefixed(
        b"serment/row/1", b"s" * 16, b"r" * 16, b"body", b"Observation", b"f001", b"\0\0\0\0\0\0\0\3"
    )


def test_a_key_shows_nothing_and_does_not_leave_by_pickle_or_copy() -> None:
    assert repr(KEY) == "SubKey(…)"
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leave(KEY)


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SubKey(b"short")


def test_coordinates_do_not_show_whose_row_it_is() -> None:
    assert "f001" not in repr(AT)
    assert "rrrr" not in repr(AT)
