"""A notice on the wire, over TLS with a certificate of its name and with one of another."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serment.exits.rest_hook import RestHook
from serment.record.subscriptions.notifying import Departure


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate of one name that nobody else signed; give key and certificate in one file."""
    key, today = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def listening(file: Path, received: list[bytes]) -> Iterator[int]:
    """Take one call over TLS and answer 200."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def take(plain: socket.socket) -> None:
        with suppress(OSError):
            line, _ = plain.accept()
            with line, context.wrap_socket(line, server_side=True) as safe:
                received.append(safe.recv(4096))
                safe.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = threading.Thread(target=take, args=(plain,), daemon=True)
        thread.start()
        yield plain.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(("name", "taken"), [("localhost", True), ("another.example", False)])
def test_the_receiver_shows_a_certificate_of_its_name(tmp_path: Path, name: str, taken: bool) -> None:
    file, received = certificate(tmp_path, name), list[bytes]()
    trusted = ssl.create_default_context(cafile=str(file))
    with listening(file, received) as port:
        departure = Departure(f"https://localhost:{port}/told", "secret", private=True, subscription="an-id")
        assert RestHook(trusted).carry(departure) is taken
    assert [b"Serment-Subscription: an-id" in one for one in received] == [True] * taken


def test_a_certificate_that_nobody_vouches_for_is_not_enough(tmp_path: Path) -> None:
    received: list[bytes] = []
    with listening(certificate(tmp_path, "localhost"), received) as port:
        url = f"https://localhost:{port}/told"
        assert not RestHook().carry(Departure(url, "secret", private=True, subscription="an-id"))
    assert received == []


def test_a_departure_shows_no_secret() -> None:
    assert "hush" not in repr(Departure("https://a.example", "hush", private=False, subscription="1"))
