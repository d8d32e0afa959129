"""The demonstration with real bundles besides the invented people."""

from __future__ import annotations

from pathlib import Path

import pytest

from serment.demo.show import bring
from tests.installation import installation
from tests.vectors import MISSING, VECTORS

SYNTHEA = VECTORS / "synthea"


@pytest.mark.skipif(not SYNTHEA.exists(), reason=MISSING)
def test_bundles_that_others_wrote_stand_beside_the_demo_people(tmp_path: Path) -> None:
    with installation(tmp_path) as made:
        report = bring(made.store, SYNTHEA)
        assert report.received == report.stored > 2000
        assert report.quarantined == 0
        made.house.proving.checkpoint()
        assert made.house.proving.verify().ok
