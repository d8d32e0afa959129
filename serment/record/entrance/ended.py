"""Which sessions and codes have ended, one by one or all of an actor: what the ledger says of it (ADR 27).

The row of a session that ends is dropped, and its end is an entry of the system record's chain, written
in the same transaction. Whoever puts the row back by hand puts back no more than the row: an entry cannot
be taken out of the ledger unseen. Each request reads, in the statement that reads its session, the number
of the chain's newest entry; when it has moved, the entries since are read. So an end that another
process wrote is known at the next request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from serment.errors import LedgerError
from serment.keys.trace_keys import TraceKeys
from serment.ledger.append import TOKEN_LABEL, Pending, Trail
from serment.ledger.chains import Chain
from serment.ledger.entry import MS_PER_HOUR, Event, Interaction, Kind
from serment.ledger.follow import open_row
from serment.ledger.port import YearKey
from serment.model import Actor, Instant, RequestId
from serment.record import trace
from serment.record.passage import SYSTEM, Passage, year_of
from serment.record.recovery import trail_of
from serment.record.writing import new_id
from serment.store.contract import Snapshot, Transaction

REMEMBERED: Final = 26 * MS_PER_HOUR
"""Longer than any session or code lasts: what ended before is over by its own hour."""

_SESSION: Final = "Session/"
_ACTOR: Final = "Actor/"
"""Of an actor: every session that began up to that instant has ended. Their epoch, which only grows."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """The keys of the system record's chain for one year, and for the year that has just ended."""

    trail: Trail
    years: Sequence[YearKey] = field(repr=False)

    @property
    def token(self) -> bytes:
        return self.trail.year.token(TOKEN_LABEL)


class Ended:
    """The ends of one process's last day. Calls may come from any thread."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._lock = Lock()
        self._chain: _Chain | None = None
        self._year = 0
        self._newest = 0
        self._tokens: dict[bytes, int] = {}

    def ready(self, now: Instant) -> None:
        """Read the ends of the last day, while custody is there. Raises what custody raises."""
        with self._passage.store.snapshot() as snapshot:
            founded = snapshot.locate(self._passage.installation.locator(SYSTEM)) is not None
        if founded:
            self.trail(now)

    def trail(self, now: Instant) -> bytes:
        """Name the chain in which the ends of this year stand: the store says what is newest in it."""
        return self._at(now).token

    def note(self, txn: Transaction, token: bytes, actor: Actor | None, now: Instant) -> None:
        """Write an end down, in the transaction that drops the row; of nobody, when it did not open."""
        self._note(txn, f"{_SESSION}{token.hex()}", actor, now)

    def note_all(self, txn: Transaction, whose: bytes, by: Actor, now: Instant) -> None:
        """Write down that all that an actor began up to now has ended. `whose` is the actor's token."""
        self._note(txn, f"{_ACTOR}{whose.hex()}", by, now)

    def _note(self, txn: Transaction, what_ended: str, actor: Actor | None, now: Instant) -> None:
        what = Event(
            t=now,
            request=RequestId(new_id()),
            interaction=Interaction.SIGN_OUT,
            actor=actor.id if actor else "",
            function=actor.function.value if actor else "",
            structure=actor.structure if actor else "",
            resources=(what_ended,),
            count=1,
        )
        trace.append(self._passage, txn, [Pending(self._at(now).trail, Chain.ORDINARY, what)])

    def add(self, token: bytes, now: Instant) -> None:
        """Know of an end at once, in this process: of a session, or of all that an actor began until now."""
        with self._lock:
            self._tokens[token] = now

    def has(self, token: bytes, actor: bytes, began: int, newest: int, now: Instant) -> bool:
        """Say whether a session has ended, when the chain's newest entry is this one.

        It has, by its own `token` or by that of its actor, when it did not begin later. Raises
        `LedgerError` when the chain has become shorter.
        """
        chain = self._at(now)
        with self._lock:
            if newest != self._newest:
                with self._passage.store.snapshot() as snapshot:
                    self._read(snapshot, chain, now)
            return token in self._tokens or self._tokens.get(actor, -1) >= began

    def since(self, actor: bytes, now: Instant) -> Instant:
        """Say from when on a session of this actor lasts: now, or just after all of theirs have ended."""
        self._at(now)
        with self._lock:
            return Instant(max(now, self._tokens.get(actor, -1) + 1))

    def _at(self, now: Instant) -> _Chain:
        """Give the chain of this year; at its turn, and at the start, read the ends of the last day."""
        with self._lock:
            if self._chain is None or self._year != year_of(now):
                self._chain, self._newest = self._keys(now), 0
                self._year = year_of(now)
                with self._passage.store.snapshot() as snapshot:
                    for year in self._chain.years:
                        self._take(snapshot, year, 0, now)
                    self._read(snapshot, self._chain, now)
            return self._chain

    def _keys(self, now: Instant) -> _Chain:
        passage = self._passage
        with passage.store.snapshot() as snapshot:
            record = passage.resolve(snapshot, SYSTEM)[0].record
        trail = trail_of(passage, record, RequestId(new_id()), now)
        keys = TraceKeys(passage.keyring.custody.year_keys(record)).years.values()
        return _Chain(trail, [key for key in keys if key.year == year_of(now) - 1])

    def _read(self, snapshot: Snapshot, chain: _Chain, now: Instant) -> None:
        """Read the entries since, and forget the ends that no longer matter."""
        end = snapshot.last_of(chain.token)
        newest = 0 if end is None else end[0]
        if newest < self._newest:
            raise LedgerError("ledger.entry-lost")
        self._take(snapshot, chain.trail.year, self._newest, now)
        self._newest = newest
        self._tokens = {token: at for token, at in self._tokens.items() if now - at < REMEMBERED}

    def _take(self, snapshot: Snapshot, year: YearKey, after: int, now: Instant) -> None:
        for token, at in _ends(snapshot, year, after, now):
            self._tokens[token] = at


def _ends(snapshot: Snapshot, year: YearKey, after: int, now: Instant) -> Iterator[tuple[bytes, int]]:
    """Give the sessions and actors that the entries of one year say have ended, with the instant (ms)."""
    first = (now - REMEMBERED) // MS_PER_HOUR
    for row in snapshot.entries_of(year.token(TOKEN_LABEL), after):
        if row.kind != Kind.SYSTEM or row.hour < first:
            continue
        event = open_row(row, year)[0].event
        if event.interaction is Interaction.SIGN_OUT:
            yield from (
                (bytes.fromhex(one.partition("/")[2]), event.t)
                for one in event.resources
                if one.startswith((_SESSION, _ACTOR))
            )
