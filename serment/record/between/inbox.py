"""What waits for somebody: pointers, never content (ADR 64).

A drawer of the register with one file for each actor: which errand, about whose record, which item, until
when. Ids and codes only: no name of a patient, nothing clinical, no text. What an errand says stands in the
patient's own record, sealed under their key, and is decided and traced when it is opened; a pointer opens
nothing. Whoever holds one and may not read what it leads to sees that something waits, and no more.

Everybody reads their own file and nobody else's. A queue is a file of a function (the officer who answers
what people ask). A file is bounded: what is settled goes first, the oldest before the newest, then what is
over; when even what waits is too much the oldest of it goes, and the file says how many went.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from serment.errors import IntegrityError, NotFoundError, RefusedError, RequestError
from serment.ledger.entry import Interaction
from serment.model import Actor, ActorId, Function, Instant
from serment.record.acts import WORKING
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.registry import Registry, edited
from serment.record.writing import new_id

if TYPE_CHECKING:
    from serment.record.pen import Pen

DRAWER: Final = "inbox"
MOST: Final = 200
"""Pointers of one file: some 25 KB, for each change of it is one entry sealed again."""

SETTLED: Final = 50
"""Of those, the ones that are settled: the last ones, to find again what one has just answered."""


SHARED_BY_ONE: Final = 50
"""Of those, the items that one colleague has pointed out: theirs push out each other, and nobody else's."""


class Errand(StrEnum):
    """What a pointer is about."""

    CONSENT_ASKED = "consent-asked"
    CONSENT_ANSWERED = "consent-answered"
    DEPOSIT_ASKED = "deposit-asked"
    DEPOSITED = "deposited"
    RESULT = "result"
    CONFIRM = "confirm"
    SHARED = "shared"
    CORRECTION = "correction"
    CORRECTION_ANSWERED = "correction-answered"
    ACCESS_QUESTION = "access-question"
    ACCESS_ANSWERED = "access-answered"
    CONTACT = "contact"


class Pointer(msgspec.Struct, array_like=True, frozen=True):
    """One thing that waits. `patient` names the record, `item` is `Type/id` or "" for none.

    `sender` is the id of who sent it, `at` when, `until` when it is over (0: never), `done` when it was
    settled (0: it waits). Instants in ms. `code` is a word of our own lists: why, what kind. `by` and `role`
    say who sends in the course of their work, as the ledger names them; of a patient nothing is said.
    """

    id: str
    kind: Errand
    patient: str
    item: str = ""
    sender: str = ""
    at: int = 0
    until: int = 0
    done: int = 0
    code: str = ""
    by: str = ""
    role: str = ""

    def waits(self, now: Instant) -> bool:
        """Say whether there is still something to do about it."""
        return not self.done and (not self.until or now < self.until)

    def __repr__(self) -> str:
        return f"Pointer({self.kind.value})"


class _File(msgspec.Struct, array_like=True, frozen=True):
    """The pointers of one actor, oldest first; `dropped` waited and were more than a file holds."""

    pointers: tuple[Pointer, ...] = ()
    dropped: int = 0


Change = Callable[[tuple[Pointer, ...]], tuple[Pointer, ...]]


def pointing(
    kind: Errand, patient: str, item: str = "", *, until: int = 0, code: str = "", id_: str = ""
) -> Pointer:
    """Make a pointer that nobody has sent yet, under a new random id unless one is given."""
    return Pointer(id_ or new_id(), kind, patient, item, until=until, code=code)


def sent(one: Pointer, asking: Asking) -> Pointer:
    """Say on a pointer who sends it and when. Patients and those near them are named by their id only."""
    actor = asking.actor
    by, role = (actor.name, actor.function.value) if actor.kind in WORKING else ("", "")
    return msgspec.structs.replace(one, sender=actor.id, at=asking.now, by=by, role=role)


def queue_of(function: Function) -> ActorId:
    """Name the file of a function: whoever has it reads it, and it outlives who has it today."""
    return ActorId(f"queue:{function.value}")


