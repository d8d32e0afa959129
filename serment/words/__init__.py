"""Every sentence for a person: an id, French and English (HOUSE section 6).

The catalogue is the TOML files beside this module, one for each room, loaded at first use. A
sentence has `fr` and `en`, both complete, with named blanks in braces. An unknown id, a missing
language or a missing blank is a `KeyError`: a defect of ours, found by the catalogue's tests.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

_BEFORE: Final = re.compile(r" (?=[:;?!»])")
_AFTER: Final = re.compile(r"(?<=«) ")
"""The blanks at which a French line never breaks (Imprimerie nationale, Lexique)."""


class Language(StrEnum):
    """Languages in which Serment speaks to people."""

    FR = "fr"
    EN = "en"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Read every sentence: id → language → text."""
    sentences: dict[str, dict[str, str]] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for sentence, texts in tomllib.loads(file.read_text("utf-8")).items():
                if sentence in sentences:
                    raise KeyError(f"sentence {sentence} stands twice in the catalogue")
                sentences[sentence] = texts
    return sentences


@cache
def _room(name: str) -> dict[str, dict[str, str]]:
    """Read the one file that bears a room's name, so that a short answer need not wait for all of them."""
    file = files(__package__) / f"{name}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


@cache
def _text(sentence: str, language: Language) -> str:
    """Give one sentence as it is set: in French no line begins with ":" or ends with an opening quote."""
    text = (_room(sentence.partition(".")[0]).get(sentence) or catalogue()[sentence])[language]
    return _AFTER.sub("\u00a0", _BEFORE.sub("\u00a0", text)) if language is Language.FR else text


def say(sentence: str, language: Language, **parameters: object) -> str:
    """Give one sentence in one language, its blanks filled; what fills them is left as it is."""
    return _text(sentence, language).format(**parameters)
