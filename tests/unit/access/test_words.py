"""Every category that a person may meet has a French and an English name."""

from __future__ import annotations

import pytest

from serment.model import Category
from serment.words import Language, say


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("language", Language)
def test_a_category_has_a_name(category: Category, language: Language) -> None:
    assert say(f"access.category.{category}", language)
