"""One server and one Chromium for each file of journeys; a window for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.doors.served import Served, served
from tests.pages.chrome import CHROMIUM, MISSING, Window, chromium, window


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip(MISSING)
    with chromium() as started:
        yield started


Opening = Callable[..., Window]


@pytest.fixture
def opening(server: Served, browser: Browser) -> Iterator[Opening]:
    """Open windows, each of a person of its own; `script=False` without JavaScript, `language="en"`."""
    with ExitStack() as closing:

        def open_one(*, script: bool = True, language: str = "fr-FR") -> Window:
            return closing.enter_context(window(browser, server, script=script, language=language))

        yield open_one
