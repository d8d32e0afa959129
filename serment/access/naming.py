"""Who may give somebody access by naming them, and who may take it away (ADR 26, pure).

An act of care is written by one person and opens the record to another. So it is worth what its writer
stands on. Order: what the writer stands on, what a writing gives, what it takes away.

Who stands by more than a declared act or an emergency gives what the act says. Who does not gives a
provisional act of care: the day of an appointment or a visit, a week of a stay or an order, no place in the
team, nothing to themselves; and takes away from nobody what opens the record now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from serment.access.case import acting_as
from serment.access.policy import Policy
from serment.access.record_facts import (
    CARE_TEAM,
    DECLARED,
    REGISTRATION,
    Mandate,
    RecordFacts,
    TeamFact,
    grant_in_force,
)
from serment.model import Actor, Function, Instant, Regime

NAMERS: Final = frozenset({Function.SECRETARY, Function.SECURITY_OFFICER, Function.DPO})
"""Who names the care team and the representatives: nobody of them ever stands in either."""

MOST_PROVISIONAL: Final = 3
"""Provisional acts of one professional on one record at once: one declared act books no year of them."""


def stands(actor: Actor, facts: RecordFacts, policy: Policy, now: Instant) -> bool:
    """Say whether somebody stands in the team, now, by more than a declared act or an emergency door.

    Who registered the person, was named by somebody else or attends them does. A secretary and an officer,
    who work for the whole team, stand by what is not provisional: they write such acts themselves.
    """
    names, regime = acting_as(actor), Regime(facts.regime)
    attending = (actor.id,) if actor.function is Function.TRAINEE else names
    if any(one.actor in attending and grant_in_force(one.start, one.end, now) for one in facts.attending):
        return True
    at_home = regime is Regime.SHARED or actor.structure == facts.structure != ""
    delegated = at_home and regime is Regime.OWN and policy.function(actor.function).delegated
    return any(
        fact.kind != DECLARED
        and policy.opens(fact, regime, now)
        and (fact.actor in names or (delegated and not fact.provisional))
        for fact in facts.team
    )


def given(
    actor: Actor, facts: RecordFacts, source: str, named: Sequence[TeamFact], policy: Policy, now: Instant
) -> list[TeamFact]:
    """Give the acts of care that a writing of `source` makes of those it speaks of.

    What it said before and says again stays what it was. A place in the team comes from who names the
    team, and nobody gives one to themselves.
    """
    before = {(fact.actor, fact.kind): fact for fact in facts.team if fact.source == source}
    lasting, made = stands(actor, facts, policy, now), list[TeamFact]()
    for fact in named:
        old = before.get((fact.actor, fact.kind))
        said = fact if old is None else _dated_as(fact, old, now)
        if lasting and _may_give(actor, said):
            made.append(said)
        elif old is not None and (old.start, old.end) == (said.start, said.end):
            made.append(old)
        elif not lasting and _may_give_provisionally(actor, facts, said, policy, now):
            made.append(msgspec.structs.replace(said, provisional=True))
    return made


def _dated_as(fact: TeamFact, old: TeamFact, now: Instant) -> TeamFact:
    """Let an act without a date have begun when it was first written, not at each writing."""
    return msgspec.structs.replace(fact, start=old.start) if fact.start == now else fact


def _may_give(actor: Actor, fact: TeamFact) -> bool:
    """Say whether somebody in the team may write this: a place in it is for another, by who names."""
    return fact.kind != CARE_TEAM or (actor.function in NAMERS and fact.actor not in acting_as(actor))


def _may_give_provisionally(
    actor: Actor, facts: RecordFacts, fact: TeamFact, policy: Policy, now: Instant
) -> bool:
    window = policy.windows.get(fact.kind)
    if window is None or not window.provisional or fact.actor in acting_as(actor):
        return False
    others = [old for old in facts.team if old.actor == fact.actor and old.source != fact.source]
    return sum(old.provisional and not policy.over(old, now) for old in others) < MOST_PROVISIONAL


def takes_away(
    actor: Actor, before: RecordFacts, after: Collection[TeamFact], policy: Policy, now: Instant
) -> bool:
    """Say whether a writing takes from somebody else an act of care that opens the record now.

    What is provisional, declared or only to come may go: a booking is moved, a mistake is mended.
    """
    regime, names = Regime(before.regime), acting_as(actor)

    def rules(fact: TeamFact) -> bool:
        return not fact.provisional and policy.opens(fact, regime, now)

    kept = {(fact.actor, fact.source) for fact in after if rules(fact)}
    return any(
        (fact.actor, fact.source) not in kept and fact.actor not in names and rules(fact)
        for fact in before.team
        if fact.kind not in {DECLARED, REGISTRATION}
    )


def may_name_representatives(actor: Actor, facts: RecordFacts, policy: Policy, now: Instant) -> bool:
    """Say whether somebody may give a mandate or take one away: who names, standing in the team."""
    return actor.function in NAMERS and stands(actor, facts, policy, now)


def mandate_of(facts: RecordFacts, related: str) -> Mandate | None:
    """Give the mandate that a RelatedPerson of this id carries."""
    return next((one for one in facts.mandates if one.actor == f"proxy:{related}"), None)
