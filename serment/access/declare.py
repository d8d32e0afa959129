"""One gesture: a dated act of care that somebody declares for themselves (HOUSE section 2, ADR 0006).

A declared act opens a record of `own` for 24 hours to somebody who acts in the structure that holds
it. Who stands on its on-call list says so by the same gesture, and stands in the team until the shift ends.
Whoever calls writes the fact, traces it, tells the patient and counts it; nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable

from serment.access.case import unsupervised
from serment.access.policy import Policy
from serment.access.record_facts import DECLARED, ON_CALL, RecordFacts, TeamFact
from serment.access.relations import DECLARED_REASONS
from serment.errors import RefusedError
from serment.model import Actor, ActorKind, Instant, Purpose, Regime, RequestId


def declared_act(
    actor: Actor,
    facts: RecordFacts,
    reason: str,
    now: Instant,
    request: RequestId,
    policy: Policy,
    shifts: Iterable[TeamFact] = (),
) -> TeamFact:
    """Make the fact of a declared act of care; with the reason `on-call`, that of a shift of `shifts`.

    `RefusedError` outside the structure, for a function that declares none, a trainee without a
    supervisor, a reason that is not of the list, or a record that is not of `own`; and for who says to be
    on call and stands on no list of the structure now.
    """
    at_home = facts.regime == Regime.OWN and actor.structure == facts.structure != ""
    working = actor.kind in {ActorKind.PROFESSIONAL, ActorKind.STAFF}
    entitled = working and not unsupervised(actor) and policy.function(actor.function).declares
    shift = _shift(actor, shifts, now, policy) if reason == ON_CALL else None
    if not (at_home and entitled and (shift is not None or reason in DECLARED_REASONS)):
        raise RefusedError("access.declare-refused")
    kind, end = (DECLARED, None) if shift is None else (ON_CALL, policy.until(shift))
    return TeamFact(actor.id, kind, now, end, facts.structure, source=f"declared:{request}", reason=reason)


def _shift(actor: Actor, shifts: Iterable[TeamFact], now: Instant, policy: Policy) -> TeamFact | None:
    """Give the shift that the actor stands for, now, in their own structure; an import lists nobody."""
    for shift in shifts:
        mine = (shift.actor, shift.kind, shift.structure) == (actor.id, ON_CALL, actor.structure)
        if mine and not shift.imported and policy.opens(shift, Regime.OWN, now):
            return shift
    return None


def may_review(actor: Actor, purpose: Purpose, policy: Policy) -> bool:
    """Say whether somebody may read how many acts each professional declared: an officer, as an officer."""
    return actor.kind is ActorKind.OFFICER and actor.kind in policy.purpose(purpose).kinds
