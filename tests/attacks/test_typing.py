"""Somebody types to list the patients, to learn who is one, or to be shown who nobody should find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from string import ascii_lowercase

import pytest

from serment import app
from serment.errors import DependencyError, IntegrityError, RequestError, TooManyError
from serment.keys.trace_keys import TraceKeys
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.ledger.follow import follow
from serment.model import Actor, ActorId, RecordToken
from serment.record import incoming
from serment.record.alarms import REGISTER_BROKEN
from serment.record.budget import Budget, Quota
from serment.record.house import House
from serment.record.passage import REGISTER
from serment.record.persons.as_typed import AsTyped
from tests.attacks.sql import Thief
from tests.attacks.watching import Log, watched
from tests.installation import Installation, run, small_installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with small_installation(tmp_path_factory.mktemp("typing"), 14, 2) as one:
        yield one


def typed(made: Installation, text: str, role: str = "secretary", house: House | None = None) -> list[str]:
    search = (house or made.house).as_typed.search(made.as_staff(role), text)
    return [who.patient for who in run(search)]


# Enumeration.


NEVER = Budget(1 << 30, 1, "record.too-many-searches")


def beginnings(made: Installation) -> list[str]:
    """Give three letters of everybody's name: what a patient thief comes to in the end."""
    return sorted({one.traits.birth_name[:3] for one in made.store.people.patients})


def shown_until_refused(made: Installation, search: AsTyped, texts: list[str]) -> tuple[set[str], bool]:
    shown: set[str] = set()
    for text in texts:
        try:
            shown |= {who.patient for who in run(search.search(made.as_staff("secretary"), text))}
        except TooManyError:
            return shown, True
    return shown, False


@pytest.mark.capability("0-21", "refuses")
def test_enumeration_by_typing_ends_with_what_may_be_shown_in_a_day(made: Installation) -> None:
    quota = Quota(5, 1 << 40, "record.too-many-shown")
    search = AsTyped(replace(made.house.passage, shown=quota, keystrokes=NEVER))
    shown, refused = shown_until_refused(made, search, beginnings(made))
    assert (refused, len(shown) <= 5) == (True, True)


def test_enumeration_by_typing_ends_with_the_keystrokes_too(made: Installation) -> None:
    budget = Budget(20, 1 << 40, "record.too-many-searches")
    search = AsTyped(replace(made.house.passage, keystrokes=budget))
    texts = ["".join(letters) for letters in product(ascii_lowercase[:3], repeat=3)]
    assert shown_until_refused(made, search, texts)[1]


def test_who_was_shown_already_is_shown_again_for_nothing(made: Installation) -> None:
    search = AsTyped(replace(made.house.passage, shown=Quota(10, 1 << 40, "record.too-many-shown")))
    name = made.patient().traits.birth_name
    answers = [run(search.search(made.as_staff("secretary"), name)) for _ in range(5)]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    "text", ["a b c", "%%%", "...", "___", "mar%", "12/05/1975", "1975 ma", "\x00\x00\x00"]
)
def test_enumeration_by_less_than_a_name_is_refused(made: Installation, text: str) -> None:
    with pytest.raises(RequestError):
        typed(made, text)


# What is hidden and what is absent.


def work(made: Installation, actor: Actor, text: str) -> tuple[list[str], Log]:
    """Search over a house that writes down what it asks for, once its register is open."""
    house, log = watched(made.house)
    run(house.as_typed.search(made.store.asking(actor), "nemozyx"))
    log.clear()
    found = run(house.as_typed.search(made.store.asking(actor), text))
    return [who.patient for who in found], list(log)


@pytest.mark.parametrize("role", ["unrelated-doctor", "hospital-doctor"])
@pytest.mark.capability("1-24", "refuses")
def test_people_of_another_structure_cost_the_work_of_nobody(made: Installation, role: str) -> None:
    hidden = work(made, made.staff(role), made.patient().traits.birth_name)
    absent = work(made, made.staff(role), "zzyzxqu")
    assert hidden == absent
    assert hidden[0] == []


def test_people_who_are_found_cost_the_work_of_nobody_too(made: Installation) -> None:
    there, log = work(made, made.staff("secretary"), made.patient().traits.birth_name)
    absent, other = work(made, made.staff("secretary"), "zzyzxqu")
    assert (made.record() in there, absent) == (True, [])
    assert log == other
    assert not any(line.startswith(("unwrap", "pack", "bod")) for line in log)


