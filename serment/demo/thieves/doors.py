"""What somebody with a session can try: every door of the house on one record, with any purpose.

Order: who tries, what they take away, the doors. A refusal is what the thief expects; anything else
that goes wrong is not swallowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from serment.errors import RefusedError, RequestError, TooManyError
from serment.fhir.query import parse
from serment.model import Actor, ActorId, ActorKind, Function, PatientId, Purpose, RequestId
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.writing import new_id


def _actor(name: str, kind: ActorKind, function: Function) -> Actor:
    return Actor(ActorId(f"staff:{name}"), kind, name, function=function, structure="cabinet-des-tilleuls")


OUTSIDERS: tuple[Actor, ...] = (
    _actor("operator", ActorKind.OPERATOR, Function.OPERATOR),
    _actor("security-officer", ActorKind.OFFICER, Function.SECURITY_OFFICER),
    _actor("data-protection-officer", ActorKind.OFFICER, Function.DPO),
    _actor("auditor", ActorKind.OFFICER, Function.AUDITOR),
    _actor("researcher", ActorKind.RESEARCHER, Function.RESEARCHER),
    _actor("insurer", ActorKind.THIRD_PARTY, Function.INSURER),
    _actor("lender", ActorKind.THIRD_PARTY, Function.LENDER),
    _actor("employer", ActorKind.THIRD_PARTY, Function.EMPLOYER),
    _actor("service", ActorKind.SERVICE, Function.NONE),
)
"""People who keep the machine, the rules or the money, and care for nobody."""

TYPES = ("Observation", "Condition", "DocumentReference", "MedicationRequest", "Encounter", "Consent")


@dataclass(slots=True)
class Take:
    """What a thief carried away: how often they tried, and how many items they got."""

    tried: int = 0
    items: int = 0


def asking(house: House, actor: Actor, purpose: Purpose) -> Asking:
    """Ask as somebody, now. Each purpose comes with a person of its own: being slowed down is no refusal."""
    person = replace(actor, id=ActorId(f"{actor.id}-{purpose.value.lower()}"))
    return Asking(person, purpose, RequestId(new_id()), house.passage.clock())


async def every_door(
    house: House,
    who: Asking,
    patient: PatientId,
    items: Sequence[str],
    traits: Sequence[tuple[str, str]] = (),
) -> Take:
    """Try every way in on one record: its items by id, its lists, its trace, its owner's name.

    Raises `TooManyError` when the thief is only slowed down: that would prove nothing.
    """
    take = Take()
    for door in _doors(house, who, patient, items, traits):
        take.tried += 1
        try:
            take.items += await door()
        except TooManyError:
            raise
        except (RefusedError, RequestError):
            continue
    return take


def _doors(
    house: House,
    who: Asking,
    patient: PatientId,
    items: Sequence[str],
    traits: Sequence[tuple[str, str]],
) -> Iterator[Callable[[], Awaitable[int]]]:
    for item in (f"Patient/{patient}", *items):
        type_, _, id_ = item.partition("/")
        yield partial(_read, house, who, type_, id_)
        yield partial(_vread, house, who, type_, id_)
        yield partial(_history, house, who, type_, id_)
    for type_ in TYPES:
        yield partial(_found, house, who, type_, (("patient", f"Patient/{patient}"),))
    yield partial(_found, house, who, "Patient", tuple(traits))
    yield partial(_found, house, who, "Patient", (("_id", str(patient)),))
    yield partial(_shown, house, who, patient)
    yield partial(_trail, house, who, patient)


async def _read(house: House, who: Asking, type_: str, id_: str) -> int:
    await house.reading.read(who, type_, id_)
    return 1


async def _vread(house: House, who: Asking, type_: str, id_: str) -> int:
    await house.reading.vread(who, type_, id_, 1)
    return 1


async def _history(house: House, who: Asking, type_: str, id_: str) -> int:
    return len((await house.reading.history(who, type_, id_)).served)


async def _trail(house: House, who: Asking, patient: PatientId) -> int:
    return len(await house.proving.trail(who, patient))


async def _found(house: House, who: Asking, type_: str, pairs: Sequence[tuple[str, str]]) -> int:
    page = await house.finding.search(who, parse(type_, list(pairs)))
    return max(len(page.served), page.total)


async def _shown(house: House, who: Asking, patient: PatientId) -> int:
    view = await house.showing.first_view(who, patient)
    return sum(view.totals.values())
