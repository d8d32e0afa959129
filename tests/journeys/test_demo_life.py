"""What has just happened in the demonstration stands where each of its people looks for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from serment.demo.life import live
from serment.record.between.inbox import Errand
from tests.installation import installation


def test_each_page_of_the_demonstration_has_something_true_to_show(tmp_path: Path) -> None:
    with installation(tmp_path) as made:
        asyncio.run(live(made.store))
        house = made.house
        bodies = asyncio.run(house.proving.trail(made.as_patient(), made.record()))
        events = [body.event for body in bodies]
        assert any(event.emergency for event in events)
        assert {Errand.CONSENT_ASKED, Errand.DEPOSIT_ASKED} <= {
            one.kind for one in house.inbox.of_patient(made.as_patient(), made.record())
        }
        assert house.inbox.results(made.as_staff("attending"))
        waiting = asyncio.run(house.protecting.of(made.as_staff("attending"), made.record()))
        assert len(waiting) == 1
