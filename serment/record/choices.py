"""What a write changes in the facts of a record, in the same transaction as the write.

Who may say it: a Consent by the holder, a representative, or a professional who records the
holder's words; a CareTeam by a secretary or officer of the structure, never naming the writer (a
RelatedPerson: `mandates`); an act of care by whoever may write it; a carer by the holder alone (ADR 42).
What it gives depends on what the writer stands on (`access/naming`, ADR 26). An import makes team facts of
`own` and nothing else.

Order: applying, withdrawing, masks, professionals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import msgspec

from serment.access import naming
from serment.access.case import acting_as
from serment.access.from_consent import MOST_CHOICES, choices
from serment.access.from_resources import team_facts
from serment.access.naming import NAMERS
from serment.access.patient_side import died
from serment.access.record_facts import (
    ASSISTANCE,
    CONSENT,
    REGISTRATION,
    Choice,
    RecordFacts,
    TeamFact,
)
from serment.errors import NotFoundError, RequestError, TooLargeError
from serment.fhir.match import decoder
from serment.identity import rpps
from serment.ledger.entry import Interaction
from serment.model import (
    Act,
    ActorKind,
    Category,
    Denial,
    Instant,
    ItemClass,
    Label,
    PatientId,
    Permit,
    Regime,
)
from serment.record import filing, gate
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import Item
from serment.record.incoming import Incoming
from serment.record.index import Entry
from serment.record.passage import DIRECTORY
from serment.record.pen import DeniedError, Pen

IDENTIFIERS = decoder(("identifier",))
ACTS_OF_CARE = frozenset({"Encounter", "Appointment", "ServiceRequest", "CareTeam", "Patient", "Schedule"})
EMERGENCY_DOORS = frozenset({"G5.emergency", "G5.regulation"})
CHOICES = ItemClass(Category.CHOICES, "Consent")
"""The class of every word of the patient."""

REGISTERED_FOR = 24 * 3600 * 1000
"""A registration lets the person who registers finish within a day, in milliseconds."""


def registered(facts: RecordFacts, asking: Asking, patient: PatientId) -> RecordFacts:
    """Add the dated act of registering a person, which lets the registrar complete the record."""
    actor = asking.actor
    fact = TeamFact(
        actor.id,
        REGISTRATION,
        asking.now,
        asking.now + REGISTERED_FOR,
        actor.structure,
        source=f"Patient/{patient}",
    )
    return facts.with_team(fact)


def apply(pen: Pen, draft: Draft, incoming: Incoming, id_: str, *, imported: bool = False) -> None:
    """Take from a written resource what it changes in the facts."""
    source = f"{incoming.type}/{id_}"
    pen.known.pop(source, None)
    if incoming.type in ACTS_OF_CARE:
        _acts_of_care(pen, draft, incoming, source, imported=imported)
    if imported:
        return
    if incoming.type == "Consent":
        _choices(pen, draft, incoming, id_)


def withdraw(pen: Pen, draft: Draft, type_: str, id_: str) -> None:
    """Take back what a deleted resource said."""
    source = f"{type_}/{id_}"
    if type_ in ACTS_OF_CARE:
        after = facts_of(draft).without_team_source(source)
        if after != facts_of(draft):
            _may_take_away(pen, draft, after, draft.unit((type_, id_, "")))
        change(draft, after)
    elif type_ == "Consent":
        _replace_choices(pen, draft, source, [])


def facts_of(draft: Draft) -> RecordFacts:
    """Give the facts as this transaction has left them."""
    return draft.facts or draft.view.facts


def change(draft: Draft, facts: RecordFacts) -> None:
    """Put new facts, when they say something else."""
    if facts != facts_of(draft):
        draft.facts = facts


def _acts_of_care(pen: Pen, draft: Draft, incoming: Incoming, source: str, *, imported: bool) -> None:
    actor = pen.asking.actor
    facts = facts_of(draft)
    if imported and facts.regime != Regime.OWN.value:
        return
    named = team_facts(
        incoming.document.value,
        source,
        actor.structure,
        pen.asking.now,
        lambda ref: practitioner(pen, ref),
        imported=imported,
    )
    if imported:
        # Years of past visits open nothing any more, and facts are read at every request.
        made = [fact for fact in named if not pen.passage.policy.over(fact, pen.asking.now)]
    else:
        made = _given(pen, draft, incoming, source, named)
    after = _without_acts_of(facts, source)
    for fact in made:
        after = after.with_team(fact)
    if not imported:
        _may_take_away(pen, draft, after, incoming.unit(actor.id, pen.asking.now))
    change(draft, _still_open(pen, after))


def _given(pen: Pen, draft: Draft, incoming: Incoming, source: str, named: list[TeamFact]) -> list[TeamFact]:
    """Give the acts of care that this writing makes. Raises `DeniedError` for a team not one's to name."""
    actor, now = pen.asking.actor, pen.asking.now
    if incoming.type == "Schedule":
        return _shifts(draft, incoming, named)
    made = naming.given(actor, facts_of(draft), source, named, pen.passage.policy, now)
    if incoming.type == "CareTeam":
        unit = incoming.unit(actor.id, now)
        if actor.function not in NAMERS or any(fact.actor in acting_as(actor) for fact in named):
            raise refused(draft, "C1.namer", Interaction.TEAM, "record.names-writer", unit)
        if len(made) < len(named):
            raise refused(draft, "C4.passing", Interaction.TEAM, "record.names-in-passing", unit)
    return made