def due(at: int) -> date:
    """Give the day by which a request of the GDPR is answered: one month after it came (art. 12.3)."""
    day = datetime.fromtimestamp(at / 1000, UTC).date()
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def late(one: Pointer, now: Instant) -> bool:
    """Say whether a request that the GDPR gives a month is past it."""
    return not one.done and datetime.fromtimestamp(now / 1000, UTC).date() > due(one.at)


def of_person(patient: str) -> ActorId:
    """Name the file of a patient: what waits for them, whoever answers for them."""
    return ActorId(f"patient:{patient}")


def of_results(actor: ActorId) -> ActorId:
    """Name the file of what an actor has to read (`results`): each is decided when it is listed."""
    return ActorId(f"results:{actor}")


QUEUES: Final = frozenset({Function.DPO, Function.SECURITY_OFFICER})
"""Functions that answer what people ask of the installation."""


TO_DO: Final = frozenset(
    {
        Errand.CONSENT_ASKED,
        Errand.DEPOSIT_ASKED,
        Errand.CORRECTION_ANSWERED,
        Errand.ACCESS_ANSWERED,
        Errand.SHARED,
    }
)
"""What a patient does something about, or reads."""

ANSWERED: Final = frozenset(
    {Errand.CONSENT_ASKED, Errand.DEPOSIT_ASKED, Errand.CORRECTION, Errand.CONFIRM, Errand.CONTACT}
    | {Errand.ACCESS_QUESTION}
)
"""What is settled by its answer only: nobody puts it away unanswered."""


class Inbox:
    """The passage to the pointers. Calls block: not for an event loop."""

    def __init__(self, passage: Passage) -> None:
        self._registry = Registry(passage)

    def of(self, asking: Asking) -> list[Pointer]:
        """List the asker's own, newest first, settled ones too. Nobody reads somebody else's."""
        return self._read(asking, asking.actor.id)

    def waiting(self, asking: Asking) -> list[Pointer]:
        """List those of the asker's own that wait for them, newest first; what they sent waits for others."""
        return [one for one in self.of(asking) if one.waits(asking.now) and one.sender != asking.actor.id]

    def dropped(self, asking: Asking) -> int:
        """Say how many waited and are listed no more, for there were too many."""
        return _read(self._registry.get(asking, DRAWER, asking.actor.id)).dropped

    def queued(self, asking: Asking) -> list[Pointer]:
        """List the queue of the asker's function, newest first. Raises `RefusedError` for any other."""
        return self._read(asking, _queue(asking.actor))

    def of_queue(self, asking: Asking, function: Function) -> list[Pointer]:
        """List the queue of a function, for a service that minds its clock."""
        return self._read(asking, queue_of(function))

    def results(self, asking: Asking) -> list[Pointer]:
        """List the results that wait for the asker to read them, newest first."""
        return [one for one in self._read(asking, of_results(asking.actor.id)) if one.waits(asking.now)]

    def put(self, asking: Asking, to: ActorId, *pointers: Pointer) -> None:
        """Send pointers to an actor, or to a queue; waits until they are durable."""
        self._registry.act(asking, lambda pen: put_in(pen, to, *pointers))

    def settle(self, asking: Asking, id_: str) -> Pointer:
        """Say that one of the asker's own is done; again changes nothing.

        Raises `NotFoundError`, `RequestError` for one that waits for an answer.
        """
        return self._registry.act(asking, lambda pen: _put_away(pen, asking.actor.id, id_))

    def settle_queued(self, asking: Asking, id_: str) -> Pointer:
        """Say that one of the queue of the asker's function is done. Raises as `settle` and `queued`."""
        whose = _queue(asking.actor)
        return self._registry.act(asking, lambda pen: settle_in(pen, whose, id_))

    def of_patient(self, asking: Asking, patient: str) -> list[Pointer]:
        """List what waits for a patient, newest first. Whoever calls has decided that the asker answers."""
        return self._read(asking, of_person(patient))

    def to_do(self, asking: Asking, patient: str) -> list[Pointer]:
        """List what a patient has to do or to read, newest first; what they asked waits for others."""
        found = self.of_patient(asking, patient)
        return [one for one in found if one.kind in TO_DO and one.waits(asking.now)]

    def settle_of_patient(self, asking: Asking, patient: str, id_: str) -> Pointer:
        """Settle one of a patient's, by who answers for them. Raises as `settle`."""
        return self._registry.act(asking, lambda pen: _put_away(pen, of_person(patient), id_))

    def _read(self, asking: Asking, whose: ActorId) -> list[Pointer]:
        return list(reversed(_read(self._registry.get(asking, DRAWER, whose)).pointers))


