"""Asking as a way to learn: who has a record, who blocked me, who said no; errands that are not one's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count

import pytest

from serment.errors import NotFoundError, TooManyError
from serment.ledger.entry import Interaction
from serment.model import Actor, ActorId, Instant, PatientId, RequestId
from serment.record.asking import Asking
from serment.record.between import errands
from serment.record.between.inbox import Errand
from serment.record.between.permitting import ASKED_MS, MOST_ASKED, NOWHERE, Permitting
from serment.record.between.questioning import Call
from serment.record.house import House
from serment.record.writing import new_id
from tests.attacks.watching import watched
from tests.installation import Installation, installation, on_a_file, run

NUMBERS = count()
MERGING = frozenset({"packs", "pack_at", "drop_packs", "seal_pack", "put_pack", "next_pack", "subkey"})
"""Merging of the register's packs: it follows how many were written before, by anybody."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("asking")) as one:
        yield one


def stranger(made: Installation) -> Asking:
    """Ask as a doctor of another practice whom nobody has met."""
    asking = made.as_staff("unrelated-doctor")
    return replace(asking, actor=replace(asking.actor, id=ActorId(f"rpps:{next(NUMBERS):011d}")))


def asked(house: House, asking: Asking, patient: PatientId) -> Instant:
    return run(house.permitting.ask(replace(asking, request=RequestId(new_id())), patient, "opinion"))


def blocked(made: Installation) -> Actor:
    return made.staff("second-associate")


def test_the_work_is_the_same_for_a_record_that_is_open_closed_to_me_or_nobodys(made: Installation) -> None:
    house, log = watched(made.house)
    nobody = PatientId(new_id())
    targets = {
        "open": (made.as_staff("attending"), made.record("masking")),
        "unrelated": (made.as_staff("hospital-doctor"), made.record("masking")),
        "blocked": (made.store.asking(blocked(made)), made.record("masking")),
        "nobody": (made.as_staff("intern"), nobody),
    }
    for _ in range(2):
        for patient in (made.record("masking"), nobody):
            asked(house, stranger(made), patient)
    done: dict[str, Counter[str]] = {}
    for name, (asking, patient) in targets.items():
        log.clear()
        asked(house, asking, patient)
        calls = [re.sub(r"\(.*", "", one) for one in log]
        done[name] = Counter(one for one in calls if one not in MERGING)
    assert done["unrelated"] == done["blocked"] == done["nobody"] == done["open"]


def test_refused_unanswered_and_blocked_read_the_same_to_who_asked(made: Installation) -> None:
    house, doctor = made.house, made.store.asking(blocked(made))
    targets = {
        "refused": made.record("celebrity"),
        "silent": made.record("mother"),
        "blocked": made.record("masking"),
    }
    for patient in targets.values():
        asked(house, doctor, patient)
    holder = made.as_patient("celebrity")
    waiting = run(house.errands.for_patient(holder, targets["refused"]))
    mine = next(one for one in waiting if one.pointer.sender == doctor.actor.id)
    run(house.permitting.answer(holder, targets["refused"], mine.pointer.id, days=None))
    for later in (0, ASKED_MS - 1000, ASKED_MS):
        now = Instant(doctor.now + later)
        seen = {
            name: [
                (one.kind, one.code, one.done, one.waits(now))
                for one in house.inbox.of(doctor)
                if one.patient == patient
            ]
            for name, patient in targets.items()
        }
        assert seen["refused"] == seen["silent"] == seen["blocked"]


def test_a_patient_is_not_bothered_by_whom_they_blocked_and_reads_that_they_asked(made: Installation) -> None:
    house, record, holder = made.house, made.record("masking"), made.as_patient("masking")
    asked(house, made.store.asking(blocked(made)), record)
    waiting = run(house.errands.for_patient(holder, record))
    assert blocked(made).id not in [one.pointer.sender for one in waiting]
    bodies = run(house.proving.trail(replace(holder, request=RequestId(new_id())), record))
    lines = [body.event for body in bodies if body.event.interaction is Interaction.ERRAND]
    assert blocked(made).id in [event.actor for event in lines]


def test_what_is_asked_of_nobody_waits_for_nobody(made: Installation) -> None:
    house, patient = made.house, PatientId(new_id())
    asked(house, stranger(made), patient)
    holder = made.as_patient()
    as_them = replace(holder, actor=replace(holder.actor, id=ActorId(f"patient:{patient}")))
    assert house.inbox.of(as_them) == []
    assert patient in [
        one.patient for one in house.inbox.of(replace(holder, actor=replace(holder.actor, id=NOWHERE)))
    ]


