"""Somebody guesses ids until one answers: every guess is refused alike, traced, and soon too many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.errors import NotFoundError, TooManyError
from serment.record.passage import REFUSALS
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("guessing")
    with installation(folder) as made:
        yield made


def test_a_guesser_is_slowed_and_others_are_not(house: Installation) -> None:
    guesser = house.as_staff("unrelated-doctor")
    for guess in range(REFUSALS):
        with pytest.raises(NotFoundError):
            run(house.house.reading.read(guesser, "Observation", f"guess-{guess}"))
    with pytest.raises(TooManyError):
        run(house.house.reading.read(guesser, "Observation", "guess-once-more"))
    with pytest.raises(NotFoundError):
        run(house.house.reading.read(house.as_staff("team-doctor"), "Observation", "guess-0"))


def test_a_guesser_of_real_ids_is_slowed_at_the_same_count(house: Installation) -> None:
    guesser = house.as_staff("pharmacist")
    type_, _, id_ = house.item("maskable").partition("/")
    for _ in range(REFUSALS):
        with pytest.raises(NotFoundError):
            run(house.house.reading.read(guesser, type_, id_))
    with pytest.raises(TooManyError):
        run(house.house.reading.read(guesser, type_, id_))