def put_in(pen: Pen, to: ActorId, *pointers: Pointer) -> None:
    """Send pointers inside a running transaction: all that one actor is sent by it, at once.

    Who sends and when is the pen's word. A pointer with the id of one that stands takes its place.
    """
    new = tuple(msgspec.structs.replace(sent(one, pen.asking), done=0) for one in pointers)
    names = {one.id for one in new}
    change_in(pen, to, lambda before: _few_shared((*(one for one in before if one.id not in names), *new)))


def _few_shared(pointers: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
    """Let go of the oldest of what one colleague has pointed out, when it is more than `SHARED_BY_ONE`."""
    shared: dict[str, list[str]] = {}
    for one in pointers:
        if one.kind is Errand.SHARED:
            shared.setdefault(one.sender, []).append(one.id)
    gone = {id_ for ids in shared.values() for id_ in ids[:-SHARED_BY_ONE]}
    return tuple(one for one in pointers if one.id not in gone)


def _put_away(pen: Pen, whose: ActorId, id_: str) -> Pointer:
    """Settle what only had to be read. Raises `NotFoundError`, `RequestError`."""
    found = settle_in(pen, whose, id_)
    if found.kind in ANSWERED and found.waits(pen.asking.now) and found.sender != pen.asking.actor.id:
        raise RequestError("errands.answer-first")
    return found


def settle_in(pen: Pen, whose: ActorId, id_: str) -> Pointer:
    """Settle a pointer inside a running transaction; settled again it stays. Raises `NotFoundError`."""
    found = settle_all_in(pen, whose, {id_})
    if not found:
        raise NotFoundError("record.not-found")
    return found[0]


def settle_all_in(pen: Pen, whose: ActorId, ids: Collection[str]) -> list[Pointer]:
    """Settle those of some pointers that are there; one that the file let go of is no error. Give them."""
    found: list[Pointer] = []

    def change(before: tuple[Pointer, ...]) -> tuple[Pointer, ...]:
        found.extend(one for one in before if one.id in ids)
        return tuple(_done(one, pen.asking.now) if one.id in ids else one for one in before)

    change_in(pen, whose, change)
    return found


def change_in(pen: Pen, whose: ActorId, change: Change) -> None:
    """Change a file inside a running transaction, once in each. What is too much goes."""

    def edit(value: bytes | None) -> bytes | None:
        before = _read(value)
        after = change(before.pointers)
        if after == before.pointers:
            return value
        return msgspec.msgpack.encode(_bounded(after, before.dropped, pen.asking.now))

    edited(pen, DRAWER, whose, edit, interaction=Interaction.ERRAND)


def _done(one: Pointer, now: Instant) -> Pointer:
    return one if one.done else msgspec.structs.replace(one, done=now)


def _bounded(pointers: tuple[Pointer, ...], dropped: int, now: Instant) -> _File:
    """Let go of what is too much: settled, then over, then the oldest that wait, which are counted."""
    settled = sorted((one for one in pointers if one.done), key=lambda one: one.done)
    gone = {one.id for one in settled[: max(0, len(settled) - SETTLED)]}
    over = len(pointers) - len(gone) - MOST
    if over > 0:
        rest = [one for one in pointers if one.id not in gone]
        last = sorted(rest, key=lambda one: (one.waits(now), not one.done, one.at))[:over]
        dropped += sum(one.waits(now) for one in last)
        gone |= {one.id for one in last}
    return _File(tuple(one for one in pointers if one.id not in gone), dropped)


def _queue(actor: Actor) -> ActorId:
    """Name the queue of somebody's function. Raises `RefusedError` when it has none."""
    if actor.function not in QUEUES:
        raise RefusedError("record.officers-only")
    return queue_of(actor.function)


def _read(value: bytes | None) -> _File:
    if value is None:
        return _File()
    try:
        return msgspec.msgpack.decode(value, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
