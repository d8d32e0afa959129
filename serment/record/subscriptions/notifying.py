"""Telling those who asked: an exit, one notice at a time (HOUSE promise 9).

A notice says one thing: that something is new for a subscription, named by its id. Before it leaves it is
taken by one sender for a time (a lease, so that several processes share the work and one that dies is
followed by another), held once more against the decision of this moment as the subscriber, and traced in
the chain of the patient's record. All three in one transaction, then the sending, then what became of it.
So a notice may come twice, after a crash; it never comes before the commit, and none is lost.

Order: the port, what leaves, the passage: a turn, one notice. No clock is read but the passage's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar

import msgspec

from serment.errors import CustodyError, GoneError, IntegrityError, LockedError
from serment.fhir.subscription import LONGEST, TYPE
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Actor, Instant, Purpose, RequestId
from serment.record import trace
from serment.record.alarms import INTEGRITY, NOTICE_FAILED
from serment.record.asking import Asking
from serment.record.entrance.signed import actor_of
from serment.record.gate import Item, View
from serment.record.passage import OUTBOX, Passage
from serment.record.pen import Pen
from serment.record.shelf import answering
from serment.record.subscriptions import outbox
from serment.record.subscriptions.outbox import Address, Notice
from serment.record.subscriptions.subscribers import Subscription, asking_of, lines, seen_by
from serment.record.today import KEEPER
from serment.record.writing import new_id, written
from serment.store.contract import Snapshot

T = TypeVar("T")

AT_ONCE: Final = 64
"""Notices of one turn."""


class Carrier(Protocol):
    """Who carries a notice to an address. `True` says that the receiver took it."""

    def carry(self, departure: Departure) -> bool: ...


Acting = Callable[[Asking, Actor], bool]
"""Whether somebody may act in a role now, as far as the installation knows them."""


def _everybody(_asking: Asking, _actor: Actor) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Departure:
    """What leaves: where to, with which secret, for which subscription. Nothing else is known of it."""

    url: str
    secret: str = field(repr=False)
    private: bool
    subscription: str


class Notifying:
    """Tells what waits, in turns that one thread takes."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._head = b""
        self._next = 0

    def turn(
        self, carrier: Carrier, go_on: Callable[[], bool] = lambda: True, acts: Acting = _everybody
    ) -> int:
        """Send what is due, as long as `go_on` says so. Gives how many notices were taken by a receiver.

        `acts` says whether somebody may still act in the role in which they asked to be told.

        Where nothing waits it reads one row. Raises `DependencyError`, `TooManyError`: what waits goes on
        waiting; `IntegrityError` when the outbox is not what was written.
        """
        asking = self._asking()
        waiting = self._waiting(asking)
        over = [one for one in waiting if one.end + LONGEST <= asking.now]
        if over:
            self._in_outbox(asking, lambda pen: _forget(pen, over))
        due = [one for one in waiting if one.is_due(asking.now) and one not in over]
        return sum(self._send(notice, carrier, acts) for notice in due[:AT_ONCE] if go_on())

    def _asking(self) -> Asking:
        return Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), self._passage.clock())

    def _waiting(self, asking: Asking) -> list[Notice]:
        """Read the notices, when the outbox has changed or something has come due since the last look."""
        passage, now = self._passage, asking.now
        with passage.store.snapshot() as snapshot:
            located = snapshot.locate(passage.installation.locator(OUTBOX))
            row = None if located is None else snapshot.record(located.record)
            if row is None or (row.head == self._head and now < self._next):
                return []
            waiting = outbox.notices(snapshot, outbox.look(passage, snapshot, asking))
        if any(one.state == outbox.FAILED for one in waiting):
            passage.alarms.ring(NOTICE_FAILED)
        times = [one.next for one in waiting if one.state in {outbox.DUE, outbox.SENDING}]
        self._head, self._next = row.head, min(times, default=now + LONGEST)
        return waiting

    def _send(self, notice: Notice, carrier: Carrier, acts: Acting) -> bool:
        """Send one notice. A record that is damaged or destroyed holds up no other."""
        asking = self._asking()
        try:
            self._warm(notice, asking)
            whose = self._whose(notice, asking)
            if whose is not None and not acts(asking, whose):
                self._in_outbox(asking, lambda pen: _keep_back(pen, notice))
                return False
            departure = self._in_outbox(asking, lambda pen: _take(pen, notice))
        except (LockedError, CustodyError):
            return False
        except (IntegrityError, GoneError) as error:
            if isinstance(error, IntegrityError):
                self._passage.alarms.ring(INTEGRITY)
            self._in_outbox(asking, lambda pen: _put_off(pen, notice))
            return False
        if departure is None:
            return False
        taken = carrier.carry(departure)
        after = self._asking()
        self._in_outbox(after, lambda pen: _settle(pen, notice, after.now, taken=taken))
        return taken

    def _warm(self, notice: Notice, asking: Asking) -> None:
        """Have the keys at hand before the writer needs them."""
        passage = self._passage
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, f"Patient/{notice.patient}")
            epoch = snapshot.epoch(located.record)
        if epoch is not None:
            passage.keyring.of(located.record, epoch, asking.request, asking.now)

    def _whose(self, notice: Notice, asking: Asking) -> Actor | None:
        """Say who asked to be told, in which role; None when the subscription is gone."""
        with self._passage.store.snapshot() as snapshot:
            located, _ = self._passage.resolve(snapshot, f"Patient/{notice.patient}")
            facts = self._passage.view(snapshot, asking, located.record).facts
        return next((actor_of(one) for one in lines(facts) if one.id == notice.subscription), None)

    def _in_outbox(self, asking: Asking, job: Callable[[Pen], T]) -> T:
        passage = self._passage
        return passage.store.submit(lambda txn: written(passage, txn, asking, job)).result()


