"""The certificate of a host name: made for one name, read, held against its key."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from serment.errors import RequestError
from serment.keys.certificate import Certificate, host_name, make, read

NOW = 1_795_000_000_000
HOST = "dossier.cabinet.example"


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "::1", "dossier:8080", "a b", "", "-a.example", "a..b", "https://a.example", "é.fr"]
)
def test_a_number_or_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        host_name(text)


def test_a_name_is_taken_folded() -> None:
    assert host_name(" Dossier.Cabinet.example. ") == HOST


def test_a_made_certificate_covers_its_name_alone_for_a_year() -> None:
    made = make(HOST, NOW)
    found = read(made.certificate, made.key)
    assert (found.names, found.key_fits) == ((HOST,), True)
    assert found.begins < NOW < found.ends <= NOW + 398 * 24 * 3600 * 1000
    assert not found.covers("autre.cabinet.example")


def test_the_authority_can_sign_no_other_name() -> None:
    authority = x509.load_pem_x509_certificate(make(HOST, NOW).authority)
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    assert limits.permitted_subtrees == [x509.DNSName(HOST)]
    assert b"PRIVATE KEY" not in make(HOST, NOW).authority


def test_a_client_that_trusts_the_authority_loads_it(tmp_path: Path) -> None:
    made = make(HOST, NOW)
    (tmp_path / "certificate").write_bytes(made.certificate)
    (tmp_path / "key").write_bytes(made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    ssl.create_default_context(cadata=made.authority.decode())


def test_the_key_of_another_certificate_does_not_fit() -> None:
    assert not read(make(HOST, NOW).certificate, make(HOST, NOW).key).key_fits


@pytest.mark.parametrize("bytes_", [b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(bytes_: bytes) -> None:
    with pytest.raises(RequestError):
        read(bytes_, make(HOST, NOW).key)


def test_a_wildcard_covers_one_label() -> None:
    wild = Certificate(("*.cabinet.example",), 0, 1, key_fits=True)
    assert wild.covers(HOST)
    assert not wild.covers("a.b.cabinet.example")
    assert not wild.covers("cabinet.example")


def test_nothing_of_a_key_is_in_a_repr() -> None:
    assert "KEY" not in repr(make(HOST, NOW))
