"""The facts of two merged records: what forbids is in both, what grants stays, and parting restores."""

from __future__ import annotations

import pytest

from serment.access.record_facts import (
    BLOCKED,
    CONSENT,
    MASKED,
    OPPOSED,
    REPRESENTATIVE,
    STAY,
    Attending,
    Choice,
    Mandate,
    RecordFacts,
    TeamFact,
    pack,
    unpack,
)
from serment.access.uniting import left_for, own, parted, united

KEPT = RecordFacts(
    regime="own",
    structure="cabinet",
    holders=("patient:kept",),
    team=(TeamFact("rpps:1", STAY, 5, source="Encounter/1"),),
    choices=(Choice("Consent/1#0", OPPOSED, category="vitals"),),
)
LEFT = RecordFacts(
    regime="own",
    structure="cabinet",
    holders=("patient:left",),
    accused=("rpps:9",),
    team=(TeamFact("rpps:2", STAY, 7, source="Encounter/2"),),
    mandates=(Mandate("proxy:1", REPRESENTATIVE, 1),),
    attending=(Attending("rpps:3", 1),),
    choices=(
        Choice("Consent/2#0", BLOCKED, actor="rpps:4"),
        Choice("Consent/2#1", CONSENT, actor="rpps:5"),
        Choice("Consent/2#2", MASKED, item="Observation/1"),
        Choice("Consent/2#3", "a-kind-of-tomorrow"),
    ),
)


def kinds(facts: RecordFacts) -> list[str]:
    return [choice.kind for choice in facts.choices]


def test_what_forbids_is_repeated_and_what_is_not_known_forbids() -> None:
    assert kinds(united(KEPT, LEFT, "left", away=False)) == [OPPOSED, BLOCKED, "a-kind-of-tomorrow"]


def test_of_what_grants_only_acts_of_care_are() -> None:
    both = united(KEPT, LEFT, "left", away=False)
    assert [fact.actor for fact in both.team] == ["rpps:1", "rpps:2"]
    assert (both.holders, both.mandates, both.attending) == (KEPT.holders, (), ())
    assert CONSENT not in kinds(both)


def test_who_is_accused_in_one_is_in_both() -> None:
    assert united(KEPT, LEFT, "left", away=False).accused == ("rpps:9",)


@pytest.mark.capability("0-04", "lets")
def test_parting_restores_the_facts_and_keeps_what_was_said_since() -> None:
    both = united(KEPT, LEFT, "left", away=False)
    assert parted(both, "left") == KEPT
    since = Choice("Consent/8#0", BLOCKED, actor="rpps:6")
    assert parted(both.with_choice(since), "left") == KEPT.with_choice(since)


def test_repeating_again_changes_nothing_and_follows_the_other() -> None:
    both = united(KEPT, LEFT, "left", away=False)
    assert united(both, LEFT, "left", away=False) == both
    lifted = LEFT.without_choice("Consent/2#0")
    assert kinds(united(both, lifted, "left", away=False)) == [OPPOSED, "a-kind-of-tomorrow"]


def test_what_was_repeated_is_not_sent_back() -> None:
    both = united(KEPT, LEFT, "left", away=False)
    back = united(LEFT, both, "kept", away=True)
    assert kinds(back) == [*kinds(LEFT), OPPOSED]
    assert own(back) == LEFT


def test_the_one_that_is_left_names_the_one_that_goes_on() -> None:
    assert left_for(united(LEFT, KEPT, "kept", away=True)) == "kept"
    assert left_for(united(KEPT, LEFT, "left", away=False)) == ""


def test_united_facts_are_kept_as_they_are() -> None:
    both = united(KEPT, LEFT, "left", away=False)
    assert unpack(pack(both)) == both
