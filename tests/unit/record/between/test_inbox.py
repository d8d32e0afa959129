"""What waits for somebody: own files only, ids only, bounded, in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.errors import NotFoundError, RefusedError, RequestError
from serment.model import ActorId, Function, Instant
from serment.record.asking import Asking
from serment.record.between import inbox
from serment.record.between.inbox import MOST, SETTLED, SHARED_BY_ONE, Errand, Pointer, pointing, queue_of
from serment.record.pen import Pen
from serment.record.registry import Registry
from tests.installation import Installation, bare_installation

DAY = 24 * 3600 * 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("inbox")) as one:
        yield one


def named(made: Installation, actor: str) -> Asking:
    asking = made.as_staff("team-doctor")
    return replace(asking, actor=replace(asking.actor, id=ActorId(actor)))


def test_what_is_sent_waits_for_whom_it_was_sent_to_and_says_who_sent_it(made: Installation) -> None:
    sender, reader = named(made, "rpps:1"), named(made, "rpps:2")
    made.house.inbox.put(sender, reader.actor.id, pointing(Errand.RESULT, "p1", "Observation/1"))
    (found,) = made.house.inbox.waiting(reader)
    assert (found.kind, found.patient, found.item) == (Errand.RESULT, "p1", "Observation/1")
    assert (found.sender, found.at) == ("rpps:1", sender.now)


def test_nobody_reads_or_settles_what_waits_for_somebody_else(made: Installation) -> None:
    sender, reader, other = named(made, "rpps:1"), named(made, "rpps:3"), named(made, "rpps:4")
    sent = pointing(Errand.SHARED, "p1")
    made.house.inbox.put(sender, reader.actor.id, sent)
    assert made.house.inbox.of(other) == []
    with pytest.raises(NotFoundError):
        made.house.inbox.settle(other, sent.id)
    assert [one.id for one in made.house.inbox.waiting(reader)] == [sent.id]


def test_a_settled_pointer_waits_no_more_and_stays_listed(made: Installation) -> None:
    reader = named(made, "rpps:5")
    sent = pointing(Errand.RESULT, "p1")
    made.house.inbox.put(named(made, "rpps:1"), reader.actor.id, sent)
    made.house.inbox.settle(reader, sent.id)
    done = made.house.inbox.of(reader)[0].done
    made.house.inbox.settle(replace(reader, now=Instant(reader.now + DAY)), sent.id)
    assert made.house.inbox.waiting(reader) == []
    assert [one.done for one in made.house.inbox.of(reader)] == [done]


def test_a_pointer_whose_time_is_over_waits_no_more() -> None:
    one = pointing(Errand.DEPOSIT_ASKED, "p1", until=10)
    assert [one.waits(Instant(at)) for at in (9, 10)] == [True, False]


def test_a_pointer_sent_again_takes_the_place_of_the_first(made: Installation) -> None:
    reader, sent = named(made, "rpps:6"), pointing(Errand.RESULT, "p1")
    for _ in range(2):
        made.house.inbox.put(named(made, "rpps:1"), reader.actor.id, sent)
    assert len(made.house.inbox.of(reader)) == 1


def test_a_file_lets_go_of_what_is_settled_first_and_counts_what_waited(made: Installation) -> None:
    reader, sender = named(made, "rpps:7"), named(made, "rpps:1")
    first = [pointing(Errand.RESULT, "p1", id_=f"a{place}") for place in range(SETTLED + 10)]
    made.house.inbox.put(sender, reader.actor.id, *first)
    Registry(made.house.passage).act(
        reader, lambda pen: inbox.settle_all_in(pen, reader.actor.id, {one.id for one in first})
    )
    assert len(made.house.inbox.of(reader)) == SETTLED
    more = [pointing(Errand.RESULT, "p1", id_=f"b{place}") for place in range(MOST + 5)]
    made.house.inbox.put(sender, reader.actor.id, *more)
    left = made.house.inbox.of(reader)
    assert (len(left), {one.id[0] for one in left}) == (MOST, {"b"})
    assert made.house.inbox.dropped(reader) == 5


def test_a_colleague_who_points_out_very_much_pushes_out_nothing_of_others(made: Installation) -> None:
    reader, other, loud = (named(made, f"rpps:{place}") for place in (14, 15, 16))
    made.house.inbox.put(other, reader.actor.id, pointing(Errand.CONFIRM, "p1", id_="needed"))
    for _ in range(5):
        made.house.inbox.put(
            loud, reader.actor.id, *(pointing(Errand.SHARED, "p1") for _ in range(MOST // 4))
        )
    found = made.house.inbox.waiting(reader)
    assert "needed" in {one.id for one in found}
    assert (len(found), made.house.inbox.dropped(reader)) == (SHARED_BY_ONE + 1, 0)


def test_a_queue_is_read_by_who_has_its_function(made: Installation) -> None:
    dpo = made.as_staff("dpo")
    asked = pointing(Errand.ACCESS_QUESTION, "p1")
    made.house.inbox.put(named(made, "patient:p1"), queue_of(Function.DPO), asked)
    assert [one.id for one in made.house.inbox.queued(dpo)] == [asked.id]
    with pytest.raises(RefusedError):
        made.house.inbox.queued(named(made, "rpps:1"))
    made.house.inbox.settle_queued(dpo, asked.id)
    assert not any(one.waits(dpo.now) for one in made.house.inbox.queued(dpo))


def test_a_write_that_is_undone_sends_nothing(made: Installation) -> None:
    sender, reader = named(made, "rpps:1"), named(made, "rpps:8")

    def job(pen: Pen) -> None:
        inbox.put_in(pen, reader.actor.id, pointing(Errand.RESULT, "p1"))
        raise RefusedError("record.not-writable")

    with pytest.raises(RefusedError):
        Registry(made.house.passage).act(sender, job)
    assert made.house.inbox.of(reader) == []


def test_nothing_of_a_pointer_shows_in_a_log() -> None:
    shown = repr(Pointer("id", Errand.RESULT, "patient", "Observation/1", "rpps:1"))
    assert shown == "Pointer(result)"


def test_what_waits_for_an_answer_is_not_put_away_without_one(made: Installation) -> None:
    reader = named(made, "rpps:9")
    sent = pointing(Errand.CORRECTION, "p1", "Task/1")
    made.house.inbox.put(named(made, "patient:p1"), reader.actor.id, sent)
    with pytest.raises(RequestError):
        made.house.inbox.settle(reader, sent.id)
    assert [one.id for one in made.house.inbox.waiting(reader)] == [sent.id]


def test_what_somebody_has_sent_waits_for_others(made: Installation) -> None:
    asker = named(made, "rpps:10")
    made.house.inbox.put(asker, asker.actor.id, pointing(Errand.CONSENT_ASKED, "p1"))
    assert made.house.inbox.waiting(asker) == []
    assert len(made.house.inbox.of(asker)) == 1


def test_a_patient_does_something_about_what_others_ask_and_reads_what_they_answer(
    made: Installation,
) -> None:
    doctor, holder = named(made, "rpps:11"), named(made, "patient:p2")
    asked, sent = pointing(Errand.CORRECTION, "p2"), pointing(Errand.DEPOSIT_ASKED, "p2")
    made.house.inbox.put(holder, inbox.of_person("p2"), asked)
    made.house.inbox.put(doctor, inbox.of_person("p2"), sent)
    assert [one.id for one in made.house.inbox.to_do(holder, "p2")] == [sent.id]
