"""A representative reads the list of accesses to learn whether a refused item exists.

An item under the minor's secret and an id that leads nowhere are refused alike; so must the list that
the representative reads afterwards be alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.errors import NotFoundError
from serment.model import Actor, ActorId, ActorKind
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("refusals")
    with installation(folder) as made:
        yield made


def mother(house: Installation) -> Actor:
    """The representative that the practice recorded for the adolescent."""
    choice = next(one for one in house.store.people.choices if one.kind == "representative")
    related = house.store.items[choice.item].partition("/")[2]
    return Actor(ActorId(f"proxy:{related}"), ActorKind.PROXY, "Mère")


def lines(house: Installation) -> int:
    """How many lines the representative's list has."""
    asking = house.store.asking(mother(house))
    return len(run(house.house.proving.trail(asking, house.record("adolescent"))))


def test_the_list_grows_alike_after_a_secret_item_and_after_nothing(house: Installation) -> None:
    secret = next(
        reference
        for url, reference in house.store.items.items()
        if url in house.patient("adolescent").items.values()
    )
    grown = []
    for reference in (secret, "Observation/00000000-0000-4000-8000-000000000000"):
        before = lines(house)
        type_, _, id_ = reference.partition("/")
        with pytest.raises(NotFoundError):
            run(house.house.reading.read(house.store.asking(mother(house)), type_, id_))
        grown.append(lines(house) - before)
    assert grown[0] == grown[1]
