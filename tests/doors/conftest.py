"""One served installation for all the files of this folder; each test hangs up the calls that it made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doors.served import Served, served


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("doors")) as made:
        yield made


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    yield running
    running.hang_up()
