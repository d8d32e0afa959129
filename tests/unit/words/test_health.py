"""Words that tell of health are found as people write them, and taken out; ordinary requests pass."""

from __future__ import annotations

import pytest

from serment.words.health import health_words, without_health_words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("J'ai un cancer du sein", ["cancer"]),
        ("Ma DÉPRESSION et mon diabète", ["DÉPRESSION", "diabète"]),
        ("suis-je se\u0301ropositif ?", ["se\u0301ropositif"]),
        ("arrêt maladie, fausse  couche", ["arrêt maladie", "fausse  couche"]),
        ("my HIV test and blood tests", ["HIV", "blood tests"]),
        ("je prends 20 mg le soir", ["20 mg"]),
        ("1 84 12 75 116 001 42", ["1 84 12 75 116 001 42"]),
        ("diabète, diabète", ["diabète"]),
        ("un Œdème, ma sœur", ["Œdème"]),
    ],
)
def test_words_that_tell_of_health_are_found_however_they_are_written(text: str, found: list[str]) -> None:
    assert health_words(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour, je voudrais savoir qui a ouvert mon dossier mardi dernier.",
        "Rappelez-moi au 06 12 34 56 78 après 18 h, merci.",
        "Une personne du cabinet que je ne connais pas a consulté mon dossier.",
        "Je souhaite une copie de mes données et fermer mon compte.",
        "Please call me back on Tuesday morning about the list of accesses.",
        "J'ai posté ma demande il y a un mois, sans réponse.",
        "",
    ],
)
def test_an_ordinary_request_is_not_warned_about(text: str) -> None:
    assert health_words(text) == []
    assert without_health_words(text) == text


def test_what_is_taken_out_leaves_the_rest_as_it_was_written() -> None:
    said = "Mon médecin traite mon ÉPILEPSIE depuis l'été ; appelez-moi."
    assert without_health_words(said) == "Mon médecin traite mon […] depuis l'été ; appelez-moi."
    assert health_words(without_health_words(said)) == []