def test_asking_again_and_again_is_one_request_and_then_none(made: Installation) -> None:
    house, record, doctor = made.house, made.record("father"), stranger(made)
    for _ in range(3):
        asked(house, doctor, record)
    waiting = [one for one in house.inbox.of_patient(doctor, record) if one.sender == doctor.actor.id]
    assert len(waiting) == 1
    fresh = Permitting(house.passage, house.writing)
    for _ in range(MOST_ASKED):
        run(fresh.ask(replace(doctor, request=RequestId(new_id())), record, "opinion"))
    with pytest.raises(TooManyError):
        run(fresh.ask(replace(doctor, request=RequestId(new_id())), record, "opinion"))


def test_one_person_fills_no_queue_with_corrections(made: Installation) -> None:
    """The officers' file is bounded: who sends very many would push out what others wait for."""
    house, record, holder = made.house, made.record("celebrity"), made.as_patient("celebrity")
    ask = partial(house.errands.ask_correction, item=f"Patient/{record}", text="Mon nom est mal écrit")
    for _ in range(errands.MOST_ASKED):
        run(ask(again(holder), record))
    with pytest.raises(TooManyError):
        run(ask(again(holder), record))


def test_an_answer_is_given_once_and_by_nobody_else(made: Installation) -> None:
    house, record, doctor = made.house, made.record("husband"), stranger(made)
    asked(house, doctor, record)
    (pointer,) = [one for one in house.inbox.of_patient(doctor, record) if one.sender == doctor.actor.id]
    wife, holder = made.as_patient(), made.as_patient("husband")
    for whose, who in ((record, wife), (made.record(), wife), (record, doctor)):
        with pytest.raises(NotFoundError):
            run(
                house.permitting.answer(replace(who, request=RequestId(new_id())), whose, pointer.id, days=30)
            )
    run(house.permitting.answer(holder, record, pointer.id, days=None))
    with pytest.raises(NotFoundError):
        run(
            house.permitting.answer(replace(holder, request=RequestId(new_id())), record, pointer.id, days=30)
        )


def test_a_pointer_tells_nothing_of_health_and_names_no_patient(made: Installation) -> None:
    house, record = made.house, made.record("waiting")
    doctor = made.as_staff("attending")
    run(house.errands.ask_deposit(doctor, record, "result", "Votre biopsie du sein", 7))
    name = made.as_patient("waiting").actor.name
    for pointer in house.inbox.of_patient(doctor, record):
        said = repr(tuple(getattr(pointer, field) for field in pointer.__struct_fields__))
        assert "biopsie" not in said
        assert name not in said


def test_who_may_read_no_more_sees_that_something_waits_and_nothing_of_it(made: Installation) -> None:
    house, record, holder = made.house, made.record("masking"), made.as_patient("masking")
    item = made.item("masked", "masking")
    run(house.errands.ask_correction(holder, record, item, "Rien de tout cela"))
    associate = made.as_staff("team-doctor")
    waiting = [
        one for one in house.inbox.waiting(made.as_staff("attending")) if one.kind is Errand.CORRECTION
    ]
    assert waiting
    assert run(house.errands.read(associate, waiting[0])) is None


@on_a_file
def test_a_stolen_disk_holds_nothing_of_what_was_asked(made: Installation) -> None:
    house, record, holder = made.house, made.record("father"), made.as_patient("father")
    marks = ["zyxwvut-deposit", "zyxwvut-correction", "zyxwvut-hours", "zyxwvut-answer", "06 98 76 54 32"]
    doctor, dpo = made.as_staff("attending"), made.as_staff("dpo")
    run(house.errands.ask_deposit(again(doctor), record, "letter", marks[0], 7))
    patient_reference = f"Patient/{record}"
    run(house.errands.ask_correction(again(holder), record, patient_reference, marks[1]))
    id_ = run(house.questioning.call_back(again(holder), record, Call("copy", marks[4], marks[2], "")))
    house.questioning.answer(again(dpo), id_, marks[3])
    files = [one for one in made.settings.directory.rglob("*") if one.is_file()]
    assert files
    for one in files:
        content = one.read_bytes()
        assert not [mark for mark in marks if mark.encode() in content], one.name
        assert b"CONSENT-ASKED" not in content.upper()


def again(asking: Asking) -> Asking:
    return replace(asking, request=RequestId(new_id()))
