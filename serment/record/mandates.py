"""What the resources about people change in the facts of a record, in the transaction that writes them.

In this order: the life of the person, mandates, reports of abuse. A mandate is given and taken away by a
secretary or an officer who stands in the team (ADR 26); carers have none: a Consent names them (`choices`).
"""

from __future__ import annotations

from functools import partial

import msgspec

from serment.access import naming, uniting
from serment.access.from_people import alleged_authors, deceased, emancipated, mandate
from serment.access.naming import NAMERS
from serment.access.record_facts import Mandate, RecordFacts
from serment.ledger.entry import Interaction
from serment.model import Instant, Label
from serment.record import choices
from serment.record.draft import Draft
from serment.record.incoming import Incoming
from serment.record.pen import Pen


def apply(pen: Pen, draft: Draft, incoming: Incoming, id_: str, *, imported: bool = False) -> None:
    """Take from a written resource what it says of people. Raises `DeniedError`."""
    if incoming.type == "Patient":
        choices.change(draft, lived(choices.facts_of(draft), incoming, pen.asking.now))
    if Label.VIOLENCE in incoming.labels:
        _reported(pen, draft, incoming)
    if incoming.type == "RelatedPerson" and not imported and _concerns(pen, draft, id_):
        _mandated(pen, draft, id_, mandate(incoming.document.value, id_, pen.asking.now))


def withdraw(pen: Pen, draft: Draft, type_: str, id_: str) -> None:
    """Take back the mandate of a RelatedPerson who is deleted."""
    if type_ == "RelatedPerson":
        _mandated(pen, draft, id_, None)


# The life of the person.


def lived(facts: RecordFacts, incoming: Incoming, now: Instant) -> RecordFacts:
    """Keep what the person's own resource says of birth, emancipation and death: mandates end by them."""
    patient = incoming.document.value
    died = deceased(patient, facts.deceased, now)
    return uniting.lived(facts, str(patient.get("birthDate", "")), emancipated(patient), died)


# Mandates.


def _concerns(pen: Pen, draft: Draft, id_: str) -> bool:
    """Say whether a writing gives a mandate or speaks of one that stands.

    What says that it has ended, while it goes on, is written by nobody.
    """
    namer = pen.asking.actor.function in NAMERS
    return namer or naming.mandate_of(choices.facts_of(draft), id_) is not None


def _mandated(pen: Pen, draft: Draft, id_: str, made: Mandate | None) -> None:
    """Give, change or take away the mandate of one RelatedPerson. Raises `DeniedError`."""
    facts, asking = choices.facts_of(draft), pen.asking
    old = naming.mandate_of(facts, id_)
    if made is not None and old is not None and made.start == asking.now:
        made = msgspec.structs.replace(made, start=old.start)  # no date is said: it began when it began
    if made == old:
        return
    if not naming.may_name_representatives(asking.actor, facts, pen.passage.policy, asking.now):
        raise choices.refused(draft, "C6.mandate", Interaction.MANDATE, "record.mandate-in-passing")
    if old is not None:
        facts = facts.without_mandate(old.actor, old.kind)
    choices.change(draft, facts if made is None else facts.with_mandate(made))


# Reports of abuse.


def _reported(pen: Pen, draft: Draft, incoming: Incoming) -> None:
    """Keep from the alleged author what the report says. It stays so when the report changes or goes.

    Its past versions name them still, and to see an old report come back would tell that there was one.
    """
    facts = choices.facts_of(draft)
    named = alleged_authors(incoming.document.value, partial(choices.practitioner, pen))
    accused = tuple(dict.fromkeys((*facts.accused, *named)))
    choices.change(draft, msgspec.structs.replace(facts, accused=accused))
