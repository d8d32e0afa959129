"""Search before create: who else may be the person that is being written.

The candidates are the records that share a compound token with the person (`identity.keys`); what is compared
of them are their rows of the register of patients, opened with the register's keys in the transaction that
writes: no key of a patient is unwrapped to be told that two people are two. Only records of the same
structure are compared: another's file of the same person is no duplicate. What is found goes to the worklist.
The writer is told of it only when they may find that person themselves, and in the answer alone: nothing is
written in the Patient, which people read who may find nobody. Who brings the INS of another active record of
the structure is refused, and told which one, when they may find it.

Order: what was met, before a Patient is written, candidates, numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from serment.access.decide import IDENTITY_UNIT, decide_find
from serment.access.find import finding_for
from serment.access.record_facts import RecordFacts
from serment.errors import ConflictError, IntegrityError
from serment.fhir.identity_body import with_numbers
from serment.identity import duplicates, evidence
from serment.identity.evidence import Evidence
from serment.identity.keys import duplicate_keys
from serment.identity.likeness import Person, person_of
from serment.identity.who import Who
from serment.model import Act, Permit, Purpose, RecordToken, Regime
from serment.record import choices
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.duplicates import worklist
from serment.record.gate import View
from serment.record.incoming import Incoming
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.persons import identities, register
from serment.record.today import KEEPER

MOST_OF_A_KEY: Final = 20
MOST: Final = 60
"""Records that are looked at for one person, and for one token: who shares more has a very common name."""

NOBODY: Final = RecordToken(b"")


@dataclass(frozen=True, slots=True)
class Met:
    """One record that may be the same person's."""

    record: RecordToken
    who: Who
    comparison: duplicates.Comparison


def created(pen: Pen, draft: Draft, sent: Incoming, id_: str) -> bool:
    """Look for others before a Patient is created; say whether the writer may know of one.

    Raises `ConflictError` when the person has a record here under the same INS.
    """
    found = updated(pen, draft, sent, id_)
    return not pen.imported and any(_may_find(pen, one.who) for one in found)


def updated(pen: Pen, draft: Draft, sent: Incoming, id_: str) -> list[Met]:
    """Look for others of the person as they are now, and put them on the worklist. Raises `ConflictError`."""
    facts = choices.facts_of(draft)
    if facts.regime != Regime.OWN.value or facts.united:
        return []
    person = with_numbers(sent.document.value, sent.aside)
    try:
        view = register.look(pen.passage, pen.txn, pen.asking)
        candidates = _candidates(pen, draft, view, person)
    except IntegrityError:
        return []  # the register says so itself, with an alarm, and stops no care
    mine = replace(person_of(person), matricules=frozenset(), past=frozenset())
    numbers = pen.identities.get(id_, evidence.NONE)
    found = [
        Met(record, who, comparison)
        for record, who in candidates
        if (comparison := _compared(pen, (mine, numbers), record, who)).verdict != duplicates.APART
    ]
    for one in found:
        judged = pen.imported or worklist.touched(pen, one.who.patient, id_)
        if one.comparison.verdict == duplicates.CERTAIN and not judged and _may_find(pen, one.who):
            raise ConflictError("record.number-held", reference=f"Patient/{one.who.patient}")
        worklist.suspected(pen, one.who.patient, id_, facts.structure, one.comparison)
    return found


def _may_find(pen: Pen, who: Who) -> bool:
    """Say whether the writer may see who that person is, asked for by an exact token."""
    asking = pen.asking
    if not in_scope(asking, Act.READ):
        return False
    facts = RecordFacts(regime=who.regime, structure=who.structure)
    finding = finding_for(
        asking.actor,
        asking.purpose,
        NOBODY,
        facts,
        asking.now,
        asking.request,
        pen.passage.policy,
        by_ins=False,
    )
    return isinstance(decide_find(finding), Permit)


def in_scope(asking: Asking, *acts: Act) -> bool:
    """Say whether a program's scope lets it do acts on who people are, in whatever record."""
    scope = asking.scope
    return scope is None or all(scope.covers(IDENTITY_UNIT, act, NOBODY) for act in acts)


# Candidates.


def _candidates(pen: Pen, draft: Draft, view: View, person: dict[str, Any]) -> list[tuple[RecordToken, Who]]:
    """Give the people of the same structure that share a token with this one."""
    records: dict[RecordToken, None] = {}
    for key in duplicate_keys(person):
        token = pen.passage.installation.person(key)
        records |= dict.fromkeys(pen.txn.persons(token, MOST_OF_A_KEY))
        if len(records) >= MOST:
            break
    records.pop(draft.record, None)
    facts = choices.facts_of(draft)
    rows = [(record, _row(pen, view, record)) for record in records]
    return [
        (record, who)
        for record, who in rows
        if who is not None and (who.regime, who.structure) == (facts.regime, facts.structure)
    ]


def _row(pen: Pen, view: View, record: RecordToken) -> Who | None:
    """Give who a record is about, as this transaction has left it."""
    draft = pen.drafts.get(record)
    if draft is not None and draft.row is not None:
        return msgspec.msgpack.decode(draft.row, type=Who | None)
    return register.row_at(pen.passage, pen.txn, view, record)


def _compared(
    pen: Pen, mine: tuple[Person, Evidence], record: RecordToken, who: Who
) -> duplicates.Comparison:
    """Compare traits, then numbers where both may have one: those are read for few."""
    person, numbers = mine
    theirs = Person.of((who.birth, who.used), [who.given], who.birth_date, who.sex)
    comparison = duplicates.compare(person, theirs)
    if not numbers.numbers:
        return comparison
    other = _evidence(pen, record, who)
    return duplicates.compare(numbered(person, numbers), numbered(theirs, other))


def numbered(person: Person, numbers: Evidence) -> Person:
    """Give a person with the numbers that an identity rests on; what nobody has compared proves nothing."""
    current = frozenset() if numbers.retrieval is None else frozenset({numbers.retrieval.number})
    return replace(person, matricules=current, past=frozenset(numbers.numbers) - current)


# Numbers.


def _evidence(pen: Pen, record: RecordToken, who: Who) -> Evidence:
    """Read what the identity of another record rests on, as a service of its structure: nothing leaves."""
    if who.patient in pen.identities:
        return pen.identities[who.patient]
    draft = as_service(pen.passage, pen, record, who.structure)
    return identities.of_patient(pen, draft, who.patient)


def as_service(passage: Passage, pen: Pen, record: RecordToken, structure: str) -> Draft:
    """Look at a record as the house's own service in a structure, which files and reads nothing out."""
    view = passage.view(pen.txn, of_service(pen.asking, structure), record)
    view.depositing = True
    return Draft(passage, pen.txn, view, places=pen.places)


def of_service(asking: Asking, structure: str) -> Asking:
    """Ask as the house's own service in a structure, within the same act."""
    actor = replace(KEEPER, structure=structure)
    return replace(asking, actor=actor, purpose=Purpose.RECORD_MANAGEMENT, reasons=frozenset())
