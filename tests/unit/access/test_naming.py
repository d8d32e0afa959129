"""What naming somebody gives them hangs on what the writer stands on (ADR 26)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.access import naming
from serment.access.policy import shipped_policy
from serment.access.record_facts import (
    APPOINTMENT,
    CARE_TEAM,
    DECLARED,
    ENCOUNTER,
    ORDER,
    REGISTRATION,
    STAY,
    RecordFacts,
    TeamFact,
)
from serment.model import Actor, ActorId, Instant, Regime
from tests.rules.cast import (
    ASSOCIATE,
    DAY,
    DOCTOR,
    HOUR,
    NOW,
    NURSE,
    OFFICER,
    OWN,
    PRACTICE,
    SECRETARY,
    TRAINEE,
    attended_by,
    seen,
)

POLICY = shipped_policy()
KINDS = (APPOINTMENT, ENCOUNTER, STAY, ORDER, CARE_TEAM)


def declared_by(actor: Actor) -> RecordFacts:
    return OWN.with_team(TeamFact(actor.id, DECLARED, NOW - HOUR, structure=PRACTICE, reason="visit-today"))


def booked(actor: Actor, *, provisional: bool = False, source: str = "Appointment/a") -> TeamFact:
    return TeamFact(
        actor.id, APPOINTMENT, NOW - HOUR, NOW + HOUR, PRACTICE, source=source, provisional=provisional
    )


def act(kind: str, actor: Actor = DOCTOR, source: str = "x/1") -> TeamFact:
    return TeamFact(actor.id, kind, NOW, None, PRACTICE, source=source)


def given_by(actor: Actor, facts: RecordFacts, *named: TeamFact) -> list[TeamFact]:
    return naming.given(actor, facts, named[0].source, named, POLICY, NOW)


@pytest.mark.parametrize(
    ("actor", "facts"),
    [
        (NURSE, OWN.with_team(seen(NURSE))),
        (NURSE, OWN.with_team(booked(NURSE, provisional=True))),
        (TRAINEE, OWN.with_team(seen(DOCTOR))),
        (DOCTOR, OWN.with_attending(attended_by(DOCTOR))),
        (SECRETARY, OWN.with_team(seen(NURSE))),
        (OFFICER, OWN.with_team(seen(NURSE))),
        (SECRETARY, OWN.with_team(TeamFact(SECRETARY.id, REGISTRATION, NOW - HOUR, structure=PRACTICE))),
    ],
)
def test_who_was_named_registered_or_works_for_the_team_stands_in_it(
    actor: Actor, facts: RecordFacts
) -> None:
    assert naming.stands(actor, facts, POLICY, NOW)


@pytest.mark.parametrize(
    ("actor", "facts"),
    [
        (NURSE, OWN),
        (NURSE, declared_by(NURSE)),
        (SECRETARY, declared_by(SECRETARY)),
        (SECRETARY, declared_by(NURSE)),
        (OFFICER, declared_by(SECRETARY)),
        (SECRETARY, OWN.with_team(booked(NURSE, provisional=True))),
        (NURSE, OWN.with_team(seen(DOCTOR))),
        (NURSE, OWN.with_team(seen(NURSE, days=400))),
        (replace(SECRETARY, structure="elsewhere"), OWN.with_team(seen(NURSE))),
    ],
)
def test_who_declared_booked_or_came_in_by_an_emergency_only_passes(actor: Actor, facts: RecordFacts) -> None:
    assert not naming.stands(actor, facts, POLICY, NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_a_secretary_of_the_team_gives_what_the_act_says(kind: str) -> None:
    assert given_by(SECRETARY, OWN.with_team(seen(NURSE)), act(kind)) == [act(kind)]


@pytest.mark.parametrize(
    ("kind", "hours"), [(APPOINTMENT, 24), (ENCOUNTER, 24), (STAY, 168), (ORDER, 168), (CARE_TEAM, 0)]
)
def test_who_only_passes_gives_a_day_or_a_week_and_no_place_in_the_team(kind: str, hours: int) -> None:
    made = given_by(SECRETARY, declared_by(SECRETARY), act(kind))
    assert len(made) == (hours > 0)
    for fact in made:
        assert POLICY.opens(fact, Regime.OWN, Instant(NOW + hours * HOUR - 1))
        assert not POLICY.opens(fact, Regime.OWN, Instant(NOW + hours * HOUR))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_who_only_passes_names_themselves(kind: str) -> None:
    assert given_by(DOCTOR, declared_by(DOCTOR), act(kind)) == []


def test_a_doctor_of_the_team_writes_their_own_visit_and_no_place_in_the_team() -> None:
    facts = OWN.with_team(seen(DOCTOR))
    assert given_by(DOCTOR, facts, act(ENCOUNTER)) == [act(ENCOUNTER)]
    assert given_by(DOCTOR, facts, act(CARE_TEAM)) == []
    assert given_by(DOCTOR, facts, act(CARE_TEAM, NURSE)) == []


def test_what_was_said_before_stays_what_it_was_under_a_passing_hand() -> None:
    stay = replace_said(act(STAY, NURSE), NOW - 300 * DAY)
    facts = declared_by(SECRETARY).with_team(stay)
    again = replace_said(stay, NOW)
    closed = OWN.with_team(stay).with_team(TeamFact(DOCTOR.id, DECLARED, NOW - HOUR))
    assert given_by(SECRETARY, facts, again) == [again], "who works for a team in force renews it"
    assert given_by(DOCTOR, closed, again) == [stay], "who only passes does not"


def test_a_provisional_act_is_confirmed_by_a_member_of_the_team() -> None:
    booking = booked(NURSE, provisional=True)
    facts = OWN.with_team(booking).with_team(seen(DOCTOR))
    plain = booked(NURSE)
    assert given_by(DOCTOR, facts, plain) == [plain]
    assert given_by(ASSOCIATE, facts, plain) == [booking]


def test_an_act_without_a_date_begins_once() -> None:
    old = TeamFact(NURSE.id, ENCOUNTER, NOW - 90 * DAY, None, PRACTICE, source="x/1")
    made = given_by(DOCTOR, OWN.with_team(old).with_team(seen(DOCTOR)), act(ENCOUNTER, NURSE))
    assert [fact.start for fact in made] == [old.start]


def test_one_declared_act_books_no_year_of_appointments() -> None:
    facts = declared_by(SECRETARY)
    for day in range(365):
        source = f"Appointment/{day}"
        said = TeamFact(NURSE.id, APPOINTMENT, NOW + day * DAY, None, PRACTICE, source=source)
        for fact in naming.given(SECRETARY, facts, source, [said], POLICY, NOW):
            facts = facts.with_team(fact)
    assert sum(fact.provisional for fact in facts.team) == naming.MOST_PROVISIONAL


# Taking away.


def taken(actor: Actor, *team: TeamFact) -> bool:
    facts = OWN
    for fact in team:
        facts = facts.with_team(fact)
    return naming.takes_away(actor, facts, (), POLICY, NOW)


def test_what_opens_the_record_to_somebody_else_is_taken_away() -> None:
    assert taken(NURSE, seen(DOCTOR))


@pytest.mark.parametrize(
    "fact",
    [
        booked(DOCTOR, provisional=True),
        seen(DOCTOR, days=400),
        TeamFact(DOCTOR.id, APPOINTMENT, NOW + 3 * DAY),
        seen(NURSE),
        TeamFact(DOCTOR.id, DECLARED, NOW - HOUR),
    ],
)
def test_one_s_own_act_a_booking_and_what_has_ended_are_nobody_s_loss(fact: TeamFact) -> None:
    assert not taken(NURSE, fact)


# Every case.

PEOPLE = (DOCTOR, ASSOCIATE, NURSE, TRAINEE, SECRETARY, OFFICER)
FACTS = st.builds(
    lambda who, kind, start, length, provisional, n: TeamFact(
        who.id, kind, NOW + start * HOUR, None if length is None else NOW + (start + length) * HOUR,
        PRACTICE, source=f"x/{n}", provisional=provisional,
    ),
    st.sampled_from(PEOPLE), st.sampled_from((*KINDS, DECLARED)), st.integers(-9_000, 9_000),
    st.none() | st.integers(0, 900_000), st.booleans(), st.integers(0, 3),
)  # fmt: skip


@given(st.lists(FACTS, max_size=4), FACTS, st.sampled_from(PEOPLE), st.integers(169, 20_000))
def test_no_passing_hand_opens_a_record_for_longer_than_a_week(
    team: list[TeamFact], named: TeamFact, writer: Actor, hours: int
) -> None:
    facts = OWN
    for fact in team:
        facts = facts.with_team(fact)
    if naming.stands(writer, facts, POLICY, NOW):
        return
    later = Instant(max(NOW, named.start, named.end or 0) + hours * HOUR)
    opened = [fact for fact in facts.team if POLICY.opens(fact, Regime.OWN, later)]
    for fact in naming.given(writer, facts, named.source, [named], POLICY, NOW):
        assert fact in opened or not POLICY.opens(fact, Regime.OWN, later)
        assert fact in facts.team or fact.actor not in {writer.id, writer.supervisor}


def replace_said(fact: TeamFact, said: int) -> TeamFact:
    return TeamFact(
        fact.actor, fact.kind, fact.start, fact.end, fact.structure, source=fact.source, said=said
    )


def test_nobody_of_those_who_name_is_somebody_to_name() -> None:
    assert all(not POLICY.function(function).care for function in naming.NAMERS)
    assert ActorId(SECRETARY.id).startswith("staff:")
