"""In the morning, in a real browser: the server is locked, somebody types the passphrase, it opens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from serment import app, serving
from serment.keys.custody.client import CustodyClient
from serment.server import application
from tests.doors.served import running
from tests.installation import PASSPHRASE, small_installation
from tests.journeys.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Debian's package chromium is not installed")

BUTTON = "main button"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        small_installation(tmp_path_factory.mktemp("morning")) as made,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        made.house.close()
        client = CustodyClient(app.custody_directory(made.settings))
        client.lock()
        client.close()
        door = serving.Doorkeeper(made.settings)
        with running(application(door.house, lambda: None, door.unlock), listening):
            yield f"http://localhost:{listening.getsockname()[1]}"
        door.stop()


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as opened:
        yield opened


def typed(window: Browser, passphrase: str) -> None:
    """Type into the field that waits, and press the button."""
    window.value("document.querySelector('#passphrase').focus()")
    window.call("Input.insertText", text=passphrase)
    window.click(BUTTON)


def test_the_page_fits_a_telephone_in_both_languages_by_day_and_by_night(
    address: str, window: Browser, tmp_path: Path
) -> None:
    for language, heading in (("fr", "Déverrouiller le serveur"), ("en", "Unlock the server")):
        window.call("Network.setExtraHTTPHeaders", headers={"accept-language": language})
        for dark in (False, True):
            window.window(390, dark=dark)
            window.open(f"{address}/unlock")
            assert window.value("document.querySelector('h1').innerText") == heading
            assert window.value("document.documentElement.scrollWidth") <= 390
            window.picture(tmp_path / f"unlock-{language}-{'night' if dark else 'day'}.png")


def test_the_locked_page_leads_to_the_form_and_a_passphrase_opens_the_server(
    address: str, window: Browser, tmp_path: Path
) -> None:
    window.open(f"{address}/")
    window.click('a[href="/unlock"]')
    assert window.value("document.querySelector('[autofocus]').type") == "password"

    typed(window, "phrase tout à fait autre")
    assert "Phrase secrète incorrecte." in window.text
    assert window.address == f"{address}/unlock"
    assert window.value("document.querySelector('#passphrase').value") == ""
    window.picture(tmp_path / "wrong.png")

    typed(window, PASSPHRASE)
    assert window.address == f"{address}/unlocked"
    assert "Le serveur est déverrouillé" in window.text
    window.picture(tmp_path / "unlocked.png")
