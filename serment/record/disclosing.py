"""Who could read a record, and why: told to its holder, person by person and category by category.

In this order: the answer, the passage, who is asked about. Asked about is everybody whom the record names
(holder, representatives, care team, attending physician, the patient's own choices, authors) and everybody
whom its trace names. The decision is asked for each as for a read of theirs now; nothing is opened. Who
has never come is judged as a doctor of the structure, the most that they could be. A professional who may
read is told of themselves alone: which regime rules, what ties them to the record, what they read by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from serment.access.explain import Explanation, who_can
from serment.access.record_facts import EMERGENCY_OPPOSED, RecordFacts
from serment.access.ties import Tie, ties_of
from serment.errors import NotFoundError
from serment.ledger.entry import Body, Interaction
from serment.model import (
    Act,
    Actor,
    ActorId,
    ActorKind,
    Category,
    Function,
    ItemClass,
    PatientId,
    Permit,
    Purpose,
    RecordToken,
)
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.pages.showing import main_rule
from serment.record.passage import Passage
from serment.record.proving import Proving
from serment.record.reading import settled, warm
from serment.record.searching import PERSON

KINDS = {
    "rpps": (ActorKind.PROFESSIONAL, Purpose.TREAT),
    "staff": (ActorKind.STAFF, Purpose.PATIENT_ADMINISTRATION),
    "patient": (ActorKind.PATIENT, Purpose.PATIENT_REQUEST),
    "proxy": (ActorKind.PROXY, Purpose.FAMILY_REQUEST),
}
"""What an actor's name begins with → what they are, and the purpose for which they read."""

CARING = frozenset({ActorKind.PROFESSIONAL, ActorKind.STAFF})
"""Who is told of themselves."""

DOCTOR = "10"
MOST_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class Person:
    """One person: what they may read by category → rule, what not → the holder's sentence for the reason.

    `known` says that they have acted on this record before, so that their function is certain; `ties` are
    the relations on which they stand.
    """

    actor: Actor = field(repr=False)
    known: bool
    reads: dict[Category, str]
    refused: dict[Category, str]
    ties: list[Tie] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Everybody who could read, then those who could not; whether the emergency door was closed.

    `regime` rules the record; None for the door says that it is not the asker's to know.
    """

    people: list[Person] = field(repr=False)
    regime: str
    emergency_opposed: bool | None


class Disclosing:
    """The passage for `$explain-access`."""

    def __init__(self, passage: Passage, proving: Proving) -> None:
        self._passage = passage
        self._proving = proving

    async def everybody(self, asking: Asking, patient: PatientId, item: str = "") -> Disclosed:
        """Say who could read the record, or one item of it (`Type/id`): to the holder only.

        A professional or a secretary who may read is told of themselves. Raises `NotFoundError` for anybody
        else, and for an item that the holder does not see.
        """
        if asking.actor.kind in CARING and not item:
            return await self._of_asker(asking, patient)
        trail = await self._proving.trail(asking, patient)
        passage = self._passage
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, f"Patient/{patient}")
            view = passage.view(snapshot, asking, located.record)
            classes: Sequence[ItemClass] = view.head.classes()
            if item:
                at, _ = passage.resolve(snapshot, item)
                classes = [gate.unit_at(view, at.pack)] if at.record == view.record else []
        seen = [unit for unit in classes if isinstance(view.decide(unit, Act.READ), Permit)]
        if asking.actor.id not in view.facts.holders or not seen:
            raise NotFoundError("record.not-found")
        asked = people_of(view.facts, seen, trail)[:MOST_PEOPLE]
        people = [self._person(asking, actor, view.facts, seen, known=known) for actor, known in asked]
        people.sort(key=lambda one: (not one.reads, one.actor.id))
        opposed = any(choice.kind == EMERGENCY_OPPOSED for choice in view.facts.choices)
        return Disclosed(people, view.facts.regime, opposed)

    async def _of_asker(self, asking: Asking, patient: PatientId) -> Disclosed:
        """Say of who asks what they read, and why. The patient's own choices are not told."""
        passage = self._passage
        await warm(passage, asking, [f"Patient/{patient}"])
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, f"Patient/{patient}")
            view = passage.view(snapshot, asking, located.record)
            verdicts = [(unit, view.decide(unit, Act.READ)) for unit in view.head.classes()]
            reads = {unit.category: one.rule for unit, one in verdicts if isinstance(one, Permit)}
            if reads:
                rule = main_rule(list(reads.values()))
                entries = trace.of_access(passage, view, Interaction.LIST, [], rule)
            else:
                denial = gate.denied(view.decide(PERSON, Act.READ))
                entries = trace.of_refusal(passage, view, Interaction.LIST, denial)
        await settled(passage, entries)
        if not reads:
            raise NotFoundError("record.not-found")
        ties = [tie._replace(by="") for tie in self._ties(asking, asking.actor, view.facts)]
        mine = Person(asking.actor, True, reads, {}, ties)
        return Disclosed([mine], view.facts.regime, None)

    def _ties(self, asking: Asking, actor: Actor, facts: RecordFacts) -> list[Tie]:
        return ties_of(actor, facts, self._passage.policy, asking.now)

    def _person(
        self, asking: Asking, actor: Actor, facts: RecordFacts, units: Sequence[ItemClass], *, known: bool
    ) -> Person:
        purpose = KINDS[actor.id.partition(":")[0]][1]
        reads: dict[Category, str] = {}
        refused: dict[Category, str] = {}
        for unit in units:
            told = self._told(asking, actor, purpose, facts, unit)
            if told.permitted:
                reads.setdefault(unit.category, told.rule)
            else:
                refused.setdefault(unit.category, told.holder)
        return Person(actor, known, reads, refused, self._ties(asking, actor, facts))

    def _told(
        self, asking: Asking, actor: Actor, purpose: Purpose, facts: RecordFacts, unit: ItemClass
    ) -> Explanation:
        record = RecordToken(b"")
        [(_, told)] = who_can([actor], purpose, record, facts, unit, asking.now, self._passage.policy)
        return told


