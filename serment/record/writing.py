"""The passage for writes: one resource, or a bundle, in one transaction each.

The resource is read and checked before; the decision, the seal and the trace happen inside the
transaction. A refused write is traced on its own, and the same sentence answers for a record that
does not exist and for one that may not be written.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from serment.access.record_facts import RecordFacts
from serment.errors import (
    NotFoundError,
    NotSelectiveError,
    NotSupportedError,
    RefusedError,
    RequestError,
    VersionConflictError,
)
from serment.fhir.identity_body import with_numbers
from serment.identity.keys import person_keys
from serment.keys.material import RecordKind
from serment.keys.record_keys import RecordKeys
from serment.ledger.chains import NO_HEAD
from serment.ledger.entry import Interaction
from serment.model import ActorId, PatientId, RecordToken
from serment.record import choices, conditions, gate, mandates, retrying, scanning, trace, write
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.duplicates import meeting
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import DECOY, Passage, year_of
from serment.record.pen import DeniedError, Pen
from serment.record.persons import identities, register
from serment.record.reading import settled, warm
from serment.record.write import Written
from serment.store.contract import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Birth:
    """A record that a write is about to make: its keys are durable before its rows."""

    record: RecordToken = field(repr=False)
    patient: PatientId = field(repr=False)
    keys: RecordKeys = field(repr=False)


class Writing:
    """The passage for writes."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    @property
    def scanner(self) -> scanning.Scanner | None:
        """Who looks at contents before they are written, if anybody."""
        return self._passage.scanner

    async def create(self, asking: Asking, incoming: Incoming, condition: str | None = None) -> Written:
        """Create one item, unless a visible one meets the condition. Raises `RefusedError`."""
        await scanning.screen(self.scanner, incoming)
        id_ = new_id()
        births = await self.births(asking, [(incoming, id_)])
        references = [] if births else [owning_reference(incoming, id_)]

        def job(pen: Pen) -> Written:
            found = conditions.met(pen, incoming, condition or "")
            return found or put(pen, incoming, id_, births, pen.asking.actor.id)

        return await self.run(asking, references, job)

    async def update(
        self, asking: Asking, incoming: Incoming, id_: str, if_match: int | None, reason: str = ""
    ) -> Written:
        """Update one item. Raises `NotFoundError`, `VersionConflictError`, `RefusedError`."""
        await scanning.screen(self.scanner, incoming)
        same_id(incoming, id_)
        reference = f"{incoming.type}/{id_}"
        owner = owning_reference(incoming, id_)
        return await self.run(
            asking, [reference, owner], lambda pen: change(pen, incoming, id_, owner, if_match, reason)
        )

    async def upsert(
        self, asking: Asking, incoming: Incoming, condition: str, if_match: int | None, reason: str = ""
    ) -> Written:
        """Update the one visible item that meets the condition; create it when none does.

        One transaction: two alike make one item. Raises as `create` and `update`; `VersionConflictError` when
        a version is named and nothing meets the condition (of a person none is named: `NotSupportedError`),
        `NotSelectiveError` when several items do.
        """
        if incoming.type == "Patient" and if_match is not None:
            raise NotSupportedError("record.version-of-nobody")
        await scanning.screen(self.scanner, incoming)
        id_ = new_id()
        births = await self.births(asking, [(incoming, id_)])
        owner = owning_reference(incoming, id_)

        def job(pen: Pen) -> Written:
            found = conditions.met(pen, incoming, condition)
            return upserted(pen, incoming, found, id_, births, if_match, reason)

        return await self.run(asking, [] if births else [owner], job)

    async def delete(self, asking: Asking, type_: str, id_: str, if_match: int | None = None) -> Written:
        """Delete one item, leaving a tombstone.

        Raises `NotFoundError`, `VersionConflictError` when `if_match` is another version, `RefusedError`.
        """
        return await self.run(asking, [f"{type_}/{id_}"], lambda pen: remove(pen, type_, id_, if_match))

    async def births(self, asking: Asking, created: Sequence[tuple[Incoming, str]]) -> dict[str, Birth]:
        """Make durable the keys of the records that new Patients begin: `Patient/id` → birth."""
        births: dict[str, Birth] = {}
        trace.room_for_content(self._passage)
        for incoming, id_ in created:
            if incoming.type == "Patient" and self._may_begin(asking, incoming, id_):
                birth = await asyncio.to_thread(conceive, self._passage, asking, PatientId(id_))
                births[f"Patient/{id_}"] = birth
        return births

    def _may_begin(self, asking: Asking, incoming: Incoming, id_: str) -> bool:
        """Say whether the actor may begin such a record: keys are made for nobody else.

        The decision that counts is taken in the transaction, where the refusal is traced.
        """
        passage = self._passage
        facts = first_facts(passage, asking, PatientId(id_), incoming)
        unit = incoming.unit(asking.actor.id, asking.now)
        return gate.may_begin(asking, facts, unit, passage.policy)

    async def run(
        self, asking: Asking, references: Sequence[str], job: Callable[[Pen], T], *, choice: bool = False
    ) -> T:
        """Run a job in one transaction; trace its refusal, and what it met when it comes to nothing.

        A `choice` of the patient is small and rules at once: the reserve takes it when other content
        has to wait. Raises `StorageFullError`.
        """
        if not choice or self._passage.spooling.waiting:
            trace.room_for_content(self._passage)
        await warm(self._passage, asking, references)
        tries: deque[Pen] = deque(maxlen=1)
        try:
            result, pen = await asyncio.wrap_future(
                self._passage.store.submit(lambda txn: _penned(self._passage, txn, asking, job, tries))
            )
        except retrying.DoneError as done:
            return cast("T", done.outcome)
        except (conditions.SeveralError, DeniedError, RequestError, RefusedError) as error:
            await self._undone(asking, tries, error)
            raise _answer(error) from None
        for record, mark in pen.marks.items():
            # The epoch moved by our own hand, the keys did not: custody that is away closes nothing.
            self._passage.keyring.hold(record, mark.epoch, asking.now, pen.drafts[record].view.keys)
        return result

    async def _undone(self, asking: Asking, tries: Iterable[Pen], error: Exception) -> None:
        """Trace what a request has shown that wrote nothing: its error may tell what it met."""
        met = [entry for pen in tries for entry in pen.undone()]
        if isinstance(error, conditions.SeveralError):
            met += error.entries
        if met:
            await trace.together(self._passage, met)
        if isinstance(error, DeniedError):
            await self._refused(asking, error)

    async def _refused(self, asking: Asking, denied: DeniedError) -> None:
        """Trace a refused write; one that would have begun a record is traced on the decoy."""
        passage, view = self._passage, denied.view
        if view.mark == NO_HEAD:
            await warm(passage, asking, [DECOY])
            with passage.store.snapshot() as snapshot:
                view = passage.view(snapshot, asking, passage.resolve(snapshot, DECOY)[0].record)
        await settled(
            passage, trace.of_refusal(passage, view, denied.interaction, denied.denial, denied.unit)
        )


