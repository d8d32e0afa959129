"""A program sends somebody to us in a real browser: a page asks, and they are back at the program."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from serment.people.clients import PUBLIC, Client
from tests.doors.programs import Program, registered
from tests.doors.served import Served, served
from tests.journeys.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Debian's package chromium is not installed")

SCOPES = (
    "launch/patient",
    "patient/Observation.rs",
    "patient/Patient.rs",
    "user/Observation.rs",
    "online_access",
)


class Home(BaseHTTPRequestHandler):
    """The page of a program to which people come back."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(
            b"<!doctype html><title>diary</title><link rel=icon href=data:,><p>back at the diary"
        )

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def home() -> Iterator[str]:
    """Serve the program's own page; give the address to come back to."""
    with HTTPServer(("127.0.0.1", 0), Home) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/back"
        serving.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("consent")) as running:
        yield running


@pytest.fixture(scope="module")
def back() -> Iterator[str]:
    with home() as address:
        yield address


@pytest.fixture(scope="module")
def diary(server: Served, back: str) -> Client:
    return registered(server, PUBLIC, *SCOPES, redirects=(back,))


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as opened:
        yield opened


def sent_to_us(window: Browser, server: Served, diary: Client, scope: str) -> Program:
    """Come from the program's own site, as people do: that first request shows no session, and is led on."""
    program = Program(server, diary.id)
    (back,) = diary.redirects
    window.open(back)
    asked = f"{server.address}{program.asks(scope, redirect_uri=back)}"
    window._loading(lambda: window.value(f"location.assign({json.dumps(asked)})"))
    window.follow()
    return program


def brought_back(window: Browser) -> dict[str, str]:
    return {name: one for name, (one,) in parse_qs(urlsplit(window.address).query).items()}


def pictured(window: Browser, folder: Path, name: str) -> None:
    for width in (390, 1000):
        window.window(width)
        assert window.value("document.documentElement.scrollWidth") <= width
        window.picture(folder / f"{name}-{width}.png")


def beside(window: Browser) -> bool:
    """Say whether every box stands on the first line of its label, and no label runs below its box."""
    return bool(
        window.value(
            "[...document.querySelectorAll('fieldset p')].every((line) => {"
            " const box = line.querySelector('input').getBoundingClientRect(),"
            " said = line.querySelector('label').getBoundingClientRect();"
            " return box.right <= said.left && box.top >= said.top && box.bottom <= said.top + 32 })"
        )
    )


@pytest.mark.capability("1-16", "lets")
def test_a_patient_agrees_and_is_back_at_the_program(
    server: Served, diary: Client, window: Browser, tmp_path: Path
) -> None:
    window.open(server.code(server.patient_actor(), "/me"))
    program = sent_to_us(window, server, diary, "launch/patient patient/*.rs online_access")
    assert "dans votre dossier" in window.text
    assert "Quel dossier" not in window.text
    pictured(window, tmp_path, "patient")
    assert beside(window)
    window.value("document.querySelectorAll('fieldset input')[1].click()")
    window.click("button[value=let]")
    assert "back at the diary" in window.text
    (address,) = diary.redirects
    issued = program.exchanged(brought_back(window)["code"], redirect_uri=address).json()
    assert issued["scope"] == "patient/Observation.rs launch/patient online_access"
    assert issued["patient"] == server.record()
    window.open(f"{server.address}/programs")
    assert "Carnet de suivi" in window.text
    window.click("main form button")
    assert "Aucune application" in window.text
    assert window.complaints == []


def test_whoever_refuses_is_back_with_nothing(
    server: Served, diary: Client, window: Browser, tmp_path: Path
) -> None:
    window.open(server.code(server.installation.staff("team-doctor"), "/home"))
    sent_to_us(window, server, diary, "launch/patient patient/Observation.rs user/Observation.rs")
    assert "tous les dossiers qui vous sont ouverts" in window.text
    assert "Quel dossier" in window.text
    pictured(window, tmp_path, "doctor")
    assert beside(window)
    window.click("button[value=refuse]")
    assert "back at the diary" in window.text
    assert brought_back(window)["error"] == "access_denied"
    assert window.complaints == []
