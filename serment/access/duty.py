"""The facts of a declaration that the law demands: what `decide_duty` is asked.

Who declares owes this declaration by their function, and attends the person: a dated act of care, or an
emergency door that is open. The patient's choices are not asked: no opposition, block or mask stops a legal
duty, and nothing but who the person is comes from the record. Nothing here decides.
"""

from __future__ import annotations

from serment.access.case import unsupervised
from serment.access.decide import IDENTITY_UNIT, Owing
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
    Reason,
    RecordToken,
    RequestId,
)


def owing_for(
    actor: Actor,
    purpose: Purpose,
    reasons: frozenset[Reason],
    record: RecordToken,
    facts: RecordFacts,
    now: Instant,
    request: RequestId,
    policy: Policy,
    *,
    owed: bool,
    unit: ItemClass = IDENTITY_UNIT,
) -> Owing:
    """Answer the questions of one declaration. `owed` says that the actor's function owes this form."""
    case = facts_for(actor, purpose, reasons, record, facts, IDENTITY_UNIT, Act.READ, now, request, policy)
    return Owing(
        regime=case.regime,
        third_party_purpose=case.third_party_purpose,
        declarant=owed and actor.kind is ActorKind.PROFESSIONAL and not unsupervised(actor),
        attends=case.team or case.attending or case.emergency or case.regulation,
        record=record,
        unit=unit,
        request=request,
        now=now,
    )
