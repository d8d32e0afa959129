"""Passphrase slots: what opens, what does not, and what the time says."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from serment.errors import IntegrityError, RequestError
from serment.keys.custody.passphrase import Cost, SlotWrap, acceptable, unwrap_root, wrap_root
from tests.unit.keys.custody.rooms import CHEAP, PASSPHRASE, SECOND

STORE, ROOT = b"store-id-16bytes", b"R" * 32
FIRST = wrap_root(ROOT, PASSPHRASE, 1, "init", 1, STORE, CHEAP)
OTHER = wrap_root(ROOT, SECOND, 2, "associé", 1, STORE, CHEAP)


def test_each_slot_gives_the_same_root() -> None:
    assert unwrap_root([FIRST, OTHER], PASSPHRASE, STORE) == ROOT
    assert unwrap_root([FIRST, OTHER], SECOND, STORE) == ROOT
    assert unwrap_root([FIRST], SECOND, STORE) is None
    assert unwrap_root([], PASSPHRASE, STORE) is None


def test_a_passphrase_typed_on_another_keyboard_opens() -> None:
    composed, decomposed = unicodedata.normalize("NFC", SECOND), unicodedata.normalize("NFD", SECOND)
    assert composed != decomposed
    assert unwrap_root([OTHER], composed, STORE) == unwrap_root([OTHER], decomposed, STORE) == ROOT


def test_every_slot_is_tried_so_that_the_time_does_not_say_which_one_opened() -> None:
    """The first slot opens; the second, broken, is looked at all the same."""
    twin = wrap_root(ROOT, PASSPHRASE, 2, "twin", 1, STORE, CHEAP)
    assert unwrap_root([FIRST, twin], PASSPHRASE, STORE) == ROOT
    with pytest.raises(IntegrityError):
        unwrap_root([FIRST, replace(twin, sealed=altered(twin.sealed))], PASSPHRASE, STORE)


@pytest.mark.parametrize(
    "slot", [replace(FIRST, id=3), replace(FIRST, generation=2), replace(FIRST, sealed=FIRST.sealed + b"?")]
)
def test_an_altered_slot_is_not_taken_for_a_wrong_passphrase(slot: SlotWrap) -> None:
    with pytest.raises(IntegrityError):
        unwrap_root([slot], PASSPHRASE, STORE)


def altered(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def test_a_slot_of_another_installation_does_not_open() -> None:
    with pytest.raises(IntegrityError):
        unwrap_root([FIRST], PASSPHRASE, b"another store id")


@pytest.mark.parametrize(
    "cost",
    [
        Cost(memory=1 << 23),
        Cost(passes=10**6),
        Cost(passes=0),
        Cost(lanes=0),
        Cost(lanes=65),
        Cost(lanes=8, memory=32),
    ],
)
def test_a_slot_that_asks_for_absurd_work_is_refused_unread(cost: Cost) -> None:
    with pytest.raises(IntegrityError):
        unwrap_root([replace(FIRST, cost=cost)], PASSPHRASE, STORE)


def test_two_slots_of_one_passphrase_are_not_alike() -> None:
    again = wrap_root(ROOT, PASSPHRASE, 1, "init", 1, STORE, CHEAP)
    assert again.salt != FIRST.salt
    assert again.sealed != FIRST.sealed


@pytest.mark.parametrize("passphrase", ["", "onze lettre", "x" * 1025])
def test_a_passphrase_too_short_or_too_long_is_not_taken(passphrase: str) -> None:
    with pytest.raises(RequestError):
        acceptable(passphrase)


def test_a_slot_shows_neither_salt_nor_wrap() -> None:
    assert "salt" not in repr(FIRST)
    assert "sealed" not in repr(FIRST)
