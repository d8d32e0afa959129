"""The invisible salamander: one AES-GCM ciphertext made to open under two keys.

Dodis, Grubbs, Ristenpart, Woodage, *Fast Message Franking: From Invisible Salamanders to Encryptment*,
CRYPTO 2018. Plain AES-GCM opens it under both keys; an envelope opens it under one at most.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from serment.errors import IntegrityError
from serment.keys.envelope import FORMAT, Coordinates, RowKind, SubKey, unseal
from serment.model import RecordToken

FIRST, SECOND, NONCE = b"1" * 32, b"2" * 32, b"n" * 12
AT = Coordinates(b"s" * 16, RecordToken(b"r" * 16), RowKind.BODY, "Observation", "f001", 1)
BLOCKS = 16


def block(key: bytes, plain: bytes) -> bytes:
    """Encrypt one AES block: what GCM is built from."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(plain)  # noqa: S305 - one block


def times(x: int, y: int) -> int:
    """Multiply in the field of GHASH (NIST SP 800-38D, algorithm 1)."""
    product = 0
    for bit in range(127, -1, -1):
        product ^= y if x >> bit & 1 else 0
        y = (y >> 1) ^ (0xE1 << 120 if y & 1 else 0)
    return product


def power(x: int, exponent: int) -> int:
    result = 1 << 127
    while exponent:
        if exponent & 1:
            result = times(result, x)
        x, exponent = times(x, x), exponent >> 1
    return result


def tag(key: bytes, ciphertext: bytes, aad: bytes) -> int:
    """Compute the GCM tag of a ciphertext under a key."""
    h = int.from_bytes(block(key, bytes(16)), "big")
    lengths = (len(aad) * 8).to_bytes(8, "big") + (len(ciphertext) * 8).to_bytes(8, "big")
    padded = aad + bytes(-len(aad) % 16) + ciphertext + lengths
    digest = 0
    for start in range(0, len(padded), 16):
        digest = times(digest ^ int.from_bytes(padded[start : start + 16], "big"), h)
    return digest ^ int.from_bytes(block(key, NONCE + b"\0\0\0\1"), "big")


def salamander() -> bytes:
    """Make ciphertext and tag that GCM takes under both keys; under the first it holds a short body."""
    length = (7).to_bytes(4, "big").ljust(16, b"\0")
    stream = block(FIRST, NONCE + b"\0\0\0\2")
    ciphertext = bytes(a ^ b for a, b in zip(length, stream, strict=True)).ljust(16 * BLOCKS, b"\0")
    difference = tag(FIRST, ciphertext, AT.aad()) ^ tag(SECOND, ciphertext, AT.aad())
    # The last block is multiplied by H² in each tag: choose it so that the two tags meet.
    squares = [power(int.from_bytes(block(key, bytes(16)), "big"), 2) for key in (FIRST, SECOND)]
    last = times(difference, power(squares[0] ^ squares[1], 2**128 - 2))
    ciphertext = ciphertext[:-16] + last.to_bytes(16, "big")
    return ciphertext + tag(FIRST, ciphertext, AT.aad()).to_bytes(16, "big")


def test_plain_gcm_opens_one_ciphertext_under_two_keys() -> None:
    one, two = (AESGCM(key).decrypt(NONCE, salamander(), AT.aad()) for key in (FIRST, SECOND))
    assert one != two


def test_an_envelope_opens_it_under_the_key_that_it_names_and_under_no_other() -> None:
    first, second = SubKey(FIRST), SubKey(SECOND)
    for_the_first = FORMAT + first.commitment + NONCE + salamander()
    assert len(unseal(first, AT, for_the_first)) == 7
    with pytest.raises(IntegrityError) as caught:
        unseal(second, AT, for_the_first)
    assert caught.value.sentence == "keys.wrong-key"
