"""The facts of finding a person, by an exact token or as a name is typed: what `decide_find` is asked.

Who finds is a care professional or a secretary, with a care purpose; by which token the person was
asked for is told by the room that looked the token up. Nothing here decides.
"""

from __future__ import annotations

from serment.access.case import unsupervised
from serment.access.decide import IDENTITY_UNIT, Finding
from serment.access.policy import Policy
from serment.access.record_facts import RecordFacts
from serment.access.relations import facts_for
from serment.model import (
    Act,
    Actor,
    ActorKind,
    Instant,
    ItemClass,
    Purpose,
    RecordToken,
    Regime,
    RequestId,
)


def finding_for(
    actor: Actor,
    purpose: Purpose,
    record: RecordToken,
    facts: RecordFacts,
    now: Instant,
    request: RequestId,
    policy: Policy,
    *,
    by_ins: bool = False,
    as_typed: bool = False,
    unit: ItemClass = IDENTITY_UNIT,
) -> Finding:
    """Answer the questions of one search for a person.

    `by_ins` says that the token was the INS, `as_typed` that there was none but the beginning of a name;
    otherwise it was the other compound token (birth date and phonetic name), exact too.
    """
    case = facts_for(
        actor, purpose, frozenset(), record, facts, IDENTITY_UNIT, Act.LIST, now, request, policy
    )
    return Finding(
        regime=case.regime,
        third_party_purpose=case.third_party_purpose,
        finder=case.care_purpose and not case.purpose_misfit and _finds(actor, policy),
        same_structure=actor.structure == facts.structure,
        by_ins=by_ins,
        by_compound=not by_ins and not as_typed,
        as_typed=as_typed,
        closed=case.closed and case.regime is Regime.SHARED,
        blocked=case.blocked,
        record=record,
        unit=unit,
        request=request,
        now=now,
    )


def _finds(actor: Actor, policy: Policy) -> bool:
    if unsupervised(actor):
        return False
    if actor.kind is ActorKind.STAFF:
        return policy.function(actor.function).finds
    listed = (actor.profession, "10") in policy.matrix
    return actor.kind is ActorKind.PROFESSIONAL and (policy.function(actor.function).finds or listed)
