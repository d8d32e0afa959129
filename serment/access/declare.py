"""One gesture: a dated act of care that somebody declares for themselves (HOUSE section 2, ADR 0006).

A declared act opens a record of `own` for 24 hours to somebody who acts in the structure that holds
it. Whoever calls writes the fact, traces it, tells the patient and counts it; nothing is kept here.
"""

from __future__ import annotations

from serment.access.case import unsupervised
from serment.access.policy import Policy
from serment.access.record_facts import DECLARED, RecordFacts, TeamFact
from serment.access.relations import DECLARED_REASONS
from serment.errors import RefusedError
from serment.model import Actor, ActorKind, Instant, Regime, RequestId


def declared_act(
    actor: Actor, facts: RecordFacts, reason: str, now: Instant, request: RequestId, policy: Policy
) -> TeamFact:
    """Make the fact of a declared act of care.

    `RefusedError` outside the structure, for a function that declares none, a trainee without a
    supervisor, a reason that is not of the list, or a record that is not of `own`.
    """
    at_home = facts.regime == Regime.OWN and actor.structure == facts.structure != ""
    working = actor.kind in {ActorKind.PROFESSIONAL, ActorKind.STAFF}
    entitled = working and not unsupervised(actor) and policy.function(actor.function).declares
    if not (at_home and entitled and reason in DECLARED_REASONS):
        raise RefusedError("access.declare-refused")
    return TeamFact(
        actor.id, DECLARED, now, structure=facts.structure, source=f"declared:{request}", reason=reason
    )
