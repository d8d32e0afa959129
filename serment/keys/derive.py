"""From a root to the key of one use: HKDF-SHA256 (RFC 5869), and HMAC tokens (RFC 2104).

A label names exactly one use. The record token is part of the HKDF info, so that the same root put
under another record would still give other keys.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serment.keys.envelope import KEY_SIZE, length_prefixed

TOKEN_SIZE = 16


def derive(root: bytes, label: str, scope: bytes) -> bytes:
    """Give the 32-byte key of one use. `scope` is a record token or a store id (16 bytes)."""
    info = length_prefixed(b"serment/hkdf/1", label.encode(), scope)
    return HKDF(SHA256(), length=KEY_SIZE, salt=None, info=info).derive(root)


class TokenKey:
    """An HMAC-SHA256 key that turns names into tokens. Shows nothing, is never pickled."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        # Kept begun and copied for each token: half the time of `hmac.digest`, which also gives the
        # interpreter up to the other threads and waits to have it back.
        self._begun = hmac.new(key, digestmod="sha256")

    def __repr__(self) -> str:
        return "TokenKey(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse: a key is never pickled or copied."""
        raise TypeError("a key is not pickled")

    def token(self, *parts: str, size: int = TOKEN_SIZE) -> bytes:
        """Give the token of these parts; each stands behind its length, so that no two lists collide."""
        mac = self._begun.copy()
        mac.update(length_prefixed(*[part.encode() for part in parts]))
        return mac.digest()[:size]
