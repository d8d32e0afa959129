"""Two people in a real browser: a doctor opens a record, the patient sees it and masks an item by a click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.served import Served, served
from tests.journeys.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Debian's package chromium is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "profile") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "other") as opened:
        yield opened


CLOSED = "ne peut pas être montrée"
"""What every page says in place of what may not be seen, or is not there."""


def enter(window: Browser, server: Served, role: str) -> None:
    if role == "patient":
        window.open(server.code(server.patient_actor(), "/me"))
    else:
        window.open(server.code(server.installation.staff(role), f"/record/{server.record()}"))


def button(item: str) -> str:
    return f'form:has(input[value="{item}"]) button'


@pytest.mark.capability("4-04", "lets")
def test_the_patient_masks_an_item_by_a_click_and_the_doctor_loses_it(
    server: Served, window: Browser, other: Browser
) -> None:
    item = server.installation.item("maskable")
    document = f"{server.address}/record/{server.record()}/document/{item}"
    enter(window, server, "team-doctor")
    assert window.address == f"{server.address}/record/{server.record()}"
    window.open(document)
    assert CLOSED not in window.text

    enter(other, server, "patient")
    assert server.installation.staff("team-doctor").name in other.text
    mine = f"{server.address}/me/record/documents"
    other.open(mine)
    assert other.value(f"document.querySelector('{button(item)}').innerText") == "Masquer"
    other.click(button(item))
    assert other.address == mine
    assert other.value(f"document.querySelector('{button(item)}').innerText") == "Montrer de nouveau"

    window.open(document)
    assert CLOSED in window.text
    other.click(button(item))
    window.open(document)
    assert CLOSED not in window.text
    assert other.complaints == []


def test_no_page_asks_anything_of_anybody_else(server: Served, window: Browser) -> None:
    enter(window, server, "patient")
    asked = window.value("performance.getEntriesByType('resource').map(one => one.name)")
    assert {address.partition("?")[0] for address in asked} <= {
        f"{server.address}/static/{name}"
        for name in ("serment.css", "serment.svg", "serment.js", "htmx.js", "hx-csp.js")
    }
    assert window.value("document.cookie") == ""


def test_pages_fit_a_telephone_by_day_and_by_night(server: Served, window: Browser, tmp_path: Path) -> None:
    for role in ("patient", "team-doctor", "unrelated-doctor"):
        for dark in (False, True):
            window.window(390, dark=dark)
            enter(window, server, role)
            assert window.value("document.documentElement.scrollWidth") <= 390
            light = window.value("getComputedStyle(document.body).backgroundColor") == "rgb(251, 251, 249)"
            assert light is not dark
            window.picture(tmp_path / f"{role}-{'night' if dark else 'day'}.png")


def test_signing_out_by_the_button_closes_the_page(server: Served, window: Browser) -> None:
    enter(window, server, "patient")
    window.click("header button")
    assert window.address == f"{server.address}/sign-in"
    window.open(f"{server.address}/me")
    assert "pas connecté" in window.text
