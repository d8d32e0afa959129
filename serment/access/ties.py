"""What ties somebody to a record: each relation in force, since when, until when, by whose word (pure).

Told to the holder, and of themselves to whoever may read. What a tie opens is for `decide` alone: a tie is
shown beside its answer and never stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from serment.access.case import acting_as
from serment.access.policy import Policy
from serment.access.record_facts import CONSENT, HEIR, REPRESENTATIVE, RecordFacts, grant_in_force
from serment.model import Actor, Function, Instant, Regime

HOLDER: Final = "holder"
ATTENDING: Final = "attending"
REPLACING: Final = "attending-replaced"
INSURER: Final = "attending-by-insurer"
TEAM_CONSENT: Final = "team-consent"


class Tie(NamedTuple):
    """One relation: its kind, when it began and ends (ms; None: no end said), who said so ("": the record).

    `through` names whom the actor stands with when the tie is theirs: a supervisor, the doctor replaced.
    """

    kind: str
    start: int = 0
    until: int | None = None
    by: str = ""
    through: str = ""


def ties_of(actor: Actor, facts: RecordFacts, policy: Policy, now: Instant) -> list[Tie]:
    """Give what ties an actor to a record at `now`, in the order of the grounds; nothing for a stranger."""
    if facts.regime not in set(Regime):
        return []
    return [
        *([Tie(HOLDER)] if actor.id in facts.holders else []),
        *_mandated(actor, facts, now),
        *_attending(actor, facts, now),
        *_team(actor, facts, policy, now),
        *_consented(actor, facts, now),
    ]


def _mandated(actor: Actor, facts: RecordFacts, now: Instant) -> Iterator[Tie]:
    for one in facts.mandates:
        known = one.kind in {REPRESENTATIVE, HEIR}
        if known and one.actor == actor.id and grant_in_force(one.start, one.end, now):
            yield Tie(one.kind, one.start, one.end)


def _attending(actor: Actor, facts: RecordFacts, now: Instant) -> Iterator[Tie]:
    replaced = actor.replaces if actor.function is Function.LOCUM else None
    for one in facts.attending:
        if not grant_in_force(one.start, one.end, now):
            continue
        if one.actor == actor.id:
            yield Tie(INSURER if one.insurer else ATTENDING, one.start, one.end, one.confirmed_by)
        elif one.actor == replaced and facts.regime == Regime.OWN:
            yield Tie(REPLACING, one.start, one.end, through=one.actor)


def _team(actor: Actor, facts: RecordFacts, policy: Policy, now: Instant) -> Iterator[Tie]:
    regime, names = Regime(facts.regime), acting_as(actor)
    for fact in facts.team:
        counts = regime is Regime.OWN or not fact.imported
        if fact.actor in names and counts and policy.opens(fact, regime, now):
            through = "" if fact.actor == actor.id else fact.actor
            yield Tie(fact.kind, fact.start, policy.until(fact), through=through)


def _consented(actor: Actor, facts: RecordFacts, now: Instant) -> Iterator[Tie]:
    for one in facts.choices:
        if one.kind == CONSENT and grant_in_force(one.start, one.end, now):
            if one.actor == actor.id != one.recorded_by:
                yield Tie(CONSENT, one.start, one.end, one.recorded_by)
            elif not one.actor and facts.regime == Regime.SHARED:
                yield Tie(TEAM_CONSENT, one.start, one.end, one.recorded_by)
