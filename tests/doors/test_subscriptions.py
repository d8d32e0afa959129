"""Subscriptions over HTTP: who is told what, and that nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.app import carrier
from serment.model import Instant
from serment.record import addresses, outbox
from serment.record.notifying import Notifying
from tests.doors.samples import WEIGHT, Json, weight
from tests.doors.served import Served, sentence
from tests.fakes.receiver import DOWN, Receiver, receiver
from tests.installation import run

HOUR = 3_600_000
NOBODY = "00000000-0000-4000-8000-000000000000"


def subscription(patient: str, endpoint: str, asked: str = f"code={WEIGHT}", **more: object) -> Json:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "suivi",
        "criteria": f"Observation?patient={patient}&{asked}",
        "channel": {"type": "rest-hook", "endpoint": endpoint},
        **more,
    }


@pytest.fixture
def hook(server: Served) -> Iterator[Receiver]:
    """A receiver whose address is registered as long as the test lasts."""
    passage = server.house.passage
    with receiver() as made:
        addresses.register(passage, "hook", made.url, "FR", private=True)
        yield made
        addresses.remove(passage, "hook")


def turn(server: Served, later: int = 0) -> int:
    """Tell what waits, `later` ms from now."""
    passage = server.house.passage
    at = Instant(passage.clock() + later)
    return Notifying(replace(passage, clock=lambda: at)).turn(carrier())


def asked(server: Served, hook: Receiver, role: str = "team-doctor", **more: object) -> Json:
    answer = server.staff(role).post("Subscription", json=subscription(server.record(), hook.url, **more))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def writes(server: Served, **more: object) -> Json:
    answer = server.staff("attending").post("Observation", json=weight(server.record(), **more))
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def test_who_asked_is_told_an_id_and_reads_by_the_front_door(server: Served, hook: Receiver) -> None:
    made = asked(server, hook)
    assert (made["status"], made["channel"]["endpoint"]) == ("active", hook.url)
    assert turn(server) == 0
    item = writes(server)
    assert turn(server) == 1
    (sent,) = hook.received
    assert sent.startswith(b"POST /hook HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n"), "no body"
    assert hook.headers()["serment-subscription"] == made["id"]
    assert server.record().encode() not in sent
    assert item["id"].encode() not in sent
    assert turn(server, HOUR) == 0, "told once"
    server.staff("team-doctor").delete(f"Subscription/{made['id']}")
