"""Every word of the patient × whom, what and which part it names × when it begins and ends."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, Final

import pytest

from serment.access import record_facts as rf
from serment.access.record_facts import Choice, RecordFacts
from serment.model import ActorId, Category, EmergencyReason, Instant, ItemClass, Purpose
from tests.rules.cast import (
    DAY,
    DOCTOR,
    LETTER,
    NOW,
    NURSE,
    OWN,
    PATIENT,
    REGULATOR,
    SHARED,
    STRANGER,
    UNIT,
    asked,
    in_emergency,
    opens,
    seen,
)

TEAM: Final = OWN.with_team(seen(DOCTOR)).with_team(seen(NURSE))
SHARED_TEAM: Final = SHARED.with_team(seen(DOCTOR)).with_team(seen(NURSE))
WRITER: Final = ActorId("rpps:writer")

DATES: Final = {
    "since yesterday": (-1, None),
    "until tomorrow": (-1, 1),
    "from tomorrow": (1, None),
    "over": (-3, -1),
    "ended before it began": (2, 1),
}
LIFTED: Final = {"over"}
"""When what forbids rules no more: only an end that has passed and follows the beginning lifts it."""

GRANTING: Final = {"since yesterday", "until tomorrow"}

FORBIDDING: Final[dict[str, dict[str, Any]]] = {
    rf.OPPOSED: {},
    rf.OPPOSED_CATEGORY: {"category": "labs"},
    rf.OPPOSED_PART: {"author": WRITER},
    rf.BLOCKED: {"actor": DOCTOR.id},
    rf.MASKED: {},
    "a kind of a later version": {},
}
MINE: Final = replace(UNIT, author=WRITER)


def word(kind: str, dates: str, **part: Any) -> Choice:
    start, end = DATES[dates]
    until = None if end is None else NOW + end * DAY
    return Choice("c", kind, start=NOW + start * DAY, end=until, recorded_by=PATIENT.id, **part)


def reads(facts: RecordFacts, unit: ItemClass = MINE, actor: Any = DOCTOR) -> bool:
    return opens(asked(actor, facts, unit))


@pytest.mark.parametrize(("kind", "dates"), list(product(FORBIDDING, DATES)))
@pytest.mark.parametrize("facts", [TEAM, SHARED_TEAM], ids=["own", "shared"])
def test_what_forbids_rules_from_its_commit_until_an_end_that_has_passed(
    kind: str, dates: str, facts: RecordFacts
) -> None:
    unit = MINE if facts is TEAM else replace(LETTER, author=WRITER, category=Category.LABS)
    assert reads(facts, unit)
    said = facts.with_choice(word(kind, dates, **FORBIDDING[kind]))
    assert reads(said, unit) is (dates in LIFTED)


@pytest.mark.parametrize("dates", DATES)
@pytest.mark.parametrize("part", [{}, {"category": "labs"}, {"author": WRITER}, {"labels": ("N",)}])
def test_a_consent_counts_between_its_dates_alone(dates: str, part: dict[str, Any]) -> None:
    said = OWN.with_choice(word(rf.CONSENT, dates, actor=STRANGER.id, **part))
    assert reads(said, MINE, STRANGER) is (dates in GRANTING)


@pytest.mark.parametrize(
    ("part", "unit"),
    [
        ({"category": "labs"}, replace(MINE, category=Category.VITALS)),
        ({"author": WRITER}, replace(MINE, author=NURSE.id)),
        ({"labels": ("N",)}, replace(MINE, labels=("R",))),
        ({"actor": NURSE.id}, MINE),
        ({"item": "Observation/1"}, MINE),
    ],
)
def test_a_consent_gives_nothing_beside_what_it_names(part: dict[str, Any], unit: ItemClass) -> None:
    said = OWN.with_choice(word(rf.CONSENT, "since yesterday", **{"actor": STRANGER.id, **part}))
    assert not reads(said, unit, STRANGER)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (rf.OPPOSED_CATEGORY, {"category": "vitals"}),
        (rf.OPPOSED_CATEGORY, {"category": "labs", "actor": NURSE.id}),
        (rf.OPPOSED_PART, {"author": NURSE.id}),
        (rf.OPPOSED_PART, {"labels": ("HIV",)}),
        (rf.OPPOSED_PART, {"author": WRITER, "actor": NURSE.id}),
        (rf.OPPOSED_PART, {"author": WRITER, "category": "vitals"}),
        (rf.BLOCKED, {"actor": NURSE.id}),
        (rf.MASKED, {"item": "Observation/1"}),
        (rf.RESEARCH_OPPOSED, {}),
        (rf.EMERGENCY_OPPOSED, {}),
        (rf.REGULATION_OPPOSED, {}),
    ],
)
def test_what_a_word_does_not_name_stays_as_it_was(kind: str, part: dict[str, Any]) -> None:
    assert reads(TEAM.with_choice(word(kind, "since yesterday", **part)))


@pytest.mark.parametrize("dates", DATES)
def test_the_two_emergency_doors_of_shared_are_closed_apart(dates: str) -> None:
    call = EmergencyReason.REGULATION
    for kind, vital, regulation in (
        (rf.EMERGENCY_OPPOSED, False, True),
        (rf.REGULATION_OPPOSED, True, False),
    ):
        said = SHARED.with_choice(word(kind, dates))
        lifted = dates in LIFTED
        assert opens(in_emergency(STRANGER, said, LETTER)) is (vital or lifted)
        assert opens(in_emergency(REGULATOR, said, LETTER, call)) is (regulation or lifted)


@pytest.mark.parametrize("dates", DATES)
@pytest.mark.parametrize("kind", [rf.RESEARCH_OPPOSED, rf.OPPOSED, rf.CLOSURE, "a kind of a later version"])
def test_research_is_told_of_an_opposition_until_it_is_lifted(kind: str, dates: str) -> None:
    assert OWN.with_choice(word(kind, dates)).opposes_research(NOW) is (dates not in LIFTED)


@pytest.mark.parametrize(
    "kind", [rf.OPPOSED_CATEGORY, rf.BLOCKED, rf.MASKED, rf.CONSENT, rf.EMERGENCY_OPPOSED]
)
def test_a_word_about_care_says_nothing_of_research(kind: str) -> None:
    assert not OWN.with_choice(word(kind, "since yesterday")).opposes_research(NOW)


def test_research_finds_a_record_that_is_not_active_opposed() -> None:
    closed = RecordFacts(regime="own", status=rf.CLOSED)
    assert closed.opposes_research(Instant(0))


def test_a_consent_for_care_is_for_requests_of_care() -> None:
    said = OWN.with_choice(
        word(rf.CONSENT, "since yesterday", actor=STRANGER.id, purposes=(Purpose.TREAT.value,))
    )
    assert reads(said, MINE, STRANGER)
    assert not opens(asked(STRANGER, said, MINE, purpose=Purpose.COORDINATION))
