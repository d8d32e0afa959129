"""The pictures of the documentation are taken by the journeys: none is drawn by hand, none stays unused."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT

IMAGES = ROOT / "docs" / "images"
SHOWN = re.compile(r"!\[[^\]]*\]\((?:\.\./)*(?:docs/)?images/([\w-]+)\.png\)")
KEPT = re.compile(r"""\.keep\(f?["']([\w-]+?)(-\{language\})?["']\)""")


def shown() -> set[str]:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {name for page in pages for name in SHOWN.findall(page.read_text("utf-8"))}


def kept() -> set[str]:
    journeys = (ROOT / "tests" / "pages").glob("*.py")
    found = [one for file in journeys for one in KEPT.findall(file.read_text("utf-8"))]
    return {f"{name}{ending}" for name, both in found for ending in (("-fr", "-en") if both else ("",))}


def test_every_picture_that_a_page_shows_is_there_and_was_taken_by_a_journey() -> None:
    assert {name for name in shown() if not (IMAGES / f"{name}.png").exists()} == set()
    assert shown() - kept() == set()


def test_no_picture_stays_behind() -> None:
    assert {path.stem for path in IMAGES.glob("*.png")} - shown() == set()
