"""The signature of a checkpoint: C2SP tlog-checkpoint inside a C2SP signed-note, Ed25519 (type 0x01).

    origin, size, base64 root, each on its line; an empty line; then
    — origin base64(key hash (4) | signature (64))

Custody signs nothing but this text: the key cannot be turned to sign anything else.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serment.errors import RequestError

_ED25519 = b"\x01"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Give the three lines that are signed. Raises `RequestError` on what no checkpoint may hold."""
    plain = origin and origin.isprintable() and not any(c.isspace() or c == "+" for c in origin)
    if not plain or size < 0 or len(root) != 32:
        raise RequestError("custody.bad-checkpoint")
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def key_hash(origin: str, public_key: bytes) -> bytes:
    """Give the 4 bytes that name a key in a note (signed-note, section "Signatures")."""
    return sha256(origin.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def signed_checkpoint(key: Ed25519PrivateKey, origin: str, size: int, root: bytes) -> bytes:
    """Give the whole signed note."""
    text = checkpoint_text(origin, size, root)
    signature = key_hash(origin, key.public_key().public_bytes_raw()) + key.sign(text.encode())
    return f"{text}\n— {origin} {b64encode(signature).decode()}\n".encode()