# Who is asked about.


def people_of(
    facts: RecordFacts, units: Iterable[ItemClass], trail: Sequence[Body]
) -> list[tuple[Actor, bool]]:
    """Name everybody whom the record or its trace names, each once; and whether they acted here before."""
    acted = {body.event.actor: _actor_of(body) for body in reversed(trail)}
    named = [
        *facts.holders,
        *(mandate.actor for mandate in facts.mandates),
        *(attending.actor for attending in facts.attending),
        *(fact.actor for fact in facts.team),
        *(choice.actor for choice in facts.choices),
        *(unit.author for unit in units),
        *acted,
    ]
    ids = [one for one in dict.fromkeys(named) if one.partition(":")[0] in KINDS]
    return [(acted.get(one) or _unknown(one, facts.structure), one in acted) for one in ids]


def _actor_of(body: Body) -> Actor:
    """Give the actor of an entry, as they were when they last acted."""
    event = body.event
    kind = KINDS.get(event.actor.partition(":")[0], (ActorKind.SERVICE, None))[0]
    patient = PatientId(event.actor.partition(":")[2]) if kind is ActorKind.PATIENT else None
    actor = Actor(ActorId(event.actor), kind, event.actor_name, event.profession, structure=event.structure)
    function = Function(event.function) if event.function in set(Function) else Function.NONE
    supervisor, replaced = _named(event.supervisor), _named(event.replaces)
    return replace(actor, function=function, patient=patient, supervisor=supervisor, replaces=replaced)


def _named(said: str) -> ActorId | None:
    return ActorId(said) if said else None


def _unknown(id_: str, structure: str) -> Actor:
    """Judge who never came as the most that they could be: a doctor or a secretary of the structure."""
    prefix, _, rest = id_.partition(":")
    kind = KINDS[prefix][0]
    if kind is ActorKind.PROFESSIONAL:
        return Actor(ActorId(id_), kind, "", DOCTOR, Function.ASSOCIATE, structure)
    if kind is ActorKind.STAFF:
        return Actor(ActorId(id_), kind, "", "", Function.SECRETARY, structure)
    return Actor(ActorId(id_), kind, patient=PatientId(rest) if kind is ActorKind.PATIENT else None)