def _shifts(draft: Draft, incoming: Incoming, named: list[TeamFact]) -> list[TeamFact]:
    """Give the shifts of an on-call list. Raises `DeniedError` for who names themselves."""
    actor = draft.view.asking.actor
    if any(fact.actor in acting_as(actor) for fact in named):
        unit = incoming.unit(actor.id, draft.view.asking.now)
        raise refused(draft, "C1.namer", Interaction.TEAM, "record.names-writer", unit)
    return named


def on_call(pen: Pen) -> tuple[TeamFact, ...]:
    """Give the shifts of every on-call list: they stand in the directory's own facts (ADR 40)."""
    located, _ = pen.passage.resolve(pen.txn, DIRECTORY)
    return pen.passage.view(pen.txn, pen.asking, located.record).facts.team


def _may_take_away(pen: Pen, draft: Draft, after: RecordFacts, unit: ItemClass) -> None:
    """Refuse that somebody who is only passing, or who names no team, closes the record to a member of it."""
    actor, policy, now, facts = pen.asking.actor, pen.passage.policy, pen.asking.now, facts_of(draft)
    on_call_list = unit.document_type == "Schedule" and after.team != facts.team
    if not on_call_list and not naming.takes_away(actor, facts, after.team, policy, now):
        return
    if unit.document_type in {"CareTeam", "Schedule"} and actor.function not in NAMERS:
        raise refused(draft, "C1.namer", Interaction.TEAM, "record.names-writer", unit)
    if not on_call_list and not naming.stands(actor, facts, policy, now):
        raise refused(draft, "C5.withdraw", Interaction.TEAM, "record.takes-in-passing", unit)


def _still_open(pen: Pen, facts: RecordFacts) -> RecordFacts:
    """Forget the acts of care that can never open the record again: facts are read at every request."""
    policy, now = pen.passage.policy, pen.asking.now
    kept = tuple(fact for fact in facts.team if not policy.over(fact, now))
    return facts if len(kept) == len(facts.team) else msgspec.structs.replace(facts, team=kept)


def _without_acts_of(facts: RecordFacts, source: str) -> RecordFacts:
    """Forget what this source said before; a registration stays until it ends."""
    kept = tuple(fact for fact in facts.team if fact.source != source or fact.kind == REGISTRATION)
    return msgspec.structs.replace(facts, team=kept)


