"""A page that stands in two languages says the same in both: the same parts, commands and links."""

from __future__ import annotations

import re

import pytest

from tests.architecture.pages import blocks
from tests.architecture.source import ROOT

TWINS = [("docs/tutorial/first-hour.md", "docs/tutorial/premiere-heure.md")]
LINKED = re.compile(r"\]\((\.\./[^)]+)\)")


@pytest.mark.parametrize(("english", "french"), TWINS)
def test_two_languages_say_the_same(english: str, french: str) -> None:
    pages = [(ROOT / name).read_text("utf-8") for name in (english, french)]
    commands = [[(block.language, block.text) for block in blocks(page)] for page in pages]
    assert commands[0] == commands[1]
    assert len({len(re.findall("^## ", page, re.M)) for page in pages}) == 1
    assert _links(pages[0]) == _links(pages[1])


@pytest.mark.parametrize(("english", "french"), TWINS)
def test_each_leads_to_the_other_and_the_readme_to_both(english: str, french: str) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, other in ((english, french), (french, english)):
        assert f"({name})" in readme
        assert f"({other.rpartition('/')[2]})" in (ROOT / name).read_text("utf-8")


def _links(page: str) -> list[str]:
    """List what a page leads to; a picture is taken in the language of its page."""
    return [re.sub(r"-(en|fr)\.png$", ".png", link) for link in LINKED.findall(page)]
