"""What people ask of each other about a record: a document, a correction (ADR 64).

What is asked in words is a Task of the patient's record, decided and traced like any item; what waits for
whom is a pointer (`inbox`). Each act is one transaction: the item, the pointers, the trace. So a deposit is
done once: the transaction that keeps the document settles the request, and finds it settled the second time.
Asking for an access is another matter, for who asks may not write there (`permitting`).

Order: the codes, the passage, the jobs inside the pen, what is pure.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from serment.access.record_facts import RecordFacts, grant_in_force
from serment.errors import InvalidResourceError, NotFoundError, RequestError
from serment.fhir import binary, errand
from serment.fhir.errand import Asked
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, ActorKind, Function, Instant, PatientId
from serment.record import choices, incoming, scanning, writing
from serment.record.asking import Asking
from serment.record.between import inbox, permitting
from serment.record.between.inbox import Errand, Inbox, Pointer, pointing, queue_of
from serment.record.budget import Budget
from serment.record.gate import Item
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.reading import Reading
from serment.record.write import Written
from serment.record.writing import Writing, new_id

DAY: Final = 24 * 3600 * 1000

MOST_ASKED: Final = 20
"""Requests, for a document or for a correction, that one person sends in `DAY`."""

OF_PATIENT: Final = frozenset(
    {
        Errand.CONSENT_ASKED,
        Errand.DEPOSIT_ASKED,
        Errand.CORRECTION,
        Errand.CORRECTION_ANSWERED,
        Errand.SHARED,
    }
)
"""What waits for a patient and who represents them; questions to the officers are the asker's own."""

