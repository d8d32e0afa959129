"""The seal of an organisation: one key, one certificate that it signs itself, and what a check can say.

It says "this left this house, like this": an advanced seal at most (eIDAS, regulation 910/2014, articles 36
and 3(25)), never a qualified one (article 35(2)) and never a person's signature (articles 25 and 26). ADR 61.
The private half is given by who keeps it (`record/outward/sealing`) for one call; nothing here keeps it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from serment.errors import IntegrityError
from serment.model import Instant

YEARS = 10
_LONGEST_NAME = 64
"""Characters of a common name (RFC 5280, appendix A: ub-common-name)."""


class Verdict(StrEnum):
    """What a check says of something that may bear a seal."""

    SEALED = "sealed"
    UNSEALED = "unsealed"
    ALTERED = "altered"
    EXTENDED = "extended"
    OTHER_KEY = "other-key"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Seal:
    """A seal: `certificate` (X.509, DER) and `key` (PKCS #8, DER, on P-256); `key` is b"" to check only."""

    certificate: bytes
    key: bytes = field(default=b"", repr=False)

    @cached_property
    def parsed(self) -> x509.Certificate:
        """Read the certificate. Raises `IntegrityError` for bytes that are none."""
        try:
            return x509.load_der_x509_certificate(self.certificate)
        except ValueError:
            raise IntegrityError("paper.seal-unreadable") from None

    @cached_property
    def public(self) -> ec.EllipticCurvePublicKey:
        """Give the public key. Raises `IntegrityError` when it is not on P-256."""
        key = self.parsed.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise IntegrityError("paper.seal-unreadable")
        return key

    @cached_property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """Give the private key. Raises `IntegrityError` when there is none, or one of another seal."""
        try:
            key = load_der_private_key(self.key, None)
        except ValueError:
            raise IntegrityError("paper.seal-unreadable") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != self.public:
            raise IntegrityError("paper.seal-unreadable")
        return key

    @property
    def id(self) -> str:
        """Name the key: the first 10 bytes of SHA-256 of its public half, in hexadecimal capitals."""
        spki = self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return sha256(spki).hexdigest()[:20].upper()

    @property
    def owner(self) -> str:
        """Give the name of the organisation."""
        names = self.parsed.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(names[0].value) if names else ""

    @property
    def pem(self) -> str:
        """Give the certificate as people pass it on."""
        return self.parsed.public_bytes(Encoding.PEM).decode("ascii")

    def without_key(self) -> Seal:
        """Give what checks and cannot seal."""
        return Seal(self.certificate)


def make(owner: str, now: Instant) -> Seal:
    """Make a seal for an organisation, good for ten years from an hour before `now`."""
    key = ec.generate_private_key(ec.SECP256R1())
    begins = datetime.fromtimestamp(now / 1000, UTC) - timedelta(hours=1)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, owner[:_LONGEST_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, owner[:_LONGEST_NAME]),
            x509.NameAttribute(
                NameOID.ORGANIZATIONAL_UNIT_NAME, "cachet non qualifié / not a qualified seal"
            ),
        ]
    )
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Seal(certificate.public_bytes(Encoding.DER), private)


def of_id(seals: Collection[Seal], id_: str) -> Seal | None:
    """Find the seal of a key's name; None when it is nobody's of ours."""
    return next((seal for seal in seals if seal.id == id_), None)


def _usage() -> x509.KeyUsage:
    """Let the key sign documents and nothing else (RFC 5280, section 4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
