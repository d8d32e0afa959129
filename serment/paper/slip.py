r"""The text of a QR: a few facts about a paper, signed, to be checked without asking anybody.

    SERMENT1:KEY:PAYLOAD:SIGNATURE       base32 without padding: a QR holds it in its smallest mode
    payload   = MessagePack [kind, number, date, prescriber, owner, digest]
    signature = ECDSA P-256 over SHA-256 of "serment/slip/1\n" ‖ payload, 64 bytes (RFC 7518, 3.4)

No name of a patient stands in it, no treatment and no address. It proves that this house wrote a paper with
this number and digest; that the paper was revoked since is known to the house alone.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from serment.paper.seal import Seal, Verdict, of_id

PREFIX = "SERMENT1"
MOST = 1_200
_DOMAIN = b"serment/slip/1\n"
_HALF = 32


class Kind(StrEnum):
    """What sort of paper bears the code."""

    PRESCRIPTION = "prescription"
    PRINT = "print"


class Slip(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a code says. `date` is ISO 8601, `prescriber` the RPPS, `digest` of all that the paper says."""

    kind: Kind
    number: str
    date: str
    prescriber: str
    owner: str
    digest: bytes

    def __repr__(self) -> str:
        return f"Slip({self.kind.value})"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; `slip` is None unless the verdict is `SEALED`: nothing unproved is shown."""

    verdict: Verdict
    slip: Slip | None = field(default=None, repr=False)


def written(slip: Slip, seal: Seal) -> str:
    """Sign a slip and write it as the text of a QR."""
    payload = msgspec.msgpack.encode(slip)
    r, s = decode_dss_signature(seal.private.sign(_DOMAIN + payload, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return ":".join((PREFIX, seal.id, _base32(payload), _base32(signature)))


def check(text: str, seals: Collection[Seal]) -> Checked:
    """Check the text of a QR against the seals of one house. Never raises."""
    parts = "".join(text.split()).upper().split(":") if len(text) <= MOST * 2 else []
    if len(parts) != 4 or parts[0] != PREFIX:
        return Checked(Verdict.UNREADABLE)
    payload, signature = _bytes(parts[2]), _bytes(parts[3])
    if not payload or len(signature) != 2 * _HALF:
        return Checked(Verdict.UNREADABLE)
    seal = of_id(seals, parts[1])
    if seal is None:
        return Checked(Verdict.OTHER_KEY)
    if not _holds(seal, payload, signature):
        return Checked(Verdict.ALTERED)
    try:
        return Checked(Verdict.SEALED, msgspec.msgpack.decode(payload, type=Slip))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Checked(Verdict.UNREADABLE)


def _holds(seal: Seal, payload: bytes, signature: bytes) -> bool:
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        seal.public.verify(encode_dss_signature(r, s), _DOMAIN + payload, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    """Decode base32, refusing the second spellings that a lax decoder takes; b"" for what is none."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return b""
    return raw if _base32(raw) == text else b""
