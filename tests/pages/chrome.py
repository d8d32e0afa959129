"""A window of Debian's Chromium, driven by Playwright as a person would: what they see, hear and press.

A `Window` watches while it is used: what the browser complained about, the hosts asked, what it loaded.
`faults` are those of axe-core (WCAG 2.0 to 2.2 A and AA, and best practice) in the theme that is on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from serment.model import Actor
from tests.doors.served import Served

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or ""
MISSING: Final = "Debian's package chromium is not installed: apt install chromium"
OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules that a change of theme touches."""
WIDTHS: Final = (390, 768, 1200, 1920)
PICTURES: Final = os.environ.get("SERMENT_PICTURES", "")
"""The folder where pictures for the documentation are kept; "" keeps none."""

TOO_WIDE: Final = """() => {
  const wide = [];
  const limit = document.documentElement.clientWidth;
  const apart = ".skip, .unseen, thead, .scroll > *, dialog:not([open])";
  for (const one of document.body.querySelectorAll("*")) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || one.closest(apart)) continue;
    if (box.right > limit + 1 || box.left < -1) wide.push(`${one.tagName}.${one.className} ${box.right}`);
  }
  if (document.documentElement.scrollWidth > limit) wide.push("page " + document.documentElement.scrollWidth);
  return wide;
}"""
"""What of a page is wider than its window: nothing may be, save inside a box that scrolls by itself."""


@dataclass(slots=True)
class Window:
    """One window of one person, and what the browser met while it was used."""

    page: Page
    server: Served
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pressed: int = 0
    loads: int = 0

    def enter(self, actor: Actor, to: str = "/") -> Window:
        """Come in as somebody, by a one-time code, and go to a page."""
        self.page.goto(self.server.code(actor, to))
        return self

    def go(self, to: str) -> Response:
        """Go to a page of the server."""
        answer = self.page.goto(self.server.address + to)
        assert answer is not None
        return answer

    def press(self, *keys: str) -> None:
        """Press keys one after the other, counting them; a text is typed by `write`, which is not counted."""
        for key in keys:
            self.pressed += 1
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type a text where the cursor is."""
        self.page.keyboard.type(text)

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return self.page.inner_text("body")

    @property
    def at(self) -> str:
        """The path that stands in the address bar, with its query."""
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def theme(self, *, dark: bool) -> None:
        """Take the light or the dark theme."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def width(self, pixels: int) -> None:
        """Take the width of a telephone or of a desk."""
        self.page.set_viewport_size({"width": pixels, "height": 900})

    def faults(self, rules: tuple[str, ...] = RULES) -> list[str]:
        """Ask axe-core for what bars somebody from this page, in the theme that is on."""
        if not self.page.evaluate("typeof window.axe !== 'undefined'"):
            self.page.evaluate(axe())
        found: dict[str, Any] = self.page.evaluate(
            "(only) => axe.run({ runOnly: only, resultTypes: ['violations'] })", list(rules)
        )
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    def too_wide(self) -> list[str]:
        """Say what is wider than the window."""
        wide: list[str] = self.page.evaluate(TOO_WIDE)
        return wide

    def picture(self, file: Path) -> None:
        """Keep what the whole page looks like."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file, full_page=True)

    def keep(self, name: str) -> None:
        """Keep a picture for the documentation when `make pictures` asks: `docs/images/<name>.png`."""
        if not PICTURES:
            return
        from PIL import Image

        self.page.mouse.move(0, 0)
        taken = Image.open(BytesIO(self.page.screenshot()))
        taken.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(
            Path(PICTURES) / f"{name}.png", optimize=True
        )

    @property
    def hosts(self) -> set[str]:
        """Every host that was asked for anything."""
        return {
            urlsplit(one).netloc for one in self.asked if not one.startswith(("data:", "blob:", "about:"))
        }


@cache
def axe() -> str:
    """Read axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one Chromium, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser, server: Served, *, script: bool = True, language: str = "fr-FR"
) -> Iterator[Window]:
    """Open a window of a person of its own: no cookie, nothing kept."""
    context = browser.new_context(
        locale=language, java_script_enabled=script, viewport={"width": 1200, "height": 900}
    )
    context.set_default_timeout(20_000)
    try:
        yield _watched(context, server)
    finally:
        context.close()


def _watched(context: BrowserContext, server: Served) -> Window:
    opened = Window(context.new_page(), server)
    opened.page.on("console", lambda said: _complained(opened, said.type, said.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("request", lambda request: opened.asked.append(request.url))
    opened.page.on("load", lambda _page: setattr(opened, "loads", opened.loads + 1))
    return opened


def _complained(window: Window, kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        window.complaints.append(text)
