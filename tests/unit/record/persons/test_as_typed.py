"""Finding people as somebody types, over a real installation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import RefusedError
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("as-typed")) as one:
        yield one


def test_a_person_is_found_by_the_beginning_of_a_name(made: Installation) -> None:
    traits = made.patient().traits
    found = run(made.house.as_typed.search(made.as_staff("secretary"), traits.birth_name[:3].lower()))
    assert made.record() in [who.patient for who in found]


def test_a_patient_may_not(made: Installation) -> None:
    with pytest.raises(RefusedError):
        run(made.house.as_typed.search(made.as_patient(), "martin"))
