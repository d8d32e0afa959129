"""Monday morning at a practice whose old records were imported without a single consent."""

from __future__ import annotations

import pytest

from serment.access.declare import declared_act
from serment.access.policy import shipped_policy
from serment.access.record_facts import APPOINTMENT, CARE_TEAM, ENCOUNTER, RecordFacts, TeamFact
from serment.model import Act, Actor, Category, Instant, ItemClass
from tests.rules.cast import (
    ASSOCIATE,
    DAY,
    DOCTOR,
    HOUR,
    LOCUM,
    NOW,
    NURSE,
    OWN,
    PRACTICE,
    REQUEST,
    SECRETARY,
    STRANGER,
    asked,
    opens,
)


def imported(actor: Actor, kind: str, start: int, end: int | None = None) -> TeamFact:
    return TeamFact(actor.id, kind, start, end, PRACTICE, imported=True, source=f"{kind}/1")


RECORD = (
    OWN.with_team(imported(DOCTOR, CARE_TEAM, NOW - 900 * DAY))
    .with_team(imported(ASSOCIATE, ENCOUNTER, NOW - 40 * DAY, NOW - 40 * DAY + HOUR))
    .with_team(imported(LOCUM, APPOINTMENT, NOW + 2 * HOUR, NOW + 3 * HOUR))
    .with_team(imported(NURSE, ENCOUNTER, NOW - 10 * DAY, NOW - 10 * DAY + HOUR))
)


def unit(category: Category, kind: str = "any") -> ItemClass:
    return ItemClass(category, kind, ("N",))


CARE = [
    Category.REPORT,
    Category.PRESCRIPTION,
    Category.ALLERGIES,
    Category.TREATMENTS,
    Category.VITALS,
    Category.LABS,
    Category.NOTES,
    Category.PROBLEMS,
    Category.VACCINATIONS,
    Category.IDENTITY,
    Category.CONTACT,
    Category.ADMINISTRATIVE,
]


@pytest.mark.parametrize("actor", [DOCTOR, ASSOCIATE, LOCUM, NURSE])
@pytest.mark.parametrize("category", CARE)
def test_the_team_reads_what_it_needs(actor: Actor, category: Category) -> None:
    assert opens(asked(actor, RECORD, unit(category)))


@pytest.mark.parametrize("actor", [DOCTOR, ASSOCIATE, LOCUM, NURSE])
@pytest.mark.parametrize(
    "category", [Category.NOTES, Category.VITALS, Category.TREATMENTS, Category.PRESCRIPTION]
)
def test_the_team_writes_its_day(actor: Actor, category: Category) -> None:
    assert opens(asked(actor, RECORD, unit(category), Act.WRITE, existing=False))


@pytest.mark.parametrize(
    ("category", "act"),
    [
        (Category.IDENTITY, Act.READ),
        (Category.CONTACT, Act.WRITE),
        (Category.ADMINISTRATIVE, Act.WRITE),
        (Category.REPORT, Act.FILE),
        (Category.PRESCRIPTION, Act.PRINT),
        (Category.LABS, Act.LIST),
    ],
)
def test_the_secretary_answers_files_and_prints(category: Category, act: Act) -> None:
    assert opens(asked(SECRETARY, RECORD, unit(category), act, existing=False))


@pytest.mark.parametrize("category", [Category.NOTES, Category.LABS, Category.REPORT, Category.TREATMENTS])
def test_the_secretary_reads_no_clinical_body(category: Category) -> None:
    assert not opens(asked(SECRETARY, RECORD, unit(category)))


def test_an_unrelated_doctor_of_the_same_town_reads_nothing() -> None:
    for category in set(Category) - {Category.DIRECTORY}:
        for act in Act:
            assert not opens(asked(STRANGER, RECORD, unit(category), act, existing=False))


def test_an_unexpected_visit_is_one_gesture_away() -> None:
    quiet: RecordFacts = OWN
    assert not opens(asked(NURSE, quiet))
    told = quiet.with_team(declared_act(NURSE, quiet, "visit-today", NOW, REQUEST, shipped_policy()))
    assert opens(asked(NURSE, told))
    assert not opens(asked(NURSE, told, now=Instant(NOW + DAY)))
