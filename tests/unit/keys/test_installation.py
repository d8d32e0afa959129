"""The installation's keys: tokens that reach across records, and rows of no record."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from serment.errors import IntegrityError
from serment.keys.installation import Installation
from tests.unit.keys.samples import secrets

HERE, ELSEWHERE = Installation(secrets(9)), Installation(secrets(8))


def test_tokens_are_fixed_for_ever() -> None:
    """Changing any of these loses every resource, person and import of every store."""
    assert HERE.locator("Patient/1").hex() == "607541236b7a434cfe379d19faf196fd"
    assert HERE.person("ins", "1").hex() == "14513f9f"
    assert HERE.imported_id("s", "Patient", "1") == "e2ce9959062a41fb5f34b5f2b6f79c0b"
    assert HERE.session_token("x").hex() == "808945fa3b01a724159501c6e4c2d5e3"


@pytest.mark.parametrize(
    "token",
    [
        lambda keys: keys.locator("Patient/1"),
        lambda keys: keys.person("ins", "1"),
        lambda keys: keys.imported_id("s", "Patient", "1"),
        lambda keys: keys.session_token("x"),
    ],
)
def test_tokens_say_nothing_to_another_installation(token: Callable[[Installation], object]) -> None:
    assert token(HERE) == token(HERE)
    assert token(HERE) != token(ELSEWHERE)


def test_a_person_token_is_short_so_that_it_proves_nobody_s_presence() -> None:
    assert len(HERE.person("birth", "1980-01-01", "MRTN")) == 4


def test_an_import_meets_itself_and_nothing_else() -> None:
    ids = {
        HERE.imported_id(*which)
        for which in (
            ("a", "Patient", "1"),
            ("b", "Patient", "1"),
            ("a", "Person", "1"),
            ("a", "Patient", "2"),
        )
    }
    assert len(ids) == 4
    assert {len(id_) for id_ in ids} == {32}


def test_a_session_opens_under_its_own_token_only() -> None:
    sealed = HERE.seal_session(b"token-1", b"who")
    assert HERE.open_session(b"token-1", sealed) == b"who"
    for keys, token in ((HERE, b"token-2"), (ELSEWHERE, b"token-1")):
        with pytest.raises(IntegrityError):
            keys.open_session(token, sealed)


def test_a_page_of_another_caller_or_epoch_does_not_open() -> None:
    sealed = HERE.seal_page("rpps:1/7", b"after entry 50")
    assert HERE.open_page("rpps:1/7", sealed) == b"after entry 50"
    for bound_to in ("rpps:2/7", "rpps:1/8", ""):
        with pytest.raises(IntegrityError):
            HERE.open_page(bound_to, sealed)


def test_a_spooled_entry_does_not_change_places() -> None:
    sealed = HERE.seal_spooled(3, b"entry")
    assert HERE.open_spooled(3, sealed) == b"entry"
    with pytest.raises(IntegrityError):
        HERE.open_spooled(4, sealed)


def test_a_session_does_not_pass_for_a_page() -> None:
    with pytest.raises(IntegrityError):
        HERE.open_page(b"t".hex(), HERE.seal_session(b"t", b"who"))


def test_the_installation_shows_nothing_and_is_not_pickled() -> None:
    assert repr(HERE) == "Installation(…)"
    with pytest.raises(TypeError):
        pickle.dumps(HERE)
