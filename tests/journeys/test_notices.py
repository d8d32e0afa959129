"""A subscriber is told by a server that runs: two processes, one killed -9 with a notice that waits."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from serment.model import Purpose
from serment.record.subscriptions import addresses
from tests.attacks.questions import subscription
from tests.doors.samples import WEIGHT, weight
from tests.fakes.receiver import Receiver, receiver
from tests.installation import Installation, installation
from tests.journeys.test_workers import two

SOON = 100
"""Seconds: longer than the lease of a sender that was killed in the middle of it."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("notices"), store=request.param) as one:
        yield one


@pytest.fixture
def hook(made: Installation) -> Iterator[Receiver]:
    with receiver() as one:
        addresses.register(made.house.passage, "hub", one.url, "FR", private=True)
        yield one
        addresses.remove(made.house.passage, "hub")


@pytest.mark.parametrize("killed", [False, True])
def test_a_subscriber_is_told_by_either_process_killed_or_not(
    made: Installation, hook: Receiver, killed: bool
) -> None:
    house = made.house
    secret = house.sessions.issue(made.staff("attending"), Purpose.TREAT, house.passage.clock())
    sent = subscription(made.record(), WEIGHT)
    sent["channel"]["endpoint"] = hook.url
    with two(made) as pair:
        answer = pair.ask(secret, "POST", "/fhir/Subscription", json=sent, headers=JSON)
        assert answer.status_code == 201, answer.text
        written = pair.ask(secret, "POST", "/fhir/Observation", json=weight(made.record()), headers=JSON)
        assert written.status_code == 201, written.text
        if killed:
            os.kill(pair.pids[0], signal.SIGKILL)
        assert hook.came.acquire(timeout=SOON)
        assert hook.headers()["serment-subscription"] == answer.json()["id"]
        gone = pair.ask(secret, "DELETE", f"/fhir/Subscription/{answer.json()['id']}")
        assert gone.status_code == 200


JSON = {"content-type": "application/fhir+json"}