DEPOSIT_DAYS: Final = (3, 7, 14, 30)
MOST_DEPOSIT: Final = 10 * 1024 * 1024
"""Bytes of a document that a patient deposits."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a patient: the pointer, and what was asked in words where there are any."""

    pointer: Pointer
    asked: Asked | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that a patient deposits."""

    title: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)


class Errands:
    """The passage for what people ask of each other."""

    def __init__(self, passage: Passage, reading: Reading, writes: Writing, waiting: Inbox) -> None:
        self._passage, self._reading, self._writing, self._inbox = passage, reading, writes, waiting
        self._asked = Budget(MOST_ASKED, DAY, "errands.too-many")

    # What waits for a patient.

    async def for_patient(self, asking: Asking, patient: PatientId) -> list[Waiting]:
        """List what waits for a patient, newest first, with its words: asked of them, by them, answered.

        For the person and who represents them; raises `NotFoundError` for anybody else. What is for the
        person alone, and what cannot be read any more, is left out.
        """
        rule = await self._may_answer(asking, patient)
        pointers = [
            one
            for one in await asyncio.to_thread(self._inbox.of_patient, asking, patient)
            if one.kind in OF_PATIENT
            and one.waits(asking.now)
            and not (permitting.alone(one) and rule != "G1.holder")
        ]
        found = [await self.read(asking, one) for one in pointers]
        return [one for one in found if one is not None]

    async def waiting(self, asking: Asking, patient: PatientId, id_: str, kind: Errand) -> Waiting:
        """Give one errand that waits. Raises `NotFoundError`: another person's, settled, over."""
        for one in await self.for_patient(asking, patient):
            if (one.pointer.id, one.pointer.kind) == (id_, kind):
                return one
        raise NotFoundError("errands.gone")

    async def read(self, asking: Asking, pointer: Pointer) -> Waiting | None:
        """Read what a pointer leads to in words, if any; None when the asker may not, or it is gone."""
        type_, _, id_ = pointer.item.partition("/")
        if type_ != "Task":
            return Waiting(pointer)
        try:
            served = await self._reading.read(asking, type_, id_)
        except RequestError:
            return None
        return Waiting(pointer, errand.asked(served.body))

    async def _may_answer(self, asking: Asking, patient: PatientId) -> str:
        """Give the rule by which somebody answers for a patient. Raises `NotFoundError`, traced."""
        return await permitting.who_answers(self._passage, asking, patient, Interaction.ERRAND)

    async def settle(self, asking: Asking, patient: PatientId, id_: str) -> None:
        """Say that a patient has read an answer. Raises `NotFoundError`."""
        await self._may_answer(asking, patient)
        await asyncio.to_thread(self._inbox.settle_of_patient, asking, patient, id_)

    # Asking for a document.

    async def ask_deposit(
        self, asking: Asking, patient: PatientId, kind: str, text: str, days: int
    ) -> Written:
        """Ask the patient to deposit one document within some days.

        Raises `RequestError`, and as a creation does: the request is an item of the record.
        """
        if kind not in errand.KINDS or days not in DEPOSIT_DAYS or not _fits(text):
            raise RequestError("errands.deposit-form")
        self._asked.spend(asking.actor.id, asking.now)
        until = Instant(asking.now + days * DAY)
        body = errand.deposit_request(patient, asking.actor, kind, text.strip(), asking.now, until)
        ready, id_ = incoming.read(body, "Task"), new_id()

        def job(pen: Pen) -> Written:
            made = writing.put(pen, ready, id_, {}, asking.actor.id)
            pen.reason = "deposit-asked"
            sent = pointing(Errand.DEPOSIT_ASKED, patient, f"Task/{id_}", until=until, code=kind)
            inbox.put_in(pen, inbox.of_person(patient), sent)
            return made

        return await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def deposit(self, asking: Asking, patient: PatientId, id_: str, paper: Paper) -> Written:
        """Deposit the document that was asked for, once.

        Raises `NotFoundError` for a request that is settled, over or of somebody else, `InvalidResourceError`
        for what is not a PDF or a picture, `RefusedError`.
        """
        asked = (await self.waiting(asking, patient, id_, Errand.DEPOSIT_ASKED)).pointer
        ready = _documents(asking, patient, asked.item, paper)
        for one in ready:
            await scanning.screen(self._writing.scanner, one[0])
        job = partial(_deposit, patient=patient, id_=id_, ready=ready)
        return await self._writing.run(asking, [f"Patient/{patient}"], job)

    # Asking for a correction.

    async def ask_correction(self, asking: Asking, patient: PatientId, item: str, text: str) -> Written:
        """Ask that what is wrong in an item (`Type/id`) be put right (GDPR art. 16).

        It waits for who wrote the item, else for the attending physician, and for the DPO, who sees its clock
        and nothing else of it. Raises `NotFoundError` for an item that the asker does not see.
        """
        if not _fits(text):
            raise RequestError("errands.correction-form")
        self._asked.spend(asking.actor.id, asking.now)
        ready = incoming.read(errand.correction_request(patient, item, text.strip(), asking.now), "Task")
        job = partial(_ask_correction, patient=patient, item=item, ready=ready)
        return await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def answer_correction(self, asking: Asking, id_: str, text: str, *, accepted: bool) -> Written:
        """Answer a correction that waits in the asker's inbox: made, or refused for a reason.

        Raises `NotFoundError` when it waits no more or the asker may not read it, `RequestError`.
        """
        if not _fits(text):
            raise RequestError("errands.answer-form")
        mine = await asyncio.to_thread(self._inbox.waiting, asking)
        asked = next((one for one in mine if (one.id, one.kind) == (id_, Errand.CORRECTION)), None)
        if asked is None:
            raise NotFoundError("errands.gone")
        body = errand.correction_answer(
            asked.patient, asked.item, asking.actor, text.strip(), asking.now, accepted=accepted
        )
        code = "accepted" if accepted else "refused"
        job = partial(_answer_correction, asked=asked, ready=incoming.read(body, "Task"), code=code)
        return await self._writing.run(asking, [f"Patient/{asked.patient}"], job)


# Jobs inside the pen.


