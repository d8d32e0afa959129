"""Every page, as it is for who looks: nobody barred, nothing cut, nothing from outside, in their language."""

from __future__ import annotations

import gzip
import html
import os
import re
from functools import cache
from pathlib import Path

import pytest

from serment.words import Language, catalogue
from tests.doors.served import Served
from tests.pages.chrome import COLOURS, WIDTHS, Window
from tests.pages.conftest import Opening
from tests.pages.tour import NOBODY, PASSED_BY, PATIENT, STOPS, Stop, looked_at

MOST_ASSETS = 25 * 1024
"""Bytes of all that a page loads beside its own text, compressed (gzip -9)."""
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
    assert window.faults() == []
    seen(window, stop)
    window.theme(dark=True)
    assert window.faults(COLOURS) == []
    seen(window, stop, dark=True)
    heard = [one for one in window.complaints if stop.status == 200 or "status of" not in one]
    assert heard == []
    assert window.hosts == {server.address.partition("//")[2]}
    assert assets(window, server) <= MOST_ASSETS


def seen(window: Window, stop: Stop, *, dark: bool = False) -> None:
    """Look at a page at every width; keep what it looks like when somebody asked for it."""
    for width in WIDTHS if not dark or TOUR else ():
        window.width(width)
        assert window.too_wide() == [], width
        if TOUR:
            name = re.sub(r"[^a-z]+", "-", f"{stop.route} {stop.role}").strip("-")
            window.picture(Path(TOUR) / f"{name}-{width}{'-dark' if dark else ''}.png")


def assets(window: Window, server: Served) -> int:
    """Give the bytes of what a page loaded beside its own text, compressed."""
    loaded = {one for one in window.asked if "/static/" in one}
    calls = server.calling(server.address, {})
    return sum(len(gzip.compress(calls.get(one).content, 9)) for one in loaded)


# The same pages as a browser without scripts reads them.

HEADING = re.compile(r"<h1[\s>]")
MAIN = re.compile(r"<main[^>]*>(.*)</main>", re.S)
IN_FRENCH = re.compile(r'<(\w+) lang="fr".*?</\1>', re.S)
"""What exists in French only, and says so to a screen reader."""
WORDS = re.compile(r"<[^>]*>|\s+")


@EACH
def test_a_page_stands_by_itself_in_the_language_of_whoever_reads(server: Served, stop: Stop) -> None:
    page = server.browser()
    to = stop.address(server)
    if stop.role != NOBODY:
        who = server.patient_actor() if stop.role == PATIENT else server.installation.staff(stop.role)
        page.get(server.code(who, to))
    for language in Language:
        answer = page.get(to, headers={"accept-language": language.value})
        assert answer.status_code == stop.status
        assert f'<html lang="{language.value}">' in answer.text
        assert len(HEADING.findall(answer.text)) == 1
        main = MAIN.search(answer.text)
        assert main is not None
        text = html.unescape(WORDS.sub(" ", IN_FRENCH.sub("", main[1])))
        assert text.strip()
        if "/document/" not in stop.route:  # what a document says is in its own language
            assert [one for one in sentences_of(language) if one in text] == []


@cache
def sentences_of(language: Language) -> tuple[str, ...]:
    """Give the sentences that only the other language has: none of them stands on a page in this one."""
    (other,) = set(Language) - {language}
    own = "\n".join(texts[language] for texts in catalogue().values())
    said = {texts[other] for texts in catalogue().values()}
    return tuple(one for one in sorted(said) if len(one) > 20 and "{" not in one and one not in own)
