"""Every sentence for a person speaks French and English, with the same blanks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

import serment.words
from serment.words import Language, catalogue, say

ROOM_AND_NAME = re.compile(r"[a-z]+\.[a-z0-9_]+(?:[.-][A-Za-z0-9_]+)*$")
ROOMS = sorted(Path(serment.words.__file__).parent.glob("*.toml"))


def blanks(text: str) -> list[tuple[str, str | None, str | None]]:
    return [
        (name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None
    ]


def filled(text: str) -> dict[str, object]:
    return {name: "7" for name, _, _ in blanks(text)}


def test_every_sentence_speaks_both_languages() -> None:
    assert [s for s, texts in catalogue().items() if set(texts) != {"fr", "en"}] == []


def test_no_sentence_is_empty_or_untrimmed() -> None:
    bad = [
        s for s, texts in catalogue().items() for text in texts.values() if not text or text != text.strip()
    ]
    assert bad == []


def test_no_french_line_begins_with_a_mark_that_follows_a_blank() -> None:
    said = [say(one, Language.FR, **filled(texts["fr"])) for one, texts in catalogue().items()]
    assert [one for one in said if re.search(r" [:;?!»]|« ", one)] == []
    assert say("clinician.section-why", Language.FR) == "Pourquoi\u00a0?"


def test_both_languages_have_the_same_blanks() -> None:
    unlike = [
        s
        for s, texts in catalogue().items()
        if {n for n, _, _ in blanks(texts["fr"])} != {n for n, _, _ in blanks(texts["en"])}
    ]
    assert unlike == []


def test_a_blank_is_a_plain_name() -> None:
    """`{actor.name}` or `{0}` would let a sentence reach into what it is given."""
    bad = [
        s
        for s, texts in catalogue().items()
        for text in texts.values()
        for name, spec, conversion in blanks(text)
        if not re.fullmatch(r"[a-z_]+", name) or spec or conversion
    ]
    assert bad == []


def test_an_id_begins_with_the_file_that_holds_it() -> None:
    strangers = [
        (file.name, sentence)
        for file in ROOMS
        for sentence in tomllib.loads(file.read_text("utf-8"))
        if not ROOM_AND_NAME.match(sentence) or sentence.split(".")[0] != file.stem
    ]
    assert strangers == []


@pytest.mark.parametrize("language", list(Language))
def test_every_sentence_can_be_said(language: Language) -> None:
    for sentence, texts in catalogue().items():
        said = say(sentence, language, **filled(texts[language]))
        assert "{" not in said
        assert "}" not in said


def test_an_unknown_sentence_is_a_defect_and_not_an_empty_text() -> None:
    with pytest.raises(KeyError):
        say("words.never-written", Language.FR)


def test_a_blank_left_open_is_a_defect() -> None:
    with_blanks = next(s for s, texts in catalogue().items() if blanks(texts["fr"]))
    with pytest.raises(KeyError):
        say(with_blanks, Language.FR)


def test_a_value_that_looks_like_a_blank_is_not_filled_again() -> None:
    """Format-string injection: what fills a blank is text, never a template."""
    sentence, texts = next((s, t) for s, t in catalogue().items() if blanks(t["en"]))
    name = blanks(texts["en"])[0][0]
    said = say(sentence, Language.EN, **{**filled(texts["en"]), name: "{other.__class__}"})
    assert "{other.__class__}" in said
