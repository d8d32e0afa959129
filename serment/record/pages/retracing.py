"""The list of who did what on a record, piece by piece: as much as a page asks for, and no more.

`proving.trail` gives it whole, for a verification; this gives the same entries newest first, a stretch at a
time, each held against the one after it (`ledger/backward`). What is asked (a person, a period, only what
left) is sealed with the place where the next stretch begins, bound to its reader and record: an address
names nobody. Each stretch is decided and traced as every reading of the list is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.errors import MalformedError
from serment.keys.custody.contract import Custody
from serment.keys.trace_keys import TraceKeys
from serment.ledger.backward import Place, Stretch, back, end_of
from serment.ledger.entry import Body, Event, Interaction
from serment.model import Instant
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.proving import leave_to_follow
from serment.record.reading import opened_token, sealed_token
from serment.store.contract import Snapshot

MOST: Final = 400
"""Entries that one stretch tells."""
WALK: Final = 2_000
"""Rows that one stretch opens: 40 ms of processor time."""

EXITS: Final = frozenset(
    {Interaction.EXPORT, Interaction.PRINT, Interaction.NOTIFY, Interaction.DECLARE, Interaction.IDENTIFY}
)
"""What takes something out of the record, to a person, a paper, an address or a service."""


class Sought(msgspec.Struct, array_like=True, frozen=True):
    """What is asked of a list: who acted ("" for everybody), since when (ms), only what left; and from where.

    `place` is None at the end of the list, where every reading begins.
    """

    person: str = ""
    since: int = 0
    exits: bool = False
    place: Place | None = None

    def wants(self, event: Event) -> bool:
        """Say whether an act is asked for."""
        if event.t < self.since or (self.person and event.actor != self.person):
            return False
        return not self.exits or left(event)

    def __repr__(self) -> str:
        return "Sought(…)"


@dataclass(frozen=True, slots=True)
class Told:
    """A stretch of a list, newest first; down to which instant it was read (ms; 0: nothing was there).

    `next` is the token of the stretch that follows, "" where nothing is left.
    """

    bodies: list[Body] = field(repr=False)
    oldest: Instant
    next: str = field(repr=False)


def left(event: Event) -> bool:
    """Say whether an act took something out of the record: on paper, to an address, into a program."""
    return event.interaction in EXITS or (bool(event.recipient) and bool(event.count or event.resources))


class Retracing:
    """The passage for the list of acts, in pieces."""

    def __init__(self, passage: Passage, custody: Custody) -> None:
        self._passage = passage
        self._custody = custody

    async def stretch(
        self, asking: Asking, patient: str, sought: Sought, *, most: int = MOST, walk: int = WALK
    ) -> Told:
        """Give one stretch of what is sought. Raises `NotFoundError` for whoever may not read the list.

        Raises `IntegrityError` when the list was altered, or something of it is missing.
        """
        leave = await leave_to_follow(self._passage, asking, patient)
        keys = TraceKeys(await asyncio.to_thread(self._custody.year_keys, leave.record))

        told: list[Instant] = []

        def wants(body: Body) -> bool:
            if not leave.shows(body):
                return False
            told.append(Instant(body.event.t))
            return sought.wants(body.event)

        def read(snapshot: Snapshot) -> Stretch:
            place = sought.place or end_of(snapshot, leave.record, keys.trail)
            years = list(keys.years.values())
            return back(snapshot, leave.record, years, place, wants, most=most, walk=walk, since=sought.since)

        found = await asyncio.wrap_future(self._passage.store.scan(read))
        onward = msgspec.structs.replace(sought, place=found.next)
        token = "" if found.next is None else self.sealed(asking, patient, onward)
        # Down to the last row that may be told: one that waits to be announced has no instant here either.
        return Told([one.body for one in found.found], told[-1] if told else Instant(0), token)

    def sealed(self, asking: Asking, patient: str, sought: Sought) -> str:
        """Seal what is sought, for one reader of one record."""
        return sealed_token(self._passage, _bound(asking, patient), msgspec.msgpack.encode(sought))

    def opened(self, asking: Asking, patient: str, token: str) -> Sought:
        """Open what was sealed. Raises `MalformedError`: altered, or of somebody else."""
        plain = opened_token(self._passage, _bound(asking, patient), token)
        try:
            return msgspec.msgpack.decode(plain, type=Sought)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise MalformedError("record.page-token") from None


def _bound(asking: Asking, patient: str) -> str:
    return f"acts {asking.actor.id} {patient}"
