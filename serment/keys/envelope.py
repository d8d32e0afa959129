"""The envelope: the one format in which anything is sealed at rest.

    0x53 0x01 | key commitment (16) | nonce (12) | AES-256-GCM(u32 length | plain | zeros)

The associated data are the row's coordinates, so that a row moved to another place does not open.
The commitment is checked first: AES-GCM alone does not bind a ciphertext to one key (Albertini et
al., *How to Abuse and Fix Authenticated Encryption Without Key Commitment*, USENIX Security 2022).
Sizes are padded by Padmé (Nikitin et al., *Reducing Metadata Leakage from Encrypted Files*, PETS
2019, algorithm 1). Nonces are random: at most 2^32 seals for each subkey (NIST SP 800-38D, 8.3).

Order: coordinates, subkeys, padding, seal, unseal, tag.
`unseal` is called by `openings`, `trace_keys`, `installation` and `custody` only: a test on the
syntax tree holds the call sites.
"""

from __future__ import annotations

import hmac
import os
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import NamedTuple, NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from serment.errors import IntegrityError
from serment.model import RecordToken

FORMAT = b"\x53\x01"
COMMITMENT_SIZE = 16
NONCE_SIZE = 12
TAG_SIZE = 16
KEY_SIZE = 32
LEAST_PADDED = 256
_LENGTH_SIZE = 4
_length = Struct(">I").pack
_EIGHT = _length(8)
_HEADER_SIZE = len(FORMAT) + COMMITMENT_SIZE + NONCE_SIZE

NO_RECORD = RecordToken(bytes(16))
"""The record of rows that belong to nobody: sessions, pages, the spool."""


class RowKind(StrEnum):
    """What a sealed row holds; part of its coordinates. Traces and chains have domains of their own."""

    HEAD = "head"
    FACTS = "facts"
    PACK = "pack"
    BODY = "body"
    CHUNK = "chunk"
    QUARANTINE = "quarantine"
    SESSION = "session"
    PAGE = "page"
    RETRY = "retry"
    WRAP = "wrap"
    SPOOL = "spool"


class Coordinates(NamedTuple):
    """Where a sealed row stands. Every field is authenticated; none is stored in the envelope.

    `store` and `record` are 16 bytes. `type`, `id` and `version` name the row inside its kind. A tuple:
    one is made for every row that is opened.
    """

    store: bytes
    record: RecordToken
    kind: RowKind
    type: str = ""
    id: str = ""
    version: int = 0

    def __repr__(self) -> str:
        return f"Coordinates({self.kind.value}, {self.type})"

    def aad(self) -> bytes:
        """Give the associated data: every field behind its own length, so that no two places look alike."""
        type_, id_ = self.type.encode(), self.id.encode()
        start = _start_of_row(self.store, self.record, self.kind)
        version = self.version.to_bytes(8, "big")
        return b"".join((start, _length(len(type_)), type_, _length(len(id_)), id_, _EIGHT, version))


@lru_cache(maxsize=4096)
def _start_of_row(store: bytes, record: RecordToken, kind: RowKind) -> bytes:
    """Write what the coordinates of every row of a kind in one record begin with: nothing secret."""
    return length_prefixed(b"serment/row/1", store, record, kind.encode())


class Bound(Protocol):
    """Something that a ciphertext can be bound to."""

    def aad(self) -> bytes:
        """Give the associated data."""
        ...


def length_prefixed(*fields: bytes) -> bytes:
    """Join fields, each behind its length as a big-endian u32."""
    return b"".join([_length(len(value)) + value for value in fields])


class SubKey:
    """One AES-256-GCM key for one use, with its commitment. Shows nothing, is never pickled."""

    __slots__ = ("_aead", "commitment")

    def __init__(self, key: bytes) -> None:
        """Take 32 bytes. Raises `ValueError` on any other size."""
        if len(key) != KEY_SIZE:
            raise ValueError("a subkey is 32 bytes")
        self.commitment = sha256(b"serment/kc/1" + key).digest()[:COMMITMENT_SIZE]
        self._aead = AESGCM(key)

    def __repr__(self) -> str:
        return "SubKey(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse: a key is never pickled or copied."""
        raise TypeError("a key is not pickled")

    def encrypt(self, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
        """Run AES-256-GCM; called by `seal` only."""
        return self._aead.encrypt(nonce, plain, aad)

    def decrypt(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Run AES-256-GCM; called by `unseal` only. Raises `InvalidTag`."""
        return self._aead.decrypt(nonce, sealed, aad)


def padme(size: int) -> int:
    """Give the padded size: at most 12 % more, and O(log log n) sizes left to see."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def padded_size(size: int, least: int = LEAST_PADDED) -> int:
    """Give the size of the padded plaintext of `size` bytes, the length field included."""
    return padme(max(size + _LENGTH_SIZE, least))


def seal(key: SubKey, at: Bound, plain: bytes, *, least: int = LEAST_PADDED) -> bytes:
    """Seal `plain` at its place. `least` is the smallest padded size, in bytes."""
    size = padded_size(len(plain), least)
    padded = (len(plain).to_bytes(_LENGTH_SIZE, "big") + plain).ljust(size, b"\x00")
    nonce = os.urandom(NONCE_SIZE)
    return FORMAT + key.commitment + nonce + key.encrypt(nonce, padded, at.aad())


def unseal(key: SubKey, at: Bound, sealed: bytes) -> bytes:
    """Open one envelope.

    Raises `IntegrityError`: another format, sealed under another key, altered or moved.
    """
    if len(sealed) < _HEADER_SIZE + _LENGTH_SIZE + TAG_SIZE or not sealed.startswith(FORMAT):
        raise IntegrityError("keys.other-format")
    if not hmac.compare_digest(sealed[len(FORMAT) : len(FORMAT) + COMMITMENT_SIZE], key.commitment):
        raise IntegrityError("keys.wrong-key")
    nonce = sealed[_HEADER_SIZE - NONCE_SIZE : _HEADER_SIZE]
    try:
        padded = key.decrypt(nonce, sealed[_HEADER_SIZE:], at.aad())
    except InvalidTag:
        raise IntegrityError("keys.altered") from None
    size = int.from_bytes(padded[:_LENGTH_SIZE], "big")
    if size > len(padded) - _LENGTH_SIZE:
        raise IntegrityError("keys.other-format")
    return padded[_LENGTH_SIZE : _LENGTH_SIZE + size]


def tag_of(sealed: bytes) -> bytes:
    """Give the AEAD tag: what a head, a pack or a manifest keeps of the rows that it lists."""
    return sealed[-TAG_SIZE:]
