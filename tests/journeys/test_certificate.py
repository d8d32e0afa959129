"""A host name and its certificate: made by `init`, served under TLS, looked at by `doctor`."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from serment.keys.certificate import make
from tests.journeys.terminal import Terminal

NOW = 1_795_000_000_000


def test_a_server_made_with_a_host_name_is_reached_over_tls(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    secret = terminal.secret()
    words = ("--passphrase-file", secret, "--host-name", "localhost")
    made = terminal.run("init", "--demo", *words)
    assert made.code == 0, made.err
    with terminal.running("serve", "--port", "0", "--passphrase-file", secret) as said:
        assert said["base"].startswith("https://localhost:")
        authority = (terminal.directory / "tls" / "authority.pem").read_text("ascii")
        context = ssl.create_default_context(cadata=authority)
        with httpx.Client(verify=context) as trusting, httpx.Client() as other:
            assert trusting.get(f"{said['base']}/livez").text == "ok\n"
            with pytest.raises(httpx.HTTPError):
                other.get(f"{said['base'].replace('https://', 'http://')}/livez")


def test_init_refuses_a_number_before_anything_is_made(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    said = terminal.call("init", "--passphrase-file", terminal.secret(), "--host-name", "192.0.2.4")
    assert said.code != 0
    assert not terminal.directory.exists()


def test_a_certificate_that_the_site_brings_must_be_good_for_the_name(tmp_path: Path) -> None:
    terminal, made = Terminal(tmp_path), make("dossier.example", NOW)
    (tmp_path / "certificate.pem").write_bytes(made.certificate)
    (tmp_path / "key.pem").write_bytes(made.key)
    files = ("--certificate", str(tmp_path / "certificate.pem"), "--key", str(tmp_path / "key.pem"))
    assert terminal.call("certificate", "take", "autre.example", *files).code != 0
    assert terminal.call("certificate", "show").code != 0
    assert terminal.call("certificate", "take", "dossier.example", *files).code == 0
    assert terminal.call("certificate", "show", "--json").object["host"] == "dossier.example"
    assert (terminal.directory / "tls" / "key.pem").stat().st_mode & 0o077 == 0


def test_doctor_says_what_fails_about_the_name(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.call("init", "--demo", "--passphrase-file", terminal.secret())

    def light() -> tuple[str, str]:
        checks = terminal.call("doctor", "--port", "0", "--json").object["checks"]
        return next((one["light"], one["advice"]) for one in checks if one["check"].startswith("name"))

    assert light() == ("green", "")
    terminal.call("certificate", "make", "nowhere.invalid")
    assert light()[0] == "yellow"
    terminal.call("certificate", "make", "localhost")
    assert light() == ("green", "")
    (terminal.directory / "tls" / "key.pem").write_bytes(make("localhost", NOW).key)
    assert light()[0] == "red"
