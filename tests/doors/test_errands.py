"""What people ask of each other: an access, a document, a correction; asked, answered, over, refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from serment.errors import InvalidResourceError, NotFoundError, RefusedError, RequestError
from serment.model import Actor, ActorId, ActorKind, Instant, PatientId, RequestId
from serment.record.asking import Asking
from serment.record.between.errands import DAY, Paper
from serment.record.between.inbox import Errand, due, late, pointing
from serment.record.between.permitting import ASKED_MS, QUIET_MS
from serment.record.writing import new_id
from tests.installation import Installation, installation, run

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("errands")) as one:
        yield one


def later(asking: Asking, milliseconds: int) -> Asking:
    return replace(asking, now=Instant(asking.now + milliseconds), request=RequestId(new_id()))


def again(asking: Asking) -> Asking:
    return later(asking, 0)


def paper(title: str = "Compte rendu", media_type: str = "application/pdf", content: bytes = PDF) -> Paper:
    return Paper(title, media_type, content)


def asked_for(made: Installation, role: str = "patient") -> str:
    """Have the attending physician ask for a document; give the id of what waits for the patient."""
    doctor, patient = made.as_staff("attending"), made.record(role)
    run(made.house.errands.ask_deposit(doctor, patient, "result", "Votre dernière prise de sang", 7))
    waiting = run(made.house.errands.for_patient(made.as_patient(role), patient))
    return next(one.pointer.id for one in waiting if one.pointer.kind is Errand.DEPOSIT_ASKED)


# An access.


def test_a_doctor_asks_the_patient_says_yes_and_the_record_opens(made: Installation) -> None:
    house, record = made.house, made.record()
    doctor, holder = made.as_staff("unrelated-doctor"), made.as_patient()
    with pytest.raises(NotFoundError):
        run(house.reading.read(doctor, *made.item("laboratory").split("/")))
    run(house.permitting.ask(again(doctor), record, "opinion"))
    (waiting,) = run(house.errands.for_patient(holder, record))
    assert (waiting.pointer.code, waiting.pointer.by) == ("opinion", doctor.actor.name)
    run(house.permitting.answer(again(holder), record, waiting.pointer.id, days=30))
    assert run(house.reading.read(later(doctor, 1000), *made.item("laboratory").split("/"))).body
    told = house.inbox.of(doctor)
    assert [one.kind for one in told if one.patient == record] == [Errand.CONSENT_ANSWERED]
    assert run(house.errands.for_patient(again(holder), record)) == []


def test_a_yes_ends_on_its_day(made: Installation) -> None:
    house, record = made.house, made.record("husband")
    doctor, holder = made.as_staff("pharmacist"), made.as_patient("husband")
    run(house.permitting.ask(doctor, record, "follow-up"))
    (waiting,) = run(house.errands.for_patient(holder, record))
    run(house.permitting.answer(again(holder), record, waiting.pointer.id, days=1))
    assert run(house.reading.read(later(doctor, 1000), "Patient", record))
    with pytest.raises(NotFoundError):
        run(house.reading.read(later(doctor, 2 * DAY), "Patient", record))


def test_a_request_is_told_in_the_patients_list_with_its_reason(made: Installation) -> None:
    house, record = made.house, made.record("masking")
    run(house.permitting.ask(made.as_staff("unrelated-doctor"), record, "take-over"))
    bodies = run(house.proving.trail(made.as_patient("masking"), record))
    told = [body.event for body in bodies if body.event.reason == "asked-take-over"]
    assert [event.actor for event in told] == [made.staff("unrelated-doctor").id]


def test_nobody_asks_who_is_no_professional_with_a_purpose_of_care(made: Installation) -> None:
    for who in (made.as_staff("secretary"), made.as_staff("officer"), made.as_patient("husband")):
        with pytest.raises(RefusedError):
            run(made.house.permitting.ask(who, made.record(), "opinion"))
    with pytest.raises(RequestError):
        run(made.house.permitting.ask(made.as_staff("unrelated-doctor"), made.record(), "curious"))


def test_a_professional_answers_for_no_patient(made: Installation) -> None:
    house, record = made.house, made.record("waiting")
    run(house.permitting.ask(made.as_staff("unrelated-doctor"), record, "opinion"))
    (asked,) = house.inbox.of_patient(made.as_patient("waiting"), record)
    for who in (made.as_staff("attending"), made.as_staff("unrelated-doctor"), made.as_patient("husband")):
        with pytest.raises(NotFoundError):
            run(house.permitting.answer(again(who), record, asked.id, days=30))
        with pytest.raises(NotFoundError):
            run(house.errands.for_patient(again(who), record))


def test_after_a_no_the_same_person_is_not_heard_for_a_month(made: Installation) -> None:
    house, record = made.house, made.record("celebrity")
    doctor, holder = made.as_staff("unrelated-doctor"), made.as_patient("celebrity")
    run(house.permitting.ask(doctor, record, "opinion"))
    (waiting,) = run(house.errands.for_patient(holder, record))
    run(house.permitting.answer(again(holder), record, waiting.pointer.id, days=None))
    run(house.permitting.ask(later(doctor, DAY), record, "opinion"))
    assert run(house.errands.for_patient(later(holder, 2 * DAY), record)) == []
    run(house.permitting.ask(later(doctor, QUIET_MS + DAY), record, "opinion"))
    assert len(run(house.errands.for_patient(later(holder, QUIET_MS + 2 * DAY), record))) == 1


def test_a_request_that_nobody_answers_waits_no_more_after_two_weeks(made: Installation) -> None:
    house, record = made.house, made.record("mother")
    run(house.permitting.ask(made.as_staff("unrelated-doctor"), record, "opinion"))
    holder = made.as_patient("mother")
    (waiting,) = run(house.errands.for_patient(holder, record))
    with pytest.raises(NotFoundError):
        run(house.permitting.answer(later(holder, ASKED_MS), record, waiting.pointer.id, days=30))


def test_a_request_for_the_person_alone_is_not_shown_to_who_represents_them(made: Installation) -> None:
    house, record = made.house, made.record("adolescent")
    run(house.permitting.ask(made.as_staff("unrelated-doctor"), record, "opinion", alone=True))
    assert len(run(house.errands.for_patient(made.as_patient("adolescent"), record))) == 1
    mother = representative(made)
    assert run(house.errands.for_patient(mother, record)) == []
    bodies = run(house.proving.trail(again(mother), record))
    assert not [body for body in bodies if body.event.reason == "asked-opinion"]
    (asked,) = house.inbox.of_patient(mother, record)
    with pytest.raises(NotFoundError):
        run(house.permitting.answer(again(mother), record, asked.id, days=30))


def representative(made: Installation) -> Asking:
    """Ask as who represents the adolescent."""
    choice = next(one for one in made.store.people.choices if one.kind == "representative")
    related = made.store.items[choice.item].removeprefix("RelatedPerson/")
    return made.store.asking(Actor(ActorId(f"proxy:{related}"), ActorKind.PROXY, "Parent"))


# A document.


@pytest.mark.capability("4-15", "lets")
def test_a_patient_deposits_what_their_doctor_asked_for(made: Installation) -> None:
    house, record, holder = made.house, made.record(), made.as_patient()
    id_ = asked_for(made)
    waiting = run(house.errands.waiting(holder, record, id_, Errand.DEPOSIT_ASKED))
    assert waiting.asked is not None
    assert (waiting.asked.kind, waiting.asked.text) == ("result", "Votre dernière prise de sang")
    done = run(house.errands.deposit(again(holder), record, id_, paper()))
    doctor = made.as_staff("attending")
    document = json.loads(run(house.reading.read(doctor, "DocumentReference", done.id)).body)
    assert document["author"] == [{"reference": f"Patient/{record}"}]
    assert document["extension"][0] == {"url": "urn:serment:source", "valueCode": "patient"}
    binary = document["content"][0]["attachment"]["url"].removeprefix("Binary/")
    assert run(house.serving.open(again(doctor), binary)).first == PDF
    told = [one for one in house.inbox.waiting(doctor) if one.kind is Errand.DEPOSITED]
    assert [one.item for one in told] == [f"DocumentReference/{done.id}"]


@pytest.mark.capability("4-15", "refuses")
def test_a_request_is_used_once(made: Installation) -> None:
    house, record, holder = made.house, made.record(), made.as_patient()
    id_ = asked_for(made)
    run(house.errands.deposit(holder, record, id_, paper()))
    with pytest.raises(NotFoundError):
        run(house.errands.deposit(again(holder), record, id_, paper("Encore")))


@pytest.mark.capability("4-15", "refuses")
def test_a_request_that_has_expired_takes_nothing(made: Installation) -> None:
    house, record, holder = made.house, made.record(), made.as_patient()
    id_ = asked_for(made)
    with pytest.raises(NotFoundError):
        run(house.errands.deposit(later(holder, 8 * DAY), record, id_, paper()))


@pytest.mark.capability("4-15", "refuses")
def test_a_request_is_nobody_elses(made: Installation) -> None:
    house, record = made.house, made.record()
    id_ = asked_for(made)
    other = made.as_patient("husband")
    for whose in (record, made.record("husband")):
        with pytest.raises(NotFoundError):
            run(house.errands.deposit(again(other), whose, id_, paper()))
    with pytest.raises(NotFoundError):
        run(house.errands.deposit(made.as_staff("attending"), record, id_, paper()))


@pytest.mark.parametrize(
    ("media_type", "content", "error"),
    [
        ("text/html", b"<script>", InvalidResourceError),
        ("application/pdf", b"<script>alert(1)</script>", InvalidResourceError),
        ("image/png", PDF, InvalidResourceError),
        ("application/pdf", b"", RequestError),
    ],
)
def test_what_is_not_a_page_or_a_picture_is_refused_and_the_request_stays(
    made: Installation, media_type: str, content: bytes, error: type[Exception]
) -> None:
    house, record, holder = made.house, made.record("husband"), made.as_patient("husband")
    id_ = asked_for(made, "husband")
    with pytest.raises(error):
        run(house.errands.deposit(holder, record, id_, paper("x", media_type, content)))
    assert run(house.errands.waiting(again(holder), record, id_, Errand.DEPOSIT_ASKED))


def test_who_may_not_write_in_a_record_asks_for_no_document(made: Installation) -> None:
    house = made.house
    said = set()
    for patient in (made.record("mother"), PatientId(new_id())):
        with pytest.raises(RefusedError) as refused:
            run(house.errands.ask_deposit(made.as_staff("unrelated-doctor"), patient, "photo", "x", 7))
        said.add(refused.value.sentence)
    assert len(said) == 1


# A correction.


@pytest.mark.capability("3-13", "lets")
def test_a_patient_asks_for_a_correction_and_reads_the_answer(made: Installation) -> None:
    house, record, holder = made.house, made.record(), made.as_patient()
    item = made.item("laboratory")
    run(house.errands.ask_correction(holder, record, item, "Ce n'est pas mon résultat"))
    doctor = made.as_staff("attending")
    asked = next(one for one in house.inbox.waiting(doctor) if one.kind is Errand.CORRECTION)
    said = run(house.errands.read(doctor, asked))
    assert said is not None
    assert said.asked is not None
    assert (said.asked.item, said.asked.text) == (item, "Ce n'est pas mon résultat")
    run(house.errands.answer_correction(again(doctor), asked.id, "Corrigé ce jour", accepted=True))
    answers = run(house.errands.for_patient(again(holder), record))
    (answer,) = [one for one in answers if one.pointer.kind is Errand.CORRECTION_ANSWERED]
    assert answer.asked is not None
    assert (answer.pointer.code, answer.asked.text) == ("accepted", "Corrigé ce jour")
    with pytest.raises(NotFoundError):
        run(house.errands.answer_correction(again(doctor), asked.id, "Encore", accepted=False))
    run(house.errands.settle(again(holder), record, answer.pointer.id))


@pytest.mark.capability("3-13", "refuses")
def test_a_request_past_a_month_is_late_for_the_officer_who_reads_nothing_of_it(made: Installation) -> None:
    house, record, holder = made.house, made.record("husband"), made.as_patient("husband")
    wrong = made.item("imaging", "husband")
    asked = run(house.errands.ask_correction(holder, record, wrong, "Inexact"))
    dpo = made.as_staff("dpo")
    (clock,) = [one for one in house.inbox.queued(dpo) if one.item == f"Task/{asked.id}"]
    assert not late(clock, Instant(holder.now + 27 * DAY))
    assert late(clock, Instant(holder.now + 32 * DAY))
    with pytest.raises(NotFoundError):
        run(house.reading.read(dpo, "Task", asked.id))


def test_an_item_that_is_not_seen_is_not_corrected(made: Installation) -> None:
    house, record, holder = made.house, made.record(), made.as_patient()
    theirs = made.item("imaging", "husband")
    for item in (theirs, f"Observation/{new_id()}"):
        with pytest.raises(NotFoundError):
            run(house.errands.ask_correction(again(holder), record, item, "Inexact"))


@pytest.mark.parametrize(
    ("came", "answered_by"),
    [
        ((2026, 1, 31), date(2026, 2, 28)),
        ((2026, 12, 5), date(2027, 1, 5)),
        ((2028, 1, 30), date(2028, 2, 29)),
    ],
)
def test_a_month_ends_on_the_same_day_of_the_next_one(came: tuple[int, int, int], answered_by: date) -> None:
    at = int((date(*came) - date(1970, 1, 1)).total_seconds() * 1000) + 12 * 3600 * 1000
    assert due(at) == answered_by
    assert not late(msgspec.structs.replace(pointing(Errand.CORRECTION, "p"), at=at), Instant(at))