def refused(
    draft: Draft, rule: str, interaction: Interaction, sentence: str, unit: ItemClass | None = None
) -> DeniedError:
    """Refuse what a written resource would change in the facts: nothing is written, the refusal is traced."""
    denial = Denial(rule, "speaker")
    return DeniedError(draft.view, denial, interaction, visible=True, sentence=sentence, unit=unit)


def _choices(pen: Pen, draft: Draft, incoming: Incoming, id_: str) -> None:
    actor = pen.asking.actor
    if actor.kind not in {ActorKind.PATIENT, ActorKind.PROXY, ActorKind.PROFESSIONAL}:
        raise refused(draft, "C2.speaker", Interaction.CONSENT, "record.choice-not-yours")
    said, resolve = incoming.document.value, partial(practitioner, pen)
    made = choices(said, id_, pen.asking.now, actor.id, resolve, incoming.base)
    _may_grant(draft, made)
    _may_name_carers(pen, draft, made)
    if len(made) > MOST_CHOICES:
        raise TooLargeError("record.too-many-choices", most=MOST_CHOICES)
    for item in {choice.item for choice in made if choice.item}:
        must_hold(draft, item)
    _replace_choices(pen, draft, f"Consent/{id_}", made)


def _may_grant(draft: Draft, made: list[Choice]) -> None:
    """Refuse a consent that is recorded by an emergency door: the person was not able to give one."""
    if any(choice.kind == CONSENT for choice in made):
        verdict = draft.view.decide(CHOICES, Act.WRITE, existing=False)
        if isinstance(verdict, Permit) and verdict.rule in EMERGENCY_DOORS:
            raise refused(draft, "C2.speaker", Interaction.CONSENT, "record.choice-not-yours")


def _may_name_carers(pen: Pen, draft: Draft, made: list[Choice]) -> None:
    """Refuse a consent to a proxy that the holder does not give, or that says no scope and no end.

    Who assists a protected adult is consented to without either: the measure bounds it. Raises
    `DeniedError`, `RequestError` for a consent without category or end, `NotFoundError` for nobody known.
    """
    named = [one for one in made if one.kind == CONSENT and one.actor.startswith("proxy:")]
    if not named:
        return
    only_holder(pen, draft)
    facts, asking = facts_of(draft), pen.asking
    for one in named:
        related = one.actor.removeprefix("proxy:")
        if filing.class_of(draft, f"RelatedPerson/{related}") is None:
            raise NotFoundError("record.not-found")
        if not _bounded(one, asking.now) and not _assists(facts, related):
            raise RequestError("record.carer-scope")


def only_holder(pen: Pen, draft: Draft) -> None:
    """Refuse that anybody but the living holder names a carer or takes one away. Raises `DeniedError`."""
    facts, asking = facts_of(draft), pen.asking
    if asking.actor.id not in facts.holders or died(facts, asking.now):
        raise refused(draft, "C7.carer", Interaction.CONSENT, "record.carer-not-yours")


def _bounded(choice: Choice, now: Instant) -> bool:
    return bool(choice.category) and choice.end is not None and choice.end > max(now, choice.start)


def _assists(facts: RecordFacts, related: str) -> bool:
    held = naming.mandate_of(facts, related)
    return held is not None and held.basis == ASSISTANCE


def _replace_choices(pen: Pen, draft: Draft, source: str, made: list[Choice]) -> None:
    facts = facts_of(draft)
    before = [choice for choice in facts.choices if choice.id.partition("#")[0] == source]
    for choice in before:
        facts = facts.without_choice(choice.id)
    for choice in made:
        facts = facts.with_choice(choice)
    change(draft, facts)
    for item in sorted({choice.item for choice in (*before, *made) if choice.item}):
        filing.mask(pen, draft, item, masked=facts.item_masked(item, pen.asking.now))


