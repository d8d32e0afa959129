"""One served installation for all the files of this folder that only read it, or write what nobody else reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doors.served import Served, served


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("doors")) as running:
        yield running
