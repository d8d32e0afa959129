"""The keys of one record: one key for each use, the same ones for ever, and none shared."""

from __future__ import annotations

import copy
import pickle
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError
from serment.keys.derive import TokenKey, derive
from serment.keys.envelope import RowKind, SubKey, tag_of, unseal
from serment.keys.openings import SealedRow, check, glance
from serment.keys.record_keys import RecordKeys, class_digest
from serment.model import Category, ItemClass
from tests.unit.keys.samples import ALICE, BRUNO, LABS, alice, bruno, material, permit

ROW_KINDS = [RowKind.HEAD, RowKind.FACTS, RowKind.PACK, RowKind.BODY, RowKind.CHUNK, RowKind.QUARANTINE]


def test_each_use_has_its_own_key() -> None:
    keys = alice()
    uses = [
        (kind, category) for kind in ROW_KINDS[:5] for category in (None, Category.LABS, Category.IDENTITY)
    ]
    commitments = {(kind, category): keys.subkey(kind, category).commitment for kind, category in uses}
    assert len({keys.subkey(kind, None).commitment for kind in ROW_KINDS[:5]}) == 5
    for kind in ROW_KINDS[:5]:
        assert commitments[kind, None] == commitments[kind, Category.LABS]
        assert commitments[kind, None] != commitments[kind, Category.IDENTITY]


@pytest.mark.capability("0-21", "lets")
@pytest.mark.parametrize("category", list(Category))
def test_identity_and_contact_stand_under_their_own_root_and_nothing_else_does(category: Category) -> None:
    only_care = RecordKeys(replace(material(ALICE, 1), identity=b"x" * 32))
    sealed = alice().seal_body(category, "Patient", "p", 1, b"{}")
    row = SealedRow(
        alice().body_at("Patient", "p", 1), sealed, ItemClass(category, "Patient"), tag_of(sealed)
    )
    assert check(alice(), row)
    assert check(only_care, row) is (category not in {Category.IDENTITY, Category.CONTACT})


@pytest.mark.capability("1-07", "lets")
def test_two_records_share_no_key_even_from_the_same_roots() -> None:
    twin = RecordKeys(replace(material(ALICE, 1), record=BRUNO))
    for kind in ROW_KINDS[:5]:
        for category in (None, Category.CONTACT):
            assert alice().subkey(kind, category).commitment != twin.subkey(kind, category).commitment
    assert alice().token("code", "x") != twin.token("code", "x")
    assert alice().year.token("chain") != twin.year.token("chain")
    assert alice().trail.token() != twin.trail.token()


@pytest.mark.capability("1-07", "refuses")
def test_the_keys_of_one_patient_open_no_row_of_another() -> None:
    theirs = bruno()
    for kind, sealed in (
        (theirs.head_at(1), theirs.seal_head(1, b"head")),
        (theirs.facts_at(1), theirs.seal_facts(1, b"facts")),
        (
            theirs.body_at("Observation", "o", 1),
            theirs.seal_body(Category.LABS, "Observation", "o", 1, b"{}"),
        ),
    ):
        assert not check(alice(), SealedRow(kind, sealed, LABS, tag_of(sealed)))
        with pytest.raises(IntegrityError):
            unseal(alice().subkey(kind.kind, None), kind, sealed)


@given(st.binary(max_size=600), st.integers(0, 2**40), st.sampled_from(list(Category)))
def test_a_pack_sealed_for_a_class_opens_for_it(plain: bytes, number: int, category: Category) -> None:
    unit = ItemClass(category, "Observation", ("R", "PSY"))
    keys = alice()
    sealed = keys.seal_pack(number, unit, plain)
    row = SealedRow(keys.pack_at(number, unit), sealed, unit, tag_of(sealed))
    assert glance(keys, row, permit(unit=unit)).value == plain


@given(st.data())
def test_two_classes_never_have_the_same_digest(data: st.DataObject) -> None:
    units = st.builds(
        ItemClass,
        st.sampled_from(list(Category)),
        st.text(max_size=8),
        st.lists(st.text(max_size=4), max_size=3).map(tuple),
        st.text(max_size=8),
        st.booleans(),
        st.none() | st.integers(0, 2**40),
    )
    one, two = data.draw(units), data.draw(units)
    assert (class_digest(one) == class_digest(two)) == (one == two)


def test_what_is_derived_is_fixed_for_ever() -> None:
    """Changing any of these makes every store unreadable."""
    assert class_digest(LABS) == "e74885f717074dd849cd33360f4939f1"
    assert derive(b"r" * 32, "body", ALICE).hex() == (
        "7e1ab95d15e39774c47bf5f10ead2b03db0d3755109b36bafdf01b9f935b6852"
    )
    assert TokenKey(b"k" * 32).token("a", "b").hex() == "3cb5dd2257894764493f8b9b63de30a3"
    assert SubKey(b"k" * 32).commitment.hex() == "239d55aeb1503add2036042adb008283"
    assert alice().year.token("chain").hex() == "80712bbb58db51f1d25c914dd9bdf8d4"
    assert alice().trail.token().hex() == "a48c8794db49500812feceddf1c6bf26"
    assert alice().token("code", "x").hex() == "4d5a1b17428bfe411988bc469957b475"


def test_tokens_of_two_lists_never_collide_by_their_joints() -> None:
    key = TokenKey(b"k" * 32)
    assert len({key.token("ab", "c"), key.token("a", "bc"), key.token("abc"), key.token("abc", "")}) == 4


def test_keys_show_nothing_and_do_not_leave_by_pickle_or_copy() -> None:
    keys = alice()
    for secret in (keys, keys.year, keys.trail, TokenKey(b"k" * 32)):
        assert repr(secret) == f"{type(secret).__name__}(…)"
        for leave in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                leave(secret)
    held = material(ALICE, 1)
    for field in fields(held):
        value = getattr(held, field.name)
        assert not isinstance(value, bytes) or repr(value)[2:-1] not in repr(held)
