"""Passphrase slots: Argon2id (RFC 9106) from a passphrase to the key that wraps the root key.

The parameters stand in the slot, so that they can grow; they are authenticated with the wrap, and a
slot that asks for more memory than any of ours is refused unread.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from serment.errors import IntegrityError, RequestError
from serment.keys.envelope import KEY_SIZE, RowKind, SubKey, length_prefixed, seal, unseal

SHORTEST = 12
LONGEST = 1024
_SALT_SIZE = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id parameters: passes, lanes, memory in KiB. Default: RFC 9106 section 4, second choice."""

    passes: int = 3
    lanes: int = 4
    memory: int = 65_536

    def bounded(self) -> Cost:
        """Give itself. Raises `IntegrityError` when no slot of ours could hold these numbers."""
        if not (
            1 <= self.passes <= 100 and 1 <= self.lanes <= 64 and 8 * self.lanes <= self.memory <= 1 << 22
        ):
            raise IntegrityError("custody.file-broken")
        return self


@dataclass(frozen=True, slots=True)
class SlotWrap:
    """One slot as the key file keeps it: the root key sealed under a passphrase."""

    id: int
    name: str
    generation: int
    cost: Cost
    salt: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _SlotPlace:
    """What a slot's wrap is bound to: the installation, the slot's id, the generation and the cost."""

    store: bytes
    id: int
    generation: int
    cost: Cost

    def aad(self) -> bytes:
        numbers = (self.id, self.generation, self.cost.passes, self.cost.lanes, self.cost.memory)
        return length_prefixed(
            b"serment/slot/1", RowKind.WRAP.encode(), self.store, *[n.to_bytes(8, "big") for n in numbers]
        )


def acceptable(passphrase: str) -> str:
    """Give the passphrase as typed on any keyboard (NFC). Raises `RequestError` on its length."""
    normal = unicodedata.normalize("NFC", passphrase)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise RequestError("custody.passphrase-length", shortest=SHORTEST, longest=LONGEST)
    return normal


def wrap_root(
    root: bytes, passphrase: str, slot: int, name: str, generation: int, store: bytes, cost: Cost
) -> SlotWrap:
    """Make a slot: the root key sealed under `passphrase`."""
    salt = os.urandom(_SALT_SIZE)
    key = _stretched(acceptable(passphrase), salt, cost)
    sealed = seal(key, _SlotPlace(store, slot, generation, cost), root, least=0)
    return SlotWrap(slot, name, generation, cost, salt, sealed)


def unwrap_root(slots: list[SlotWrap], passphrase: str, store: bytes) -> bytes | None:
    """Give the root key, or None when the passphrase opens no slot.

    Every slot is tried even after one has opened, so that the time says nothing about which.
    """
    normal = unicodedata.normalize("NFC", passphrase)[:LONGEST]
    found = None
    for slot in slots:
        key = _stretched(normal, slot.salt, slot.cost.bounded())
        opened = _opened(slot, key, store)
        found = opened if found is None else found
    return found


def _opened(slot: SlotWrap, key: SubKey, store: bytes) -> bytes | None:
    try:
        return unseal(key, _SlotPlace(store, slot.id, slot.generation, slot.cost), slot.sealed)
    except IntegrityError as error:
        if error.sentence == "keys.wrong-key":
            return None
        raise


def _stretched(passphrase: str, salt: bytes, cost: Cost) -> SubKey:
    argon = Argon2id(
        salt=salt, length=KEY_SIZE, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory
    )
    return SubKey(argon.derive(passphrase.encode()))
