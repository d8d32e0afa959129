"""The checkpoint note: what custody signs, the ledger reads and verifies."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serment.errors import LedgerError
from serment.keys.custody.note import key_hash, signed_checkpoint
from serment.ledger.checkpoint import LogKey, verify

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = "serment.example/ledger"


@pytest.mark.parametrize("size", [0, 1, 1000, 2**40])
def test_the_ledger_verifies_what_custody_signed(size: int) -> None:
    checkpoint = verify(signed_checkpoint(KEY, ORIGIN, size, b"r" * 32), LogKey(ORIGIN, PUBLIC))
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, size, b"r" * 32)


def test_a_note_signed_for_one_log_is_refused_for_another() -> None:
    with pytest.raises(LedgerError):
        verify(signed_checkpoint(KEY, ORIGIN, 1, b"r" * 32), LogKey("other.example/ledger", PUBLIC))


def test_a_key_hash_depends_on_name_and_key() -> None:
    assert key_hash(ORIGIN, PUBLIC) == LogKey(ORIGIN, PUBLIC).id
    assert len({key_hash(ORIGIN, PUBLIC), key_hash("x", PUBLIC), key_hash(ORIGIN, bytes(32))}) == 3
