"""A person's copy of their record (RGPD articles 15 and 20): an exit with its own lines in the trace.

In this order: what a ticket holds, the passage: beginning, counting, one file. Nothing is prepared and
nothing is kept: a ticket is sealed, bound to its holder and ends after an hour, and each file is made while
it is fetched, page by page. So there is no copy at rest to lose, memory does not grow with a record, and a
choice or an end of the session stops an export in its middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import msgspec

from serment.errors import GoneError, MalformedError, NotFoundError
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Permit
from serment.record import gate, gathering, trace
from serment.record.asking import Asking
from serment.record.everything import WHOLE, Everything, Page, Wanted
from serment.record.passage import Passage
from serment.record.reading import opened_token, sealed_token, settled, with_keys
from serment.record.searching import PERSON
from serment.record.streaming import Serving
from serment.store.contract import Snapshot

EXPORT = "export"
LASTS = 3600 * 1000
"""Milliseconds during which a ticket serves."""
A_PAGE = 200
HOLDER = "G1.holder"


class Ticket(msgspec.Struct, array_like=True, frozen=True):
    """What an export holds: whose record, which types (none: all), changed since (ms), begun when (ms).

    `file` is the type of one file, "" for the whole.
    """

    patient: str
    types: tuple[str, ...]
    since: int
    begun: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Census:
    """How many items of each type a file will hold."""

    counts: dict[str, int] = field(repr=False)


class Exporting:
    """The passage for exports."""

    def __init__(self, passage: Passage, everything: Everything, serving: Serving) -> None:
        self._passage = passage
        self._everything = everything
        self._serving = serving

    async def begin(self, asking: Asking, patient: str, types: tuple[str, ...], since: int) -> str:
        """Begin an export: the holder alone. Gives a sealed ticket. Raises `NotFoundError`."""
        ticket = Ticket(patient, types, since, asking.now)
        await self.census(asking, ticket)
        return self.sealed(asking, ticket)

    def sealed(self, asking: Asking, ticket: Ticket) -> str:
        """Seal a ticket for one caller."""
        return sealed_token(self._passage, f"{EXPORT} {asking.actor.id}", msgspec.msgpack.encode(ticket))

    def opened(self, asking: Asking, patient: str, token: str) -> Ticket:
        """Open a ticket. Raises `MalformedError` for one of somebody else, `GoneError` once it ended."""
        plain = opened_token(self._passage, f"{EXPORT} {asking.actor.id}", token)
        ticket = msgspec.msgpack.decode(plain, type=Ticket)
        if ticket.patient != patient:
            raise MalformedError("record.page-token")
        if not 0 <= asking.now - ticket.begun < LASTS:
            raise GoneError("operations.export-ended")
        return ticket

    async def census(self, asking: Asking, ticket: Ticket) -> Census:
        """Count what will leave, by type. Raises `NotFoundError` for anybody but the holder."""
        permitted, census, entries = await with_keys(
            self._passage, asking, lambda seen: self._count(seen, asking, ticket)
        )
        await settled(self._passage, entries, again=True)
        if not permitted:
            raise NotFoundError("record.not-found")
        return census

    def _count(
        self, snapshot: Snapshot, asking: Asking, ticket: Ticket
    ) -> tuple[bool, Census, list[Pending]]:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{ticket.patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        verdict = view.decide(PERSON, Act.READ)
        if not isinstance(verdict, Permit) or verdict.rule != HOLDER:
            denial = gate.denied(verdict)
            return False, Census({}), trace.of_refusal(passage, view, Interaction.EXPORT, denial)
        here = gathering.standing(snapshot, view, gate.permitted(view, Act.READ), lambda _: True)
        counted = Counter(
            item.entry.type
            for item in here.items
            if here.updated(item) >= ticket.since and (not ticket.types or item.entry.type in ticket.types)
        )
        entries = trace.of_access(passage, view, Interaction.EXPORT, [], verdict.rule)
        return True, Census(dict(sorted(counted.items()))), entries

    async def file(self, asking: Asking, ticket: Ticket) -> AsyncIterator[bytes]:
        """Make one file: a resource on each line. The first page is decided and traced before it is given.

        Raises `NotFoundError` when nothing may be seen any more.
        """
        wanted = Wanted(ticket.patient, (ticket.file,), ticket.since, A_PAGE)
        first = await self._everything.page(asking, wanted, Interaction.EXPORT)
        return self._lines(asking, ticket, wanted, first)

    async def _lines(
        self, asking: Asking, ticket: Ticket, wanted: Wanted, page: Page
    ) -> AsyncIterator[bytes]:
        while True:
            for one in page.served:
                if one.type == "Binary":
                    async for piece in self._content(asking, one.id):
                        yield piece
                else:
                    yield _line(one.body)
                yield b"\n"
            if not page.next:
                return
            asking = replace(asking, now=self._passage.clock())
            wanted = self._everything.follow(asking, WHOLE, ticket.patient, (ticket.file,), page.next)
            page = await self._everything.page(asking, wanted, Interaction.EXPORT)

    async def _content(self, asking: Asking, id_: str) -> AsyncIterator[bytes]:
        """Give a Binary with its content, opened as by its own address."""
        opened = await self._serving.open(replace(asking, now=self._passage.clock()), id_)
        async for piece in opened.json():
            yield _line(piece)


def _line(text: bytes) -> bytes:
    """Put JSON on one line: a line break stands between its values only, never inside a string (RFC 8259)."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")
