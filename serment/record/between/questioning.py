"""What people ask of the officers: about an access, or to be called back (ADR 64).

A question is a file of the register: nothing of a record's content, no word that tells of health (it is held
against `words/health` before anything is kept). It names an entry of the asker's own list of accesses, which
is looked up there first, and who asks, for the officer has to ask the professional. It waits in the queues
of the DPO and of the security officer; whoever answers first settles it in both.

Order: the nouns, the passage, what is held against the rules.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.errors import IntegrityError, NotFoundError, RequestError
from serment.ledger.entry import Event, Interaction
from serment.model import ActorId, Function, Instant, PatientId, Purpose, RequestId
from serment.record import registry
from serment.record.alarms import REQUEST_LATE
from serment.record.asking import Asking
from serment.record.between import inbox
from serment.record.between.inbox import Errand, Inbox, Pointer, pointing, queue_of
from serment.record.budget import Budget
from serment.record.pages.retracing import Retracing, Sought
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.registry import Registry
from serment.record.today import KEEPER
from serment.record.writing import new_id
from serment.words.health import health_words

DRAWER: Final = "question"
DAY: Final = 24 * 3600 * 1000
HOUR: Final = 3600 * 1000
MOST_ASKED: Final = 10
"""Questions that one person sends in `DAY`."""

ABOUT: Final = ("unknown", "why", "when", "mistake", "other")
"""What somebody asks about an access: coded."""

SUBJECTS: Final = ("access", "copy", "correction", "choices", "account", "other")
"""What somebody wants to be called back about."""

MOST_TEXT: Final = 1000
MOST_HOURS: Final = 100
MOST_STRETCHES: Final = 200
"""Stretches of a list that are read to find one entry of it: some 400 000 entries."""

READERS: Final = (Function.DPO, Function.SECURITY_OFFICER)
_PHONE: Final = re.compile(r"\+?[0-9][0-9 .()/-]{4,22}[0-9]")


class About(msgspec.Struct, array_like=True, frozen=True):
    """The entry that a question names, as the asker's own list tells it: who, in what role, when (ms)."""

    request: str
    actor: str
    name: str
    role: str
    t: int
    emergency: bool

    def __repr__(self) -> str:
        return "About(…)"


class Question(msgspec.Struct, array_like=True, frozen=True):
    """One question and its answer. `name` is the asker's; instants in ms, `answered` 0 while it waits."""

    kind: Errand
    patient: str
    asker: str
    name: str
    at: int
    code: str
    text: str = ""
    phone: str = ""
    hours: str = ""
    about: About | None = None
    answer: str = ""
    by: str = ""
    answered: int = 0

    def __repr__(self) -> str:
        return f"Question({self.kind.value})"


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody writes to be called back."""

    subject: str
    phone: str = field(repr=False)
    hours: str = field(repr=False)
    text: str = field(repr=False)

    @property
    def health_words(self) -> list[str]:
        """The words in it that tell of health."""
        return health_words(f"{self.hours}\n{self.text}")


@dataclass(frozen=True, slots=True)
class Queued:
    """A question as it stands in a queue or in the asker's own list."""

    pointer: Pointer
    question: Question = field(repr=False)


