"""Every page, as it is for who looks: nobody barred, nothing cut, nothing from outside, in their language."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from tests.doors.served import Served
from tests.pages.chrome import WIDTHS, Window
from tests.pages.conftest import Opening
from tests.pages.tour import NOBODY, PASSED_BY, PATIENT, STOPS, Stop, looked_at

MOST_ASSETS = 25 * 1024
"""Bytes of all that a page loads beside its own text, compressed (gzip -9); device curves apart."""
TOUR = os.environ.get("SERMENT_TOUR", "")
"""Where a picture of every page at every width is kept, when somebody wants to look at them all."""

EACH = pytest.mark.parametrize("stop", STOPS, ids=lambda one: f"{one.route} {one.role or 'nobody'}")


def arrived(opening: Opening, server: Served, stop: Stop, **options: object) -> Window:
    """Open a stop of the tour in a window of its own."""
    window = opening(**options)
    to = stop.address(server)
    if stop.role == NOBODY:
        window.go(to)
    else:
        who = server.patient_actor() if stop.role == PATIENT else server.installation.staff(stop.role)
        window.enter(who, to)
    return window


def test_every_page_is_a_stop_or_says_why_not() -> None:
    listed = {stop.route for stop in STOPS} | set(PASSED_BY)
    assert set(looked_at()) == listed
    assert not {stop.route for stop in STOPS} & set(PASSED_BY)


@EACH
def test_a_page_bars_nobody_in_either_theme_and_nothing_of_it_is_cut(
    opening: Opening, server: Served, stop: Stop
) -> None:
    window = arrived(opening, server, stop)
    for dark in (False, True):
        window.theme(dark=dark)
        assert window.faults() == []
        for width in WIDTHS:
            window.width(width)
            assert window.too_wide() == [], width
            if TOUR:
                name = re.sub(r"[^a-z]+", "-", f"{stop.route} {stop.role}").strip("-")
                window.picture(Path(TOUR) / f"{name}-{width}{'-dark' if dark else ''}.png")
    heard = [one for one in window.complaints if stop.status == 200 or "status of" not in one]
    assert heard == []
    assert window.hosts == {server.address.partition("//")[2]}


@EACH
def test_a_page_loads_little_and_only_ours(opening: Opening, server: Served, stop: Stop) -> None:
    window = arrived(opening, server, stop)
    loaded = {one for one in window.asked if "/static/" in one and "uplot" not in one}
    calls = server.calling(server.address, {})
    size = sum(len(gzip.compress(calls.get(one).content, 9)) for one in loaded)
    assert size <= MOST_ASSETS


@EACH
def test_a_page_stands_without_javascript(opening: Opening, server: Served, stop: Stop) -> None:
    window = arrived(opening, server, stop, script=False)
    assert window.page.locator("h1").count() == 1
    assert window.page.locator("main").inner_text().strip()


@EACH
def test_a_page_is_in_the_language_of_whoever_looks(opening: Opening, server: Served, stop: Stop) -> None:
    for language in ("fr", "en"):
        window = arrived(opening, server, stop, language=language)
        assert window.page.locator("html").get_attribute("lang") == language
