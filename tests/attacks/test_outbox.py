"""The outbox under somebody's hands: damaged, rolled back, missing, or with custody away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.errors import IntegrityError
from serment.fhir.subscription import Shown, asked
from serment.model import Instant
from serment.record import incoming
from serment.record.alarms import INTEGRITY, OUTBOX_BROKEN, standing
from serment.record.passage import OUTBOX
from serment.record.subscriptions import addresses, outbox
from serment.record.subscriptions.notifying import Departure, Notifying
from serment.record.write import Written
from tests.attacks.questions import subscription
from tests.attacks.sql import Thief
from tests.doors.samples import WEIGHT, weight
from tests.installation import Installation, run


class Post:
    def __init__(self) -> None:
        self.carried: list[Departure] = []

    def carry(self, departure: Departure) -> bool:
        self.carried.append(departure)
        return True


def record_of(made: Installation) -> bytes:
    with made.house.passage.store.snapshot() as snapshot:
        located = snapshot.locate(made.house.passage.installation.locator(OUTBOX))
    assert located is not None
    return located.record


def write(made: Installation) -> Written:
    sent = incoming.read(json.dumps(weight(made.record())).encode())
    return run(made.house.writing.create(made.as_staff("attending"), sent))


@pytest.fixture
def subscribed(made: Installation) -> Iterator[Shown]:
    asking = made.as_staff("attending")
    addresses.register(made.house.passage, "hook", "https://hook.example/told", "FR")
    wanted = asked(subscription(made.record(), WEIGHT), made.house.base, asking.now)
    shown = run(made.house.subscribing.create(asking, wanted))
    yield shown
    run(made.house.subscribing.delete(made.as_staff("attending"), shown.id))
    addresses.remove(made.house.passage, "hook")


def test_who_breaks_the_outbox_stops_no_care_and_is_found(
    made: Installation, thief: Thief, subscribed: Shown
) -> None:
    record = record_of(made)
    with thief.changed("pack", "UPDATE pack SET sealed = zeroblob(256) WHERE record = ?", record):
        assert write(made).created
        assert OUTBOX_BROKEN in standing(made.house.passage)
        assert not made.house.proving.verify().ok
        with pytest.raises(IntegrityError):
            Notifying(made.house.passage).turn(Post())
    assert made.house.proving.verify().ok


def test_a_notice_that_is_taken_out_by_hand_is_found(
    made: Installation, thief: Thief, subscribed: Shown
) -> None:
    assert write(made).created
    record = record_of(made)
    with thief.changed("pack", "DELETE FROM pack WHERE record = ?", record):
        with pytest.raises(IntegrityError):
            Notifying(made.house.passage).turn(Post())
        assert not made.house.proving.verify().ok
    post = Post()
    assert Notifying(made.house.passage).turn(post) == 1


def test_a_damaged_record_holds_up_no_other(made: Installation, thief: Thief, subscribed: Shown) -> None:
    house, other = made.house, made.record("other")
    asking = made.as_staff("attending")
    second = run(house.subscribing.create(asking, asked(subscription(other, WEIGHT), house.base, asking.now)))
    for patient in (made.record(), other):
        sent = incoming.read(json.dumps(weight(patient)).encode())
        run(house.writing.create(made.as_staff("attending"), sent))
    with house.passage.store.snapshot() as snapshot:
        located = snapshot.locate(house.passage.installation.locator(f"Patient/{made.record()}"))
    assert located is not None
    post = Post()
    with thief.changed("record", "UPDATE record SET facts = head WHERE record = ?", located.record):
        assert Notifying(house.passage).turn(post) == 1
        assert [one.subscription for one in post.carried] == [second.id]
        assert INTEGRITY in standing(house.passage)
    at = Instant(house.passage.clock() + 3_600_000)
    assert Notifying(replace(house.passage, clock=lambda: at)).turn(post) == 1
    run(house.subscribing.delete(made.as_staff("attending"), second.id))


def test_an_installation_without_an_outbox_is_given_one(made: Installation, thief: Thief) -> None:
    """Made by a version that had none: the next start makes it."""
    locator = made.house.passage.installation.locator(OUTBOX)
    before = record_of(made)
    with thief.changed("locator", "DELETE FROM locator WHERE token = ?", locator):
        assert write(made).created
        assert Notifying(made.house.passage).turn(Post()) == 0
        made.house.close()
        made.reopen()
        assert record_of(made) != before
        assert addresses.listed(made.house.passage) == []
        with made.house.passage.store.snapshot() as snapshot:
            view = outbox.look(made.house.passage, snapshot, made.as_staff("attending"))
            assert outbox.notices(snapshot, view) == []
