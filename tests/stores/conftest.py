from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.store.contract import Store
from tests.stores.engines import ENGINES, Engine


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Iterator[Store]:
    made = engine.create(tmp_path)
    yield made
    made.close()