def test_people_of_another_structure_take_no_place_among_the_ten(made: Installation) -> None:
    """Ten hidden namesakes would push the eleventh off the list, and so tell that they are there."""
    mine = made.staff("team-doctor")
    other = replace(made.staff("hospital-doctor"), id=ActorId("rpps:99900009999"))
    for actor, count in ((other, 12), (mine, 1)):
        for number in range(count):
            person = (
                f'{{"resourceType":"Patient","name":[{{"family":"Zzork","given":["{chr(65 + number)}"]}}]}}'
            )
            run(made.house.writing.create(made.store.asking(actor), incoming.read(person.encode())))
    assert len(typed(made, "zzork", "team-doctor")) == 1
    assert len(typed(made, "zzork", "hospital-doctor")) == 10


# The trace.


def test_each_search_leaves_one_line_that_names_who_was_shown(made: Installation) -> None:
    before = _finds(made)
    shown = typed(made, made.patient().traits.birth_name)
    typed(made, "nemozyx")
    one, other = _finds(made)[len(before) :]
    assert one == tuple(f"Patient/{id_}" for id_ in shown)
    assert other == ()


def _finds(made: Installation) -> list[tuple[str, ...]]:
    record = _register(made)
    keys = TraceKeys(made.house.custody.year_keys(record))
    with made.house.passage.store.snapshot() as snapshot:
        trail = follow(snapshot, record, keys.trail, list(keys.years.values()), list(Chain))
    events = [one.body.event for one in trail]
    return [event.resources for event in events if event.interaction is Interaction.FIND]


# What changes, and what is altered.


def test_what_another_process_wrote_is_found_at_the_next_letter(made: Installation) -> None:
    beside = app.open_house(made.settings)
    try:
        assert typed(made, "wryneckovic", house=beside) == []
        raw = b'{"resourceType":"Patient","name":[{"family":"Wryneckovic"}],"birthDate":"1950-02-03"}'
        written = run(made.house.writing.create(made.as_staff("team-doctor"), incoming.read(raw)))
        assert typed(made, "wryneckovic", house=beside) == [written.id]
    finally:
        beside.close()


def test_a_house_that_closes_forgets_everybody(tmp_path: Path) -> None:
    with small_installation(tmp_path, 2, 2) as made:
        house = made.house
        assert typed(made, made.patient().traits.birth_name)
        assert house.as_typed.register.shards
        house.close()
        assert not house.as_typed.register.shards


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE pack SET sealed = zeroblob(length(sealed)) WHERE record = ?",
        "DELETE FROM pack WHERE record = ?",
        "UPDATE record SET head = zeroblob(length(head)) WHERE record = ?",
    ],
)
def test_who_breaks_the_register_shows_nobody_stops_no_care_and_is_found(tmp_path: Path, damage: str) -> None:
    with small_installation(tmp_path, 3, 2) as made:
        thief = Thief(made)
        try:
            thief.rows(damage, _register(made))
        finally:
            thief.close()
        again = AsTyped(made.house.passage)
        with pytest.raises(IntegrityError):
            run(again.search(made.as_staff("secretary"), made.patient().traits.birth_name))
        raw = b'{"resourceType":"Patient","name":[{"family":"Wryneckovic"}],"birthDate":"1950-02-03"}'
        written = run(made.house.writing.create(made.as_staff("team-doctor"), incoming.read(raw)))
        assert written.created
        assert REGISTER_BROKEN in made.house.passage.alarms.rung
        assert made.house.proving.verify().faults


def test_an_installation_made_before_the_register_never_shows_a_part_of_the_people(tmp_path: Path) -> None:
    with small_installation(tmp_path, 2, 2) as made:
        thief = Thief(made)
        try:
            locator = made.house.passage.installation.locator(REGISTER)
            thief.rows("DELETE FROM locator WHERE token = ?", locator)
        finally:
            thief.close()
        made.house.close()
        made.reopen()
        raw = b'{"resourceType":"Patient","name":[{"family":"Wryneckovic"}],"birthDate":"1950-02-03"}'
        assert run(made.house.writing.create(made.as_staff("team-doctor"), incoming.read(raw))).created
        with pytest.raises(DependencyError) as refused:
            typed(made, "wryneckovic")
        assert refused.value.sentence == "record.register-partial"


def _register(made: Installation) -> RecordToken:
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        located = snapshot.locate(passage.installation.locator(REGISTER))
    assert located is not None
    return located.record
