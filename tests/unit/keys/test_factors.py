"""Passwords as Argon2id, one-time codes as RFC 6238 says them."""

from __future__ import annotations

import pytest

from serment.keys.factors import (
    COST,
    STEP_MS,
    Cost,
    code_secret,
    one_time_code,
    outgrown,
    password_hash,
    password_matches,
    unmatched,
)

CHEAP = Cost(1, 1, 64)
RFC_6238 = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238 appendix B, SHA-1, the last six of its eight digits."""
    assert one_time_code(RFC_6238, seconds * 1000 // STEP_MS) == code


def test_a_password_matches_as_typed_on_any_keyboard_and_no_other_does() -> None:
    kept = password_hash("clé d'été à vélo", CHEAP)
    assert password_matches("cle\u0301 d'e\u0301te\u0301 a\u0300 ve\u0301lo", kept)
    assert not password_matches("cle d'ete a velo", kept)
    assert "vélo" not in kept


def test_two_people_with_one_password_have_two_hashes() -> None:
    assert password_hash("girafe mauve", CHEAP) != password_hash("girafe mauve", CHEAP)
    assert code_secret() != code_secret()


def test_a_hash_of_another_cost_is_outgrown() -> None:
    kept = password_hash("girafe mauve", CHEAP)
    assert outgrown(kept)
    assert not outgrown(kept, CHEAP)
    assert not outgrown(unmatched(COST))


def test_what_stands_for_no_password_matches_none() -> None:
    assert not any(password_matches(one, unmatched(CHEAP)) for one in ("", "x", unmatched(CHEAP)))
