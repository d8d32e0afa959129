"""A reason kept by its id is said without its blanks."""

from __future__ import annotations

import pytest

from serment.cli.speech import reason, told
from serment.words import catalogue


def test_any_sentence_can_be_a_reason() -> None:
    assert [sentence for sentence in catalogue() if "{" in reason(sentence)] == []


def test_a_reason_that_is_no_longer_known_is_shown_as_it_is() -> None:
    assert reason("importing.forgotten") == "importing.forgotten"


def test_a_sentence_with_a_blank_left_open_is_a_defect() -> None:
    with pytest.raises(KeyError):
        told("cli.unknown-actor")
