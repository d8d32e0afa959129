"""Every code that a person may meet has a French and an English name."""

from __future__ import annotations

import pytest

from serment.access.grounds import GROUNDS
from serment.access.relations import DECLARED_REASONS
from serment.model import Category, EmergencyReason, Function, Label
from serment.words import Language, say

NAMES = [
    *(f"access.category.{category}" for category in Category),
    *(f"access.label.{label}" for label in Label),
    *(f"access.emergency.{reason}" for reason in EmergencyReason),
    *(f"access.declared.{reason}" for reason in sorted(DECLARED_REASONS)),
    *(f"access.function.{function}" for function in Function),
    *(f"access.ground.{rule}" for rule, _ in GROUNDS),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", Language)
def test_a_code_has_a_name(name: str, language: Language) -> None:
    said = say(name, language)
    assert said
    assert "bris de glace" not in said
