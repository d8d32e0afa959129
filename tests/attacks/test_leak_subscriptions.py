"""A subscription as an oracle: a notice for an item that its owner may not see would tell that it changed.

The twins of `test_non_interference` are subscribed to, then each of their items is changed by the doctor in
charge: what leaves after a change of a hidden item is nothing, after any other the same for both twins.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from serment.record.subscriptions import addresses
from serment.record.subscriptions.notifying import Departure, Notifying
from serment.record.subscriptions.outbox import GAP
from tests.attacks.knocking import Doors, Question, plain
from tests.attacks.laboratory import ONE_OF_EACH, Laboratory, Pair
from tests.attacks.questions import PATCH
from tests.attacks.twins import CODES, Twin
from tests.attacks.watching import Log

HOOK = "http://127.0.0.1:9/hook"
CHANGED = [{"op": "add", "path": "/language", "value": "fr"}]
CRITERIA = ("", f"&code={CODES[0]}", f"&code={CODES[1]}", "&value-quantity=gt3", "&identifier=urn:place%7C2")


class Ears:
    """A receiver that takes everything: the ids of the subscriptions that were told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def carry(self, departure: Departure) -> bool:
        self.heard.append(departure.subscription)
        return True


def subscription(patient: str, more: str) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "suivi",
        "criteria": f"Observation?patient=Patient/{patient}{more}",
        "channel": {"type": "rest-hook", "endpoint": HOOK},
    }


async def heard(lab: Laboratory, pair: Pair, twin: Twin, places: dict[int, str]) -> dict[int, list[str]]:
    """Subscribe, let the doctor in charge change each item, and say what was told after each."""
    actor, doctor = twin.actor(lab.made, pair.role), twin.actor(lab.made, "attending")
    told: dict[int, list[str]] = {}
    async with Doors(lab.house(), pair.now) as doors:
        asked = [
            await doors.ask(actor, Question("POST", "Subscription", subscription(twin.patient, more)))
            for more in CRITERIA
        ]
        made = [answer.headers["location"].split("/Subscription/")[1].split("/")[0] for answer in asked]
        for place, id_ in sorted(places.items()):
            await doors.ask(doctor, Question("PATCH", f"Observation/{id_}", CHANGED, PATCH))
            doors.now += 2 * GAP
            ears = Ears()
            await asyncio.to_thread(Notifying(doors.house.passage).turn, ears)
            told[place] = sorted(plain(one, dict(zip(made, CRITERIA, strict=True))) for one in ears.heard)
        for id_ in made:
            await doors.ask(actor, Question("DELETE", f"Subscription/{id_}"))
    return told


@pytest.mark.parametrize("role", ["team-doctor", "nurse", "locum", "attending", "holder", "parent"])
def test_no_notice_tells_of_an_item_that_is_hidden(laboratory: Laboratory, role: str) -> None:
    pair = laboratory.run(laboratory.pair(ONE_OF_EACH, role))
    addresses.register(laboratory.made.house.passage, role, HOOK, "FR", private=True)
    whole = laboratory.run(heard(laboratory, pair, pair.whole, {**pair.whole.ids, **pair.hidden}))
    without = laboratory.run(heard(laboratory, pair, pair.without, pair.without.ids))
    addresses.remove(laboratory.made.house.passage, role)
    assert any(without.values()), "somebody is told of something"
    assert {place: whole[place] for place in pair.hidden} == {place: [] for place in pair.hidden}
    assert {place: whole[place] for place in without} == without
    laboratory.count(pair, len(whole) * len(CRITERIA))


async def _named(lab: Laboratory, pair: Pair, place: int) -> list[tuple[int, str, Log]]:
    """Subscribe to one item by its id, hidden or absent."""
    id_ = pair.hidden.get(place, "00000000-0000-4000-8000-000000000009")
    actor, told = pair.whole.actor(lab.made, pair.role), list[tuple[int, str, Log]]()
    async with Doors(lab.house(), pair.now) as doors:
        for more in (f"&_id={id_}", f"&focus=Observation/{id_}"):
            answer = await doors.ask(
                actor, Question("POST", "Subscription", subscription(pair.whole.patient, more))
            )
            made = answer.headers.get("location", "").split("/Subscription/")[-1].split("/")[0]
            told.append((answer.status, plain(answer.text, {id_: "<item>", made: "<made>"}), answer.work))
            await doors.ask(actor, Question("DELETE", f"Subscription/{made}"))
    return told


def test_a_subscription_that_names_a_hidden_item_is_one_that_names_none(laboratory: Laboratory) -> None:
    pair = laboratory.run(laboratory.pair(ONE_OF_EACH, "team-doctor"))
    addresses.register(laboratory.made.house.passage, "named", HOOK, "FR", private=True)
    answers = [laboratory.run(_named(laboratory, pair, place)) for place in (-1, min(pair.hidden), -1)]
    addresses.remove(laboratory.made.house.passage, "named")
    assert answers[1] == answers[2]
