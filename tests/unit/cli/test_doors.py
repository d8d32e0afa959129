"""A choice in a line: what it does, and to whom or what."""

from __future__ import annotations

from typing import Any

import pytest

from serment.cli.doors import Item
from serment.cli.speech import told
from serment.identity.rpps import SYSTEM as RPPS

SOMEBODY = [{"reference": {"identifier": {"system": RPPS, "value": "1"}}}]
ITEM = [{"reference": {"reference": "Condition/1"}}]


@pytest.mark.parametrize(
    ("provision", "sentence", "about"),
    [
        ({"type": "deny"}, "cli.choice-oppose", ""),
        ({"type": "deny", "class": [{"code": "labs"}]}, "cli.choice-oppose", "labs"),
        ({"type": "deny", "data": ITEM}, "cli.choice-mask", "Condition/1"),
        ({"type": "deny", "actor": SOMEBODY}, "cli.choice-block", "1"),
        ({"type": "permit", "actor": SOMEBODY}, "cli.choice-permit", "1"),
        ({"type": "permit"}, "cli.choice-other", ""),
        ({}, "cli.choice-other", ""),
    ],
)
def test_a_choice_says_what_it_does(provision: dict[str, Any], sentence: str, about: str) -> None:
    item = Item.of_choice("Consent/1", 1, {"provision": provision})
    assert (item.title, item.value) == (told(sentence), about)


def test_a_reference_shows_its_version_and_its_marks() -> None:
    assert Item("Condition/1", 1, "", "", "").shown_reference == "Condition/1"
    assert Item("Condition/1", 3, "", "", "", masked=True).shown_reference == "Condition/1 v3 ◌"


def test_no_content_is_in_the_repr_of_an_item() -> None:
    assert "Arachide" not in repr(Item("AllergyIntolerance/1", 1, "Arachide", "grave", "2020"))