def _deposit(
    pen: Pen, *, patient: PatientId, id_: str, ready: list[tuple[incoming.Incoming, str]]
) -> Written:
    draft = writing.draft_of(pen, f"Patient/{patient}", {})
    permitting.answering(draft)
    asked = permitting.settled(pen, patient, id_, Errand.DEPOSIT_ASKED)
    made = [writing.put(pen, one, name, {}, pen.asking.actor.id) for one, name in ready]
    sent = pointing(Errand.DEPOSITED, patient, f"DocumentReference/{made[0].id}", code=asked.code)
    inbox.put_in(pen, ActorId(asked.sender), sent)
    return made[0]


def _ask_correction(pen: Pen, *, patient: PatientId, item: str, ready: incoming.Incoming) -> Written:
    draft = writing.draft_of(pen, f"Patient/{patient}", {})
    permitting.answering(draft)
    type_, _, id_ = item.partition("/")
    found = draft.current((type_, id_, ""), Act.READ)
    if not isinstance(found, Item) or found.entry.deleted:
        raise NotFoundError("record.not-found")
    made = writing.put(pen, ready, new_id(), {}, pen.asking.actor.id)
    sent = pointing(Errand.CORRECTION, patient, f"Task/{made.id}")
    to = _who_corrects(choices.facts_of(draft), found, pen.asking.now)
    for one in (to, queue_of(Function.DPO), inbox.of_person(patient)):
        if one:
            inbox.put_in(pen, one, sent)
    return made


def _answer_correction(pen: Pen, *, asked: Pointer, ready: incoming.Incoming, code: str) -> Written:
    draft = writing.draft_of(pen, f"Patient/{asked.patient}", {})
    seen = draft.current(("Task", asked.item.removeprefix("Task/"), ""), Act.READ)
    if not isinstance(seen, Item):
        raise NotFoundError("record.not-found")
    inbox.settle_in(pen, pen.asking.actor.id, asked.id)
    made = writing.put(pen, ready, new_id(), {}, pen.asking.actor.id)
    inbox.settle_all_in(pen, queue_of(Function.DPO), {asked.id})
    # In the place of what the person asked: one line, asked and then answered.
    answer = pointing(Errand.CORRECTION_ANSWERED, asked.patient, f"Task/{made.id}", code=code, id_=asked.id)
    inbox.put_in(pen, inbox.of_person(asked.patient), answer)
    return made


# Pure.


def _who_corrects(facts: RecordFacts, item: Item, now: Instant) -> ActorId | None:
    """Name who wrote the item, else the attending physician; None when the record names neither."""
    author = item.unit.author
    if author.startswith("rpps:"):
        return author
    for one in facts.attending:
        if one.confirmed_by and grant_in_force(one.start, one.end, now):
            return ActorId(one.actor)
    return None


def _documents(
    asking: Asking, patient: PatientId, request: str, paper: Paper
) -> list[tuple[incoming.Incoming, str]]:
    """Make a document and its content ready. Raises `InvalidResourceError`, `RequestError`."""
    if paper.media_type not in errand.MEDIA_TYPES:
        raise InvalidResourceError("errands.media-type")
    if not 0 < len(paper.content) <= MOST_DEPOSIT:
        raise RequestError("errands.deposit-size", megabytes=MOST_DEPOSIT // 1024**2)
    binary.checked(paper.media_type, paper.content[: binary.LOOKED_AT])
    sheet_id, content_id, actor = new_id(), new_id(), asking.actor
    proxy = actor.id.removeprefix("proxy:") if actor.kind is ActorKind.PROXY else ""
    sheet = errand.deposited(
        patient,
        request,
        f"Binary/{content_id}",
        paper.media_type,
        paper.title.strip()[:200],
        asking.now,
        f"RelatedPerson/{proxy}" if proxy else "",
    )
    document = incoming.read(sheet, "DocumentReference")
    data = base64.b64encode(paper.content).decode()
    content = incoming.read(
        errand.content(patient, paper.media_type, data),
        "Binary",
        sheet=(document, f"DocumentReference/{sheet_id}"),
    )
    return [(document, sheet_id), (content, content_id)]


def _fits(text: str) -> bool:
    return 0 < len(text.strip()) <= errand.MOST_TEXT