def _take(pen: Pen, notice: Notice) -> Departure | None:
    """Take a notice, decide once more, trace that it leaves. None: another has it, or nothing is to tell."""
    draft, now = outbox.draft_of(pen), pen.asking.now
    found = outbox.standing(draft, notice.subscription)
    if found is None or not found[1].is_due(now) or found[1].tries != notice.tries:
        return None
    item, standing = found
    address = next(
        (one for one in outbox.addresses(pen.txn, draft.view) if one.url == standing.endpoint), None
    )
    outbox.keep(pen, draft)
    if address is None:  # taken away since: nothing can be told there
        outbox.put_notice(draft, standing.failed(), now, item)
        return None
    entries = _leaving(pen, standing, address)
    outbox.put_notice(draft, standing.taken(now) if entries else standing.told(now), now, item)
    if not entries:
        return None
    trace.append(pen.passage, pen.txn, entries)
    return Departure(address.url, address.secret, address.private, standing.subscription)


def _leaving(pen: Pen, notice: Notice, address: Address) -> list[Pending]:
    """Make the trace of telling a subscriber; nothing when there is nothing that they may read (any more)."""
    located, _ = pen.passage.resolve(pen.txn, f"Patient/{notice.patient}")
    opened = pen.passage.view(pen.txn, pen.asking, located.record)
    one = next((one for one in lines(opened.facts) if one.id == notice.subscription), None)
    if one is None or not one.live(pen.asking.now):
        return []
    view = seen_by(opened, opened.facts, asking_of(one, pen.asking.request, pen.asking.now))
    items = _news(pen.txn, view, one, notice.since)
    if not items:
        return []
    named = f"{TYPE}/{one.id}/_history/{one.version}"
    # One line for each chain that the news stand in, whatever their number.
    touched = {found.chain: found for found in (trace.touched(item, view.asking) for item in items)}
    said = trace.of_access(
        pen.passage, view, Interaction.NOTIFY, [replace(found, reference=named) for found in touched.values()]
    )
    return [_addressed(entry, address) for entry in said]


def _addressed(entry: Pending, address: Address) -> Pending:
    """Say in a trace which address something leaves for."""
    return replace(entry, event=msgspec.structs.replace(entry.event, recipient=address.name, count=1))


def _news(snapshot: Snapshot, view: View, one: Subscription, since: int) -> list[Item]:
    """Give what the subscriber may read now, that meets their criteria and was written since (ms).

    The store is held meanwhile: of a large record only the packs that hold something so new are opened.
    """
    query = one.query(since)
    return [] if query is None else answering(snapshot, view, query).of(one.type)


def _forget(pen: Pen, over: Sequence[Notice]) -> None:
    """Drop the notices of subscriptions that ended long ago."""
    draft = outbox.draft_of(pen)
    for one in over:
        found = outbox.standing(draft, one.subscription)
        if found is not None and found[1] == one:
            draft.take(found[0])
            outbox.keep(pen, draft)


def _keep_back(pen: Pen, notice: Notice) -> None:
    """Tell nobody: who asked acts in that role no more. What comes later is kept back in its turn."""
    draft = outbox.draft_of(pen)
    found = outbox.standing(draft, notice.subscription)
    if found is not None and found[1].is_due(pen.asking.now):
        outbox.put_notice(draft, found[1].told(pen.asking.now), pen.asking.now, found[0])
        outbox.keep(pen, draft)


def _put_off(pen: Pen, notice: Notice) -> None:
    """Try again later what could not be looked at."""
    draft, now = outbox.draft_of(pen), pen.asking.now
    found = outbox.standing(draft, notice.subscription)
    if found is not None and found[1].is_due(now):
        outbox.put_notice(draft, found[1].taken(now).missed(now), now, found[0])
        outbox.keep(pen, draft)


def _settle(pen: Pen, notice: Notice, now: Instant, *, taken: bool) -> None:
    """Write down what became of a sending, unless another has the notice by now."""
    draft = outbox.draft_of(pen)
    found = outbox.standing(draft, notice.subscription)
    if found is None or found[1].state != outbox.SENDING or found[1].tries != notice.tries + 1:
        return
    item, standing = found
    after = standing.told(now) if taken else standing.missed(now)
    outbox.put_notice(draft, after, now, item)
    outbox.keep(pen, draft)
