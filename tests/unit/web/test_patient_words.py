"""The patient's pages are read by everybody: short sentences, plain words, none of the machine's own.

Measured on the French sentences that each page says, taken from its template; a page that is harder than the
bar must begin with a summary (`class="lead"`), and none may be harder than `LAST`.
"""

from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest

from serment.words import Language, catalogue, say
from tests.readability import Ease, ease, syllables

PLAIN = 80.0
"""The bar of one page (Kandel-Moles): plain for who left school at fifteen."""
LAST = 65.0
MEAN_WORDS, LONGEST = 14.0, 32
LONG_WORDS = 0.12

BARRED = re.compile(
    r"\b(hash|token|jeton|merkle|fhir|json|api|xml|sha|url|http|consent|bundle|ledger|identifiant technique|"
    r"cryptograph\w*|chiffrement|endpoint|scope|oauth|passkey|uuid|checksum|empreinte)\b",
    re.IGNORECASE,
)
IN_ENGLISH = frozenset({"consent", "ledger", "passkey", "scope"})
"""Words that are plain English, and barred in French only."""

PAGES = sorted(
    one.name
    for one in (files("serment.web") / "templates" / "patient").iterdir()
    if one.name.endswith(".html")
)


def ids_of(page: str) -> set[str]:
    """Give the sentences that a template says, those of a family that it builds included."""
    text = (files("serment.web") / "templates" / "patient" / page).read_text("utf-8")
    return {one for one in re.findall(r't\("([a-z]+\.[A-Za-z0-9.-]+)"', text) if one in catalogue()}


def french(sentence: str) -> str:
    blanks = {name for _, name, _, _ in Formatter().parse(catalogue()[sentence]["fr"]) if name}
    return say(sentence, Language.FR, **dict.fromkeys(blanks, "quatre"))


def read(sentences: set[str]) -> Ease:
    texts = [french(one) for one in sorted(sentences)]
    return ease([text for text in texts if text.endswith((".", "!", "?", ":"))])


@pytest.mark.parametrize(
    ("word", "count"),
    [("dossier", 2), ("table", 1), ("lettres", 1), ("lisent", 1), ("médecin", 3), ("vu", 1), ("y", 1)],
)
def test_syllables_are_those_that_are_heard(word: str, count: int) -> None:
    assert syllables(word) == count


def test_a_hard_text_scores_low_and_a_plain_one_high() -> None:
    hard = "L'opposabilité des présomptions réglementaires conditionne l'interopérabilité des habilitations."
    assert ease([hard]).score < 0 < PLAIN < ease(["Le chat dort. Il fait chaud."]).score


@pytest.mark.capability("1-19", "refuses")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_plain_or_begins_with_a_summary(page: str) -> None:
    found = read(ids_of(page))
    text = (files("serment.web") / "templates" / "patient" / page).read_text("utf-8")
    assert found.score >= LAST, found
    assert found.score >= PLAIN or 'class="lead"' in text, found
    assert found.words <= MEAN_WORDS, found


def test_the_sentences_of_all_these_pages_are_short_and_their_words_too() -> None:
    mine = {one for one in catalogue() if one.startswith("patient.")}
    found = read(mine)
    assert found.score >= PLAIN, found
    assert found.words <= MEAN_WORDS, found
    assert found.longest <= LONGEST, found
    assert found.long <= LONG_WORDS, found


@pytest.mark.capability("1-19", "lets")
@pytest.mark.parametrize("page", PAGES)
def test_no_word_of_the_machine_stands_on_a_page(page: str) -> None:
    for sentence in ids_of(page) | {one for one in catalogue() if one.startswith("patient.")}:
        said = catalogue()[sentence]
        assert not BARRED.search(said["fr"]), sentence
        english = set(map(str.lower, BARRED.findall(said["en"])))
        assert english <= IN_ENGLISH, sentence
