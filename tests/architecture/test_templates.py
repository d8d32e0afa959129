"""What templates may hold: no sentence of their own, no style, no script but ours, no htmx without nonce."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

FOLDER = ROOT / "serment" / "web" / "templates"
VENDOR = ROOT / "serment" / "web" / "static" / "vendor"
TEMPLATES = [pytest.param(path, id=str(path.relative_to(FOLDER))) for path in sorted(FOLDER.rglob("*.html"))]
TAG = re.compile(r"<(?:\"[^\"]*\"|'[^']*'|[^'\">])*>", re.S)
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"|[?&]\w+=')
"""What of a text outside tags is no word: an attribute that a macro writes, the query of an address."""
SPOKEN = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"')
OURS = re.compile(r'<script nonce="\{\{ nonce \}\}" src="\{\{ asset\("[a-z.-]+"\) \}\}" defer></script>')
WORD = re.compile(r"[^\W\d_]{2,}")


def without_jinja(text: str) -> str:
    return JINJA.sub("", text)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_nothing_that_is_not_in_the_catalogue(template: Path) -> None:
    text = without_jinja(template.read_text("utf-8"))
    assert WORD.findall(ATTRIBUTE.sub(" ", TAG.sub(" ", text))) == []
    assert [said for said in SPOKEN.findall(text) if WORD.search(said)] == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_has_no_style_no_script_and_no_handler_of_its_own(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b|hx-on", text)
    for script in re.findall(r"<script[^>]*>.*?</script>", text, re.S):
        assert re.fullmatch(
            r'<script nonce="\{\{ nonce \}\}" src="\{\{ asset\("[a-z.-]+"\) \}\}" defer></script>', script
        )


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_htmx_moves_carries_the_nonce_and_is_a_link_or_a_form_first(template: Path) -> None:
    for tag in TAG.findall(template.read_text("utf-8")):
        if re.search(r"\shx-(?!nonce)", tag):
            assert 'hx-nonce="{{ nonce }}"' in tag, tag
            assert re.match(r"<(a|form|button|input|textarea|select|div|section|p)\b", tag), tag


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_of_a_template_comes_from_outside(template: Path) -> None:
    assert not re.search(r"https?://(?!www\.w3\.org/)", template.read_text("utf-8"))


def test_the_files_of_others_are_as_they_were_published() -> None:
    sums = dict(line.split()[::-1] for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    found = {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.suffix in {".js", ".css"}
    }
    assert found == sums
    assert {path.name for path in VENDOR.glob("LICENSE.*")} == {"LICENSE.htmx"}
