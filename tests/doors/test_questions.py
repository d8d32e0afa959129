"""Questions to the officers: about an access, or to be called back; nothing that tells of health is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from serment.errors import NotFoundError, RefusedError, RequestError, TooManyError
from serment.model import Instant, RequestId
from serment.record.alarms import REQUEST_LATE
from serment.record.asking import Asking
from serment.record.between.inbox import Errand, Inbox
from serment.record.between.questioning import DAY, MOST_ASKED, Call, Questioning
from serment.record.registry import Registry
from serment.record.writing import new_id
from serment.words.health import without_health_words
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("questions")) as one:
        yield one


def again(asking: Asking) -> Asking:
    return replace(asking, request=RequestId(new_id()))


def an_access(made: Installation, role: str = "patient") -> tuple[str, Instant]:
    """Have the doctor open the record; give the act's number and instant as the holder's list tells them."""
    doctor = again(made.as_staff("attending"))
    run(made.house.reading.read(doctor, "Patient", made.record(role)))
    return doctor.request, doctor.now


CALL = Call("access", "06 99 00 12 10", "le mardi après 18 h", "Qui a ouvert mon dossier ?")


def test_an_access_is_asked_about_and_the_answer_comes_back(made: Installation) -> None:
    house, record, holder, dpo = made.house, made.record(), made.as_patient(), made.as_staff("dpo")
    request, at = an_access(made)
    id_ = run(house.questioning.ask_about(holder, record, request, at, "why"))
    (queued,) = [one for one in house.questioning.queue(dpo) if one.pointer.id == id_]
    assert queued.question.about is not None
    assert queued.question.about.actor == made.staff("attending").id
    assert queued.question.name == holder.actor.name
    house.questioning.answer(again(dpo), id_, "Votre médecin a relu une lettre avant votre rendez-vous.")
    (mine,) = [one for one in house.questioning.mine(holder) if one.pointer.id == id_]
    assert (mine.pointer.kind, mine.question.by) == (Errand.ACCESS_ANSWERED, dpo.actor.name)
    assert "lettre" in mine.question.answer


def test_whoever_answers_first_settles_it_for_both(made: Installation) -> None:
    house, officer, dpo = made.house, made.as_staff("officer"), made.as_staff("dpo")
    id_ = run(house.questioning.call_back(made.as_patient(), made.record(), CALL))
    house.questioning.answer(officer, id_, "Nous vous rappelons mardi.")
    with pytest.raises(NotFoundError):
        house.questioning.answer(dpo, id_, "Nous vous rappelons lundi.")


def test_an_entry_that_is_not_in_ones_own_list_is_not_asked_about(made: Installation) -> None:
    house, record, holder = made.house, made.record(), made.as_patient()
    theirs, at = an_access(made, "husband")
    for request, when in ((theirs, at), (new_id(), at), (theirs, Instant(0))):
        with pytest.raises(NotFoundError):
            run(house.questioning.ask_about(again(holder), record, request, when, "why"))
    with pytest.raises(NotFoundError):
        run(house.questioning.ask_about(again(holder), made.record("husband"), theirs, at, "why"))


@pytest.mark.capability("4-19", "lets")
def test_somebody_is_called_back_by_phone_and_hours(made: Installation) -> None:
    house, holder = made.house, made.as_patient("mother")
    id_ = run(house.questioning.call_back(holder, made.record("mother"), CALL))
    (queued,) = [one for one in house.questioning.queue(made.as_staff("dpo")) if one.pointer.id == id_]
    assert (queued.question.phone, queued.question.hours) == (CALL.phone, CALL.hours)


@pytest.mark.capability("4-19", "refuses")
@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ("le mardi", "J'ai une dépression et je veux savoir qui l'a lu"),
        ("le mardi", "my HIV results"),
        ("après ma chimiothérapie", "Rappelez-moi"),
    ],
)
def test_nothing_that_tells_of_health_is_kept_and_what_is_left_may_be_sent(
    made: Installation, hours: str, text: str
) -> None:
    house, holder, record = made.house, made.as_patient("husband"), made.record("husband")
    before = len(Registry(house.passage).all(holder, "question"))
    call = Call("access", CALL.phone, hours, text)
    with pytest.raises(RequestError) as refused:
        run(house.questioning.call_back(holder, record, call))
    assert refused.value.sentence == "errands.health-words"
    assert len(Registry(house.passage).all(holder, "question")) == before
    left = replace(call, hours=without_health_words(hours), text=without_health_words(text))
    run(house.questioning.call_back(again(holder), record, left))


@pytest.mark.parametrize(
    "call",
    [
        replace(CALL, phone=""),
        replace(CALL, phone="appelez-moi"),
        replace(CALL, phone="javascript:alert(1)"),
        replace(CALL, hours=" "),
        replace(CALL, subject="diabetes"),
        replace(CALL, text="a" * 1001),
    ],
)
def test_a_form_that_is_not_complete_is_not_sent(made: Installation, call: Call) -> None:
    with pytest.raises(RequestError):
        run(made.house.questioning.call_back(made.as_patient(), made.record(), call))


def test_an_answer_tells_nothing_of_health(made: Installation) -> None:
    house, dpo = made.house, made.as_staff("dpo")
    id_ = run(house.questioning.call_back(made.as_patient("father"), made.record("father"), CALL))
    for text in ("Elle a lu votre diagnostic de cancer", " ", "a" * 1001):
        with pytest.raises(RequestError):
            house.questioning.answer(dpo, id_, text)


def test_only_officers_read_the_queue_and_each_reads_their_own_questions(made: Installation) -> None:
    house = made.house
    id_ = run(house.questioning.call_back(made.as_patient("celebrity"), made.record("celebrity"), CALL))
    for who in (made.as_staff("attending"), made.as_staff("secretary"), made.as_patient()):
        with pytest.raises(RefusedError):
            house.questioning.queue(who)
        with pytest.raises(RefusedError):
            house.questioning.answer(who, id_, "Non")
        assert id_ not in [one.pointer.id for one in house.questioning.mine(who)]


def test_one_person_does_not_fill_the_queue(made: Installation) -> None:
    house = made.house
    fresh = Questioning(house.passage, house.retracing, house.inbox)
    for _ in range(MOST_ASKED):
        run(fresh.call_back(again(made.as_patient("waiting")), made.record("waiting"), CALL))
    with pytest.raises(TooManyError):
        run(fresh.call_back(again(made.as_patient("waiting")), made.record("waiting"), CALL))


@pytest.mark.capability("3-13", "refuses")
def test_a_request_past_a_month_rings_until_it_is_answered(made: Installation) -> None:
    house, dpo = made.house, made.as_staff("dpo")
    at = Instant(house.passage.clock() - 40 * DAY)
    asked = replace(made.as_patient("adolescent"), now=at, request=RequestId(new_id()))
    id_ = run(house.questioning.call_back(asked, made.record("adolescent"), CALL))
    early = replace(house.passage, clock=lambda: Instant(at + 20 * DAY))
    assert Questioning(early, house.retracing, Inbox(early)).remind() == 0
    assert REQUEST_LATE not in house.passage.alarms.rung
    late = replace(house.passage)
    assert Questioning(late, house.retracing, Inbox(late)).remind() == 1
    assert REQUEST_LATE in late.alarms.rung
    house.questioning.answer(dpo, id_, "Nous vous avons rappelé.")
    assert Questioning(late, house.retracing, Inbox(late)).remind() == 0
    assert REQUEST_LATE not in late.alarms.rung
