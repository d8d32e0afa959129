"""Who a demonstration command acts as: a role of the cast, or the name of an actor.

Only demonstration stores ever get here: on production a person signs in with their own credentials.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from serment.errors import RequestError
from serment.model import Actor, ActorId, ActorKind, EmergencyReason, PatientId, Purpose, RequestId

if TYPE_CHECKING:
    from serment.record.asking import Asking
    from serment.record.house import House

SELF_NAMED = {"patient": ActorKind.PATIENT, "proxy": ActorKind.PROXY}


def actor(name: str) -> Actor:
    """Find an actor by role (`team-doctor`), by id (`rpps:…`, `staff:…`), or `patient:<id>`, `proxy:<id>`.

    Raises `RequestError` for anybody else.
    """
    kind, _, rest = name.partition(":")
    if rest and kind in SELF_NAMED:
        patient = PatientId(rest) if kind == "patient" else None
        return Actor(ActorId(name), SELF_NAMED[kind], patient=patient)
    found = _staff().get(name)
    if found is None:
        raise RequestError("cli.unknown-actor", roles=", ".join(roles()))
    return found


def roles() -> list[str]:
    """List the roles of the cast."""
    return [name for name in _staff() if ":" not in name]


def purpose(actor: Actor, said: str | None) -> Purpose:
    """Give the purpose that was named, else the actor's usual one. Raises `RequestError`."""
    from serment.demo.store import CARE_PURPOSES

    if said is None:
        return CARE_PURPOSES[actor.kind]
    try:
        return Purpose(said)
    except ValueError:
        raise RequestError("cli.unknown-purpose", purposes=", ".join(Purpose)) from None


def asking(house: House, name: str, purpose_: str | None = None, reason: str | None = None) -> Asking:
    """Ask as somebody of the demonstration. Raises `RequestError`."""
    from serment.record.asking import Asking
    from serment.record.writing import new_id

    who = actor(name)
    try:
        reasons = frozenset({EmergencyReason(reason)} if reason else ())
    except ValueError:
        raise RequestError("cli.unknown-reason", reasons=", ".join(EmergencyReason)) from None
    return Asking(who, purpose(who, purpose_), RequestId(new_id()), house.passage.clock(), reasons)


def _staff() -> dict[str, Actor]:
    """Name the professionals of the demonstration by role and by id."""
    from serment.demo.people import STAFF, Person
    from serment.demo.population import population

    cast = population(10, today=datetime.now(UTC).date(), pdf=False).cast
    named = {role: person.actor() for role, person in cast.items() if isinstance(person, Person)}
    return {**named, **{str(person.id): person.actor() for person in STAFF}}