def as_secret_as_what_it_names(draft: Draft, incoming: Incoming) -> Incoming:
    """Put a choice about a minor's secret under that secret's label: the Consent names what it hides.

    An item that the writer may not see gives no label, as one that does not exist.
    """
    if incoming.type != "Consent":
        return incoming
    made = choices(incoming.document.value, "", draft.view.asking.now, "", lambda _: "", incoming.base)
    units = [filing.class_of(draft, choice.item) for choice in made if choice.item]
    secret = any(
        unit is not None
        and Label.MINOR_SECRET in unit.labels
        and not isinstance(draft.view.decide(unit, Act.READ), Denial)
        for unit in units
    )
    if not secret:
        return incoming
    grade, *rest = incoming.labels
    return replace(incoming, labels=(grade, *sorted({*rest, Label.MINOR_SECRET.value})))


def must_hold(draft: Draft, reference: str) -> None:
    """Refuse to mask what the record does not hold, or what the asker may not see: no mask is set in part."""
    if not isinstance(filing.standing(draft, reference, (Act.READ,)), filing.Standing):
        raise NotFoundError("record.not-found")


def same_professional(draft: Draft, incoming: Incoming, id_: str) -> None:
    """Refuse that a directory entry comes to name somebody else: whoever refers to it would name them too.

    A number may be added where there was none, save one's own. Raises `RequestError`.
    """
    if not incoming.type.startswith("Practitioner"):
        return
    item = draft.current((incoming.type, id_, ""), Act.WRITE)
    if not isinstance(item, Item):
        return
    identifiers = incoming.document.value.get("identifier", [])
    before = _numbers(number for _, number, *_ in IDENTIFIERS(bytes(item.entry.values)).p0 or ())
    after = _numbers(one.get("value") for one in identifiers)
    mine = draft.view.asking.actor.id.removeprefix("rpps:")
    if after != before and (before or mine in after):
        raise RequestError("record.professional-moved")


def _numbers(values: Iterable[object]) -> set[str]:
    return {number for value in values if (number := rpps.read(value))}


def practitioner(pen: Pen, reference: str) -> str:
    """Name the professional that a directory entry describes, by RPPS; "" when there is none."""
    if reference not in pen.known:
        pen.known[reference] = _practitioner(pen, reference)
    return pen.known[reference]


def _practitioner(pen: Pen, reference: str) -> str:
    entry = _just_written(pen, reference) or _standing(pen, reference)
    if entry is None:
        return ""
    numbers = _numbers(number for _, number, *_ in IDENTIFIERS(bytes(entry.values)).p0 or ())
    return f"rpps:{min(numbers)}" if len(numbers) == 1 else ""


def _just_written(pen: Pen, reference: str) -> Entry | None:
    """Give the directory entry that this very transaction has written, to whoever may read it."""
    type_, _, id_ = reference.partition("/")
    for draft in pen.drafts.values():
        if (type_, id_, "") not in draft.names:
            continue
        for unit, entries in draft.placed.items():
            found = next((one for one in entries if (one.type, one.id) == (type_, id_)), None)
            if found is not None and isinstance(draft.view.decide(unit, _looking(pen)), Permit):
                return found
    return None


def _standing(pen: Pen, reference: str) -> Entry | None:
    """Give the directory entry that stands in the store, to whoever may read it."""
    located, known = pen.passage.resolve(pen.txn, reference)
    if not known:
        return None
    type_, _, id_ = reference.partition("/")
    view = pen.passage.view(pen.txn, pen.asking, located.record)
    view.depositing = pen.imported
    item = gate.current(pen.txn, view, located.pack, (type_, id_, ""), _looking(pen))
    return None if isinstance(item, Denial) else item.entry


def _looking(pen: Pen) -> Act:
    """Name the act by which a directory entry is looked at: an import, which reads nothing, deposits."""
    return Act.WRITE if pen.imported else Act.READ
