"""What proves a person at sign-in: a password kept as Argon2id (RFC 9106), a one-time code (RFC 6238).

A password is never kept, only its PHC string, which carries its own salt and cost, so that the cost can
grow. The secret of one-time codes stands sealed in the register. Nothing here counts tries.
"""

from __future__ import annotations

import os
import unicodedata
from base64 import b64encode
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from serment.keys.custody.passphrase import Cost

__all__ = [
    "COST",
    "STEP_MS",
    "Cost",
    "code_secret",
    "one_time_code",
    "outgrown",
    "password_hash",
    "password_matches",
    "unmatched",
]

COST: Final = Cost(passes=3, lanes=1, memory=65_536)
"""Of a password: 64 MiB and three passes as in RFC 9106 section 4, on one lane: a server has other work."""

SECRET_SIZE: Final = 20
"""Bytes of a one-time code's secret (RFC 4226 section 4, R6)."""

STEP_MS: Final = 30_000
DIGITS: Final = 6
_HASH_SIZE: Final = 32
_SALT_SIZE: Final = 16


def password_hash(password: str, cost: Cost = COST) -> str:
    """Give the PHC string of a password, as typed on any keyboard (NFC)."""
    argon = Argon2id(
        salt=os.urandom(_SALT_SIZE),
        length=_HASH_SIZE,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory,
    )
    return argon.derive_phc_encoded(_typed(password))


def unmatched(cost: Cost = COST) -> str:
    """Give a PHC string that no password matches, to compare with at the same cost where there is none."""
    salt, tag = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (_SALT_SIZE, _HASH_SIZE))
    return f"$argon2id$v=19$m={cost.memory},t={cost.passes},p={cost.lanes}${salt}${tag}"


def password_matches(password: str, kept: str) -> bool:
    """Say whether a password is the one that was kept; the work is the same whatever the answer."""
    try:
        Argon2id.verify_phc_encoded(_typed(password), kept)
    except InvalidKey:
        return False
    return True


def outgrown(kept: str, cost: Cost = COST) -> bool:
    """Say whether a PHC string was made at another cost than today's: it is made anew at a sign-in."""
    return f"$m={cost.memory},t={cost.passes},p={cost.lanes}$" not in kept


def code_secret() -> bytes:
    """Make the secret of a person's one-time codes."""
    return os.urandom(SECRET_SIZE)


def one_time_code(secret: bytes, step: int) -> str:
    """Give the code of one step of thirty seconds since 1970 (RFC 6238, SHA-1, six digits)."""
    # SHA-1 is what every authenticator application speaks; as an HMAC it holds (RFC 6238 section 1.2).
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303 - see above


def _typed(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode()
