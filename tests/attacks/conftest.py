"""The installation that is attacked, and the hands of the thief.

An attack that mends what it broke shares the installation of its file (`made`). One that leaves it broken
has its own: its file says so by making `made` of `untouched`; one that is about people, of `practice`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.laboratory import Laboratory
from tests.attacks.sql import Thief
from tests.conftest import COUNT
from tests.installation import Installation, installation, small_installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Lend one installation to a whole file: few and light records, the ledger signed."""
    with small_installation(tmp_path_factory.mktemp("attacked")) as one:
        one.house.proving.checkpoint()
        yield one


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Installation]:
    """Lend one installation to one test."""
    with small_installation(tmp_path) as one:
        one.house.proving.checkpoint()
        yield one


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Lend a whole practice to a file: everybody of the cast, and their records."""
    with installation(tmp_path_factory.mktemp("practice")) as made:
        yield made


@pytest.fixture
def thief(made: Installation) -> Iterator[Thief]:
    """Lend a connection to the files, as somebody who holds the machine has."""
    hands = Thief(made)
    yield hands
    hands.close()


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Lend an installation in which twins are written."""
    with installation(tmp_path_factory.mktemp("twins")) as made, asyncio.Runner() as runner:
        yield Laboratory(made, runner)


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tell at the end of the run how much was asked of twins."""
    lab = request.getfixturevalue("laboratory") if "laboratory" in request.fixturenames else None
    before = lab.asked() if lab is not None else ()
    yield
    if lab is not None:
        for name, now, then in zip(Laboratory.COUNTED, lab.asked(), before, strict=True):
            request.node.user_properties.append((COUNT, (name, now - then)))
