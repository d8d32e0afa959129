"""One request as the rooms ask it, and what an actor can be to a record (shared by the three readers).

`relations` reads who the actor is, `choices` what the patient said, `cells` which cell judges. Nothing
here decides.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from serment.access.policy import Policy
from serment.access.record_facts import RecordFacts
from serment.model import (
    Act,
    Actor,
    ActorKind,
    Function,
    Instant,
    ItemClass,
    Purpose,
    Reason,
    Regime,
)


class Case(NamedTuple):
    """One request, as `facts_for` received it."""

    actor: Actor
    purpose: Purpose
    reasons: frozenset[Reason]
    facts: RecordFacts
    unit: ItemClass
    act: Act
    now: Instant
    policy: Policy
    regime: Regime | None
    existing: bool | None
    writing: bool

    @property
    def creating(self) -> bool:
        """Tell whether the item may be new: then nobody stands on having written it."""
        return self.writing and self.existing is not True

    @property
    def mine(self) -> bool:
        """Tell whether the actor is the stored author of the item."""
        return bool(self.unit.author) and self.unit.author == self.actor.id

    @property
    def at_home(self) -> bool:
        """Tell whether the actor acts in the structure that holds the file.

        The installation's own records are of no structure: only its services are at home there.
        """
        if not self.facts.structure and self.actor.kind is not ActorKind.SERVICE:
            return False
        return self.actor.structure == self.facts.structure

    @property
    def names(self) -> tuple[str, ...]:
        """Name the actor and whom they stand with: a supervisor, the doctor replaced."""
        return acting_as(self.actor)


class Relations(NamedTuple):
    """What an actor is to a record or an item."""

    holder: bool = False
    representative: bool = False
    carer: bool = False
    heir: bool = False
    author: bool = False
    attending: bool = False
    emergency: bool = False
    regulation: bool = False
    team: bool = False
    consent: bool = False
    depositing: bool = False


NOBODY: Final = Relations()


def acting_as(actor: Actor) -> tuple[str, ...]:
    """Name whose acts of care open a record to this actor (ADR 6, 40).

    A trainee stands with the supervisor, a locum with the doctor whom they replace, anybody else alone.
    """
    beside = None
    if actor.function is Function.TRAINEE:
        beside = actor.supervisor
    elif actor.function is Function.LOCUM:
        beside = actor.replaces
    return (actor.id, beside) if beside else (actor.id,)


def unsupervised(actor: Actor) -> bool:
    """Tell whether a trainee acts alone: with no supervisor, or as their own."""
    return actor.function is Function.TRAINEE and actor.supervisor in {None, "", actor.id}