def written(passage: Passage, txn: Transaction, asking: Asking, job: Callable[[Pen], T]) -> T:
    """Run a job with a pen and write everything down; raising undoes all of it."""
    return _penned(passage, txn, asking, job, deque(maxlen=1))[0]


def _penned(
    passage: Passage, txn: Transaction, asking: Asking, job: Callable[[Pen], T], tries: deque[Pen]
) -> tuple[T, Pen]:
    """Run a job with a pen, left in `tries` for the trace of an undone one. The store may run it again."""
    retrying.check(passage, txn, asking)
    pen = Pen(passage, txn, asking)
    tries.append(pen)
    result = job(pen)
    pen.finish()
    retrying.keep(passage, txn, asking, result)
    return result, pen


def conceive(passage: Passage, asking: Asking, patient: PatientId) -> Birth:
    """Make the keys of a new record, durable before its first row."""
    record = RecordToken(os.urandom(16))
    unwrapped = passage.keyring.custody.make(record, RecordKind.PATIENT, year_of(asking.now))
    return Birth(record, patient, RecordKeys(unwrapped))


def _answer(error: Exception) -> Exception:
    """Give what the caller is told of a request that wrote nothing."""
    if isinstance(error, conditions.SeveralError):
        return NotSelectiveError("record.many-match")
    return refusal(error) if isinstance(error, DeniedError) else error


def refusal(denied: DeniedError) -> RequestError | RefusedError:
    """Answer a refused write: not found for what may not even be seen, refused for the rest."""
    if denied.sentence:
        return RefusedError(denied.sentence)
    if denied.interaction is not Interaction.CREATE and not denied.visible:
        return NotFoundError("record.not-found")
    return RefusedError("record.not-writable")


def put(
    pen: Pen,
    incoming: Incoming,
    id_: str,
    births: dict[str, Birth],
    author: ActorId,
    *,
    imported: bool = False,
) -> Written:
    """Create one item inside a pen: find its record, write it, take from it what it changes in the facts."""
    owner = owning_reference(incoming, id_)
    birth = births.get(owner)
    if birth is not None and birth.record not in pen.drafts:
        facts = first_facts(pen.passage, pen.asking, birth.patient, incoming, imported=imported)
        draft = pen.born(birth.record, birth.keys, birth.patient, facts)
    else:
        draft = draft_of(pen, owner, births)
    incoming = choices.as_secret_as_what_it_names(draft, incoming)
    if incoming.type == "Patient":
        incoming = identities.fresh(pen, draft, incoming, id_)
        suspected = meeting.created(pen, draft, incoming, id_)
        made = replace(write.create(pen, draft, incoming, id_, author), suspected=suspected)
    else:
        made = write.create(pen, draft, incoming, id_, author)
    identities.kept(pen, draft, incoming, id_)
    if incoming.type == "Patient":
        name_person(pen, draft, incoming)
    choices.apply(pen, draft, incoming, id_, imported=imported)
    mandates.apply(pen, draft, incoming, id_, imported=imported)
    return made


