"""An actor as sealed rows spell them: who is signed in, who asked to be told. One spelling, both ways."""

from __future__ import annotations

from typing import Protocol

from serment.model import Actor, ActorId, ActorKind, Function, PatientId

Spelled = tuple[str, str, str, str, str, str, str | None, bool, str | None]
"""The members of `Signed`, in their order, without the newest: a row that has it writes it apart."""


class Signed(Protocol):
    """A row that holds an actor. Nothing of a request is in it: neither purpose nor reason."""

    @property
    def actor(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def profession(self) -> str: ...
    @property
    def function(self) -> str: ...
    @property
    def structure(self) -> str: ...
    @property
    def patient(self) -> str | None: ...
    @property
    def regulation(self) -> bool: ...
    @property
    def supervisor(self) -> str | None: ...
    @property
    def replaces(self) -> str | None: ...


def spelled(actor: Actor) -> Spelled:
    """Write an actor down."""
    return (
        actor.id,
        actor.kind.value,
        actor.name,
        actor.profession,
        actor.function.value,
        actor.structure,
        actor.patient,
        actor.regulation,
        actor.supervisor,
    )


def actor_of(row: Signed) -> Actor:
    """Read an actor back."""
    return Actor(
        ActorId(row.actor),
        ActorKind(row.kind),
        row.name,
        row.profession,
        Function(row.function),
        row.structure,
        None if row.patient is None else PatientId(row.patient),
        row.regulation,
        None if row.supervisor is None else ActorId(row.supervisor),
        None if row.replaces is None else ActorId(row.replaces),
    )
