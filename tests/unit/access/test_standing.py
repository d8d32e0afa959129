"""Two ways, one answer: a standing asked for many classes says what `facts_for` says for each alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from serment.access import record_facts as rf
from serment.access.decide import decide
from serment.access.policy import shipped_policy
from serment.access.record_facts import Attending, Choice, Mandate, RecordFacts, TeamFact
from serment.access.relations import DECLARED_REASONS, Standing, facts_for
from serment.model import (
    Act,
    Actor,
    ActorId,
    ActorKind,
    Category,
    EmergencyReason,
    Function,
    Instant,
    ItemClass,
    Label,
    Purpose,
    RecordToken,
    RequestId,
)

NOW = Instant(1_790_000_000_000)
DAY = 86_400_000
PEOPLE = ("one", "two", "three")

people = st.sampled_from(PEOPLE)
anybody = st.sampled_from(("", *PEOPLE))
instants = st.integers(-3, 3).map(lambda days: NOW + days * DAY)
ends = st.none() | instants
categories = st.sampled_from(Category)
structures = st.sampled_from(("", "home", "away"))

units = st.builds(
    ItemClass,
    categories,
    st.sampled_from(("Observation", "CareTeam", "Quarantine", "34133-9", "Patient")),
    st.lists(st.sampled_from([str(label) for label in Label]), max_size=3, unique=True).map(tuple),
    anybody.map(ActorId),
    st.booleans(),
    st.none() | instants.map(Instant),
)
actors = st.builds(
    Actor,
    people.map(ActorId),
    st.sampled_from(ActorKind),
    profession=st.sampled_from(("", "10", "60", "50")),
    function=st.sampled_from(Function),
    structure=structures,
    regulation=st.booleans(),
    supervisor=st.none() | anybody.map(ActorId),
    replaces=st.none() | anybody.map(ActorId),
)
records = st.builds(
    RecordFacts,
    regime=st.sampled_from(("own", "shared", "other")),
    structure=structures,
    status=st.sampled_from((rf.ACTIVE, rf.CLOSED, "odd")),
    birth_date=st.sampled_from(("", "2020", "1990-01-01", "odd")),
    holders=st.lists(people, max_size=1).map(tuple),
    team=st.lists(
        st.builds(
            TeamFact,
            people,
            st.sampled_from((rf.STAY, rf.DECLARED, rf.ENCOUNTER, rf.CARE_TEAM, "odd")),
            instants,
            ends,
            structures,
            st.booleans(),
            reason=st.sampled_from(("", min(DECLARED_REASONS))),
        ),
        max_size=3,
    ).map(tuple),
    mandates=st.lists(
        st.builds(
            Mandate,
            people,
            st.sampled_from((rf.REPRESENTATIVE, rf.HEIR)),
            instants,
            ends,
            st.lists(categories.map(str), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    attending=st.lists(st.builds(Attending, people, instants, ends, anybody, st.booleans()), max_size=1).map(
        tuple
    ),
    choices=st.lists(
        st.builds(
            Choice,
            st.just("1"),
            st.sampled_from((*sorted(rf.CHOICE_KINDS), "odd")),
            anybody,
            st.just("") | categories.map(str),
            st.sampled_from(("", "Observation/1")),
            instants,
            ends,
            anybody,
            anybody,
            st.sampled_from(((), ("HIV",), ("N", "R"))),
            st.sampled_from(((), ("TREAT",))),
        ),
        max_size=4,
    ).map(tuple),
)
reasons = st.frozensets(st.sampled_from(EmergencyReason))
questions = st.tuples(units, st.sampled_from(Act), st.sampled_from((None, True, False)))


@given(actors, st.sampled_from(Purpose), reasons, records, st.lists(questions, min_size=1, max_size=6))
def test_asked_many_times_or_once_the_facts_are_the_same(
    actor: Actor,
    purpose: Purpose,
    coded: frozenset[EmergencyReason],
    facts: RecordFacts,
    asked: list[tuple[ItemClass, Act, bool | None]],
) -> None:
    record, request, policy = RecordToken(bytes(16)), RequestId("r"), shipped_policy()
    standing = Standing(actor, purpose, coded, record, facts, NOW, request, policy)
    for unit, act, existing in asked:
        alone = facts_for(
            actor, purpose, coded, record, facts, unit, act, NOW, request, policy, existing=existing
        )
        many = standing.facts(unit, act, existing=existing)
        assert many == alone
        assert decide(many) == decide(alone)


def test_a_class_that_is_masked_hides_no_other_class_of_its_category() -> None:
    actor = Actor(ActorId("one"), ActorKind.PROFESSIONAL, profession="10", structure="home")
    facts = RecordFacts(regime="own", structure="home")
    standing = Standing(
        actor,
        Purpose.TREAT,
        frozenset(),
        RecordToken(bytes(16)),
        facts,
        NOW,
        RequestId("r"),
        shipped_policy(),
    )
    plain = ItemClass(Category.LABS, "Observation", ("N",))
    masked = replace(plain, masked=True)
    assert [standing.facts(unit, Act.READ).masked for unit in (masked, plain, masked)] == [True, False, True]
