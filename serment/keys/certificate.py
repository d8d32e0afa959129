"""The certificate under which people reach the server by its host name (TLS, RFC 5280).

A site brings its own, or has one made here: an authority for this one name, which signs one certificate and
whose key is then forgotten, so that nobody can ever sign another name with it. Browsers trust it once the
authority's file is installed on the machines of the house. Passkeys need a host name under a certificate that
the browser trusts (WebAuthn section 5.1.3): a number does not do.

Order: making one, reading one. No file is read or written here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from serment.errors import RequestError

DAYS: Final = 396
"""Browsers take no leaf that lasts longer than 398 days."""

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"[0-9.]+|.*:.*")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. `names` are the host names that it covers; instants in ms."""

    names: tuple[str, ...]
    begins: int
    ends: int
    key_fits: bool

    def covers(self, host: str) -> bool:
        """Say whether a host name is covered, by itself or by a wildcard for its first label (RFC 9525)."""
        wildcard = "*." + host.partition(".")[2]
        return host in self.names or (wildcard in self.names and "." in host)


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate with its key, and the authority that people install. All PEM."""

    certificate: bytes
    key: bytes
    authority: bytes

    def __repr__(self) -> str:
        return "Made(…)"


def host_name(text: str) -> str:
    """Take a host name as it is typed. Raises `RequestError` for a number, a port, a path."""
    name = text.strip().rstrip(".").lower()
    if _NUMBER.fullmatch(name) or not _HOST.fullmatch(name):
        raise RequestError("custody.host-name")
    return name


def make(host: str, now: int) -> Made:
    """Make a certificate for one host name, good from an hour before `now` (ms)."""
    begins = datetime.fromtimestamp(now / 1000, UTC) - timedelta(hours=1)
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Serment, {host}")])
    lasting = begins + timedelta(days=DAYS)
    signer = (
        _begun(authority, authority, root.public_key(), begins, lasting)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host)], None), critical=True)
        .sign(root, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    served = (
        _begun(subject, authority, leaf.public_key(), begins, lasting)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    key = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = signer.public_bytes(Encoding.PEM)
    return Made(served.public_bytes(Encoding.PEM) + signed, key, signed)


def read(certificate: bytes, key: bytes) -> Certificate:
    """Read a certificate (the first of a chain) and hold it against its key, PEM. Raises `RequestError`."""
    try:
        found = x509.load_pem_x509_certificates(certificate)[0]
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, IndexError):
        raise RequestError("custody.certificate-unreadable") from None
    public = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fits = found.public_key().public_bytes(*public) == private.public_key().public_bytes(*public)
    return Certificate(_names(found), _ms(found.not_valid_before_utc), _ms(found.not_valid_after_utc), fits)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in names.value.get_values_for_type(x509.DNSName))


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