def draft_of(pen: Pen, reference: str, births: dict[str, Birth]) -> Draft:
    """Open the record that a reference leads to (the decoy when it leads nowhere)."""
    if reference in births:
        return pen.drafts[births[reference].record]
    type_, _, id_ = reference.partition("/")
    for draft in pen.drafts.values():
        if (type_, id_, "") in draft.names:
            return draft
    return pen.draft(pen.located(reference)[0].record)


def change(
    pen: Pen,
    incoming: Incoming,
    id_: str,
    owner: str,
    if_match: int | None,
    reason: str = "",
    *,
    imported: bool = False,
) -> Written:
    """Update one item inside a pen. An item does not change patient."""
    draft = draft_of(pen, f"{incoming.type}/{id_}", {})
    there, _ = pen.located(owner)
    incoming = choices.as_secret_as_what_it_names(draft, incoming)
    if not imported:
        choices.same_professional(draft, incoming, id_)
    if incoming.type == "Patient":
        incoming = identities.held(pen, draft, incoming, id_, if_match)
    made = write.update(pen, draft, incoming, id_, if_match, reason)
    identities.kept(pen, draft, incoming, id_)
    if there.record != draft.record:
        raise RequestError("record.owner-moved")
    if incoming.type == "Patient":
        meeting.updated(pen, draft, incoming, id_)
        pen.txn.drop_persons(draft.record)
        name_person(pen, draft, incoming)
    choices.apply(pen, draft, incoming, id_, imported=imported)
    mandates.apply(pen, draft, incoming, id_, imported=imported)
    return made


def upserted(
    pen: Pen,
    incoming: Incoming,
    found: Written | None,
    id_: str,
    births: dict[str, Birth],
    if_match: int | None,
    reason: str = "",
) -> Written:
    """Update inside a pen what met a condition, or create it; what names a version is never created.

    Raises as `Writing.upsert`.
    """
    if found is None:
        made = put(pen, incoming, id_, births, pen.asking.actor.id)
        if if_match is None:
            return made
        raise VersionConflictError("record.no-version")  # undone, and traced as such
    if incoming.document.value.get("id", found.id) != found.id:
        raise RequestError("record.type-mismatch")
    version = found.version if if_match is None else if_match
    return change(pen, incoming, found.id, owning_reference(incoming, found.id), version, reason)


def remove(pen: Pen, type_: str, id_: str, if_match: int | None = None) -> Written:
    """Delete one item inside a pen, and what it said in the facts."""
    draft = draft_of(pen, f"{type_}/{id_}", {})
    made = write.delete(pen, draft, type_, id_, if_match)
    if type_ == "Patient":
        draft.row = register.row_of(draft, None)
    choices.withdraw(pen, draft, type_, id_)
    mandates.withdraw(pen, draft, type_, id_)
    return made


def same_id(incoming: Incoming, id_: str) -> None:
    """Refuse an update whose body and address name different items (FHIR R4 http.html#update)."""
    if incoming.document.value.get("id") != id_:
        raise RequestError("record.type-mismatch")


def first_facts(
    passage: Passage, asking: Asking, patient: PatientId, incoming: Incoming, *, imported: bool = False
) -> RecordFacts:
    """Give the facts of a record at birth: whose it is, who holds it, and the act of registering it.

    Nobody registers by importing.
    """
    facts = RecordFacts(
        regime=passage.regime.value,
        structure=asking.actor.structure,
        birth_date=str(incoming.document.value.get("birthDate", "")),
        holders=(f"patient:{patient}",),
    )
    return facts if imported else choices.registered(facts, asking, patient)


def name_person(pen: Pen, draft: Draft, incoming: Incoming) -> None:
    """Write the compound tokens under which the person may be found."""
    draft.row = register.row_of(draft, incoming.document.value)
    person = with_numbers(incoming.document.value, incoming.aside)
    draft.persons = [pen.passage.installation.person(key) for key in person_keys(person)]
    for token in draft.persons:
        pen.txn.put_person(token, draft.record)


def new_id() -> str:
    """Make a server id: 122 random bits."""
    return str(uuid.uuid4())