class Questioning:
    """The passage for questions to the officers."""

    def __init__(self, passage: Passage, retracing: Retracing, waiting: Inbox) -> None:
        self._registry, self._retracing, self._inbox = Registry(passage), retracing, waiting
        self._clock, self._alarms, self._next = passage.clock, passage.alarms, Instant(0)
        self._asked = Budget(MOST_ASKED, DAY, "errands.too-many")

    async def ask_about(
        self, asking: Asking, patient: PatientId, request: str, at: Instant, code: str
    ) -> str:
        """Ask about one access of the asker's own list: the act `request`, of the instant `at` (ms).

        Gives the question's id. Raises `NotFoundError` when that list has no such entry, `RequestError`.
        """
        if code not in ABOUT:
            raise RequestError("errands.about-form")
        event = await self._entry(asking, patient, request, at)
        self._asked.spend(asking.actor.id, asking.now)
        about = About(request, event.actor, event.actor_name, event.function, event.t, event.emergency)
        actor = asking.actor
        question = Question(
            Errand.ACCESS_QUESTION, patient, actor.id, actor.name, asking.now, code, about=about
        )
        return await asyncio.to_thread(self._send, asking, question)

    async def call_back(self, asking: Asking, patient: PatientId, call: Call) -> str:
        """Ask to be called back. Raises `RequestError`: incomplete, or with words that tell of health."""
        checked(call)
        self._asked.spend(asking.actor.id, asking.now)
        actor = asking.actor
        question = Question(
            Errand.CONTACT,
            patient,
            actor.id,
            actor.name,
            asking.now,
            call.subject,
            call.text.strip(),
            call.phone.strip(),
            call.hours.strip(),
        )
        return await asyncio.to_thread(self._send, asking, question)

    def queue(self, asking: Asking) -> list[Queued]:
        """List what waits for the asker's function, and what was answered, newest first; traced.

        Raises `RefusedError` for whoever is no officer. Waits: not for an event loop.
        """
        pointers = [one for one in self._inbox.queued(asking) if one.kind in QUESTIONS]
        found = [self._queued(asking, one) for one in pointers]
        self._registry.traced(asking, Interaction.ERRAND, [f"{registry.TYPE}/{DRAWER}"])
        return [one for one in found if one is not None]

    def mine(self, asking: Asking) -> list[Queued]:
        """List the asker's own questions, newest first. Waits: not for an event loop."""
        pointers = [one for one in self._inbox.of(asking) if one.kind in QUESTIONS]
        return [one for pointer in pointers if (one := self._queued(asking, pointer)) is not None]

    def answer(self, asking: Asking, id_: str, text: str) -> None:
        """Answer a question of the queue: the asker reads it in their own list.

        Raises `RefusedError`, `NotFoundError`, `RequestError` for an answer that is empty or tells of health.
        """
        if not 0 < len(text.strip()) <= MOST_TEXT:
            raise RequestError("errands.officer-answer")
        if health_words(text):
            raise RequestError("errands.health-words")
        waiting = [one for one in self._inbox.queued(asking) if one.id == id_ and one.waits(asking.now)]
        if not waiting or waiting[0].kind not in QUESTIONS:
            raise NotFoundError("errands.gone")
        self._registry.act(asking, lambda pen: _answered(pen, id_, text.strip()))

    def remind(self) -> int:
        """Ring an alarm while a request has waited for more than a month; look once an hour. Give how many.

        Run by a thread of the server. Pointers are read, and nothing of what they lead to.
        """
        now = self._clock()
        if now < self._next:
            return 0
        self._next = Instant(now + HOUR)
        asking = Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), now)
        count = sum(inbox.late(one, now) for one in self._inbox.of_queue(asking, READERS[0]))
        (self._alarms.ring if count else self._alarms.hush)(REQUEST_LATE)
        return count

    def _send(self, asking: Asking, question: Question) -> str:
        id_ = new_id()
        sent = pointing(question.kind, question.patient, f"Question/{id_}", code=question.code, id_=id_)

        def job(pen: Pen) -> None:
            value = msgspec.msgpack.encode(question)
            registry.edited(pen, DRAWER, id_, lambda _: value, interaction=Interaction.ERRAND)
            for to in (*map(queue_of, READERS), asking.actor.id):
                inbox.put_in(pen, to, sent)

        self._registry.act(asking, job)
        return id_

    def _queued(self, asking: Asking, pointer: Pointer) -> Queued | None:
        value = self._registry.get(asking, DRAWER, pointer.id)
        return None if value is None else Queued(pointer, _read(value))

    async def _entry(self, asking: Asking, patient: PatientId, request: str, at: Instant) -> Event:
        """Find an entry in the list that the asker may read. Raises `NotFoundError`."""
        sought = Sought(since=at)
        for _ in range(MOST_STRETCHES):
            told = await self._retracing.stretch(asking, patient, sought)
            for body in told.bodies:
                if (body.event.request, body.event.t) == (request, at):
                    return body.event
            if not told.next:
                break
            sought = self._retracing.opened(asking, patient, told.next)
        raise NotFoundError("record.not-found")


QUESTIONS: Final = frozenset({Errand.ACCESS_QUESTION, Errand.CONTACT, Errand.ACCESS_ANSWERED})
"""Kinds of pointers that lead to a question."""


def checked(call: Call) -> Call:
    """Hold a call-back form against what it must say. Raises `RequestError` with what is to be mended."""
    if call.subject not in SUBJECTS or len(call.text) > MOST_TEXT:
        raise RequestError("errands.call-form")
    if not _PHONE.fullmatch(call.phone.strip()):
        raise RequestError("errands.phone")
    if not 0 < len(call.hours.strip()) <= MOST_HOURS:
        raise RequestError("errands.hours")
    if call.health_words:
        raise RequestError("errands.health-words")
    return call


def _answered(pen: Pen, id_: str, text: str) -> None:
    asking = pen.asking
    kept: list[Question] = []

    def edit(value: bytes | None) -> bytes:
        before = _read(value or b"")
        if before.answered:
            raise NotFoundError("errands.gone")
        by = asking.actor.name
        kept.append(msgspec.structs.replace(before, answer=text, by=by, answered=asking.now))
        return msgspec.msgpack.encode(kept[0])

    registry.edited(pen, DRAWER, id_, edit, interaction=Interaction.ERRAND)
    for queue in map(queue_of, READERS):
        inbox.settle_all_in(pen, queue, {id_})
    answer = pointing(Errand.ACCESS_ANSWERED, kept[0].patient, f"Question/{id_}", code=kept[0].code, id_=id_)
    inbox.put_in(pen, ActorId(kept[0].asker), answer)


def _read(value: bytes) -> Question:
    try:
        return msgspec.msgpack.decode(value, type=Question)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
