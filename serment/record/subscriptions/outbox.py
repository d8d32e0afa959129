"""The outbox: the addresses that the installation registered, and what waits to be said to them.

A record of the installation's own, made at `init`, sealed and chained like any other. It holds no content
and no criteria: an address is a name and a place, a notice says which subscription of which record is to be
told. One notice for each subscription, however much happens: what waits is bounded by who asked. A write
that somebody is to hear of changes the notice in the same transaction (ADR 36).

Order: addresses, notices and their states (pure), the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from serment.errors import IntegrityError
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass, Label, Permit
from serment.record import gate, trace
from serment.record.draft import Draft
from serment.record.gate import Item, View
from serment.record.index import Entry
from serment.record.passage import OUTBOX, Passage
from serment.record.today import KEEPER, of_installation
from serment.store.contract import Snapshot

if TYPE_CHECKING:
    from serment.record.asking import Asking
    from serment.record.pen import Pen

TYPE = "Outbox"
"""Type of the entries; no resource of FHIR has this name."""

S = TypeVar("S", bound=msgspec.Struct)

# Addresses.


class Address(msgspec.Struct, array_like=True, frozen=True):
    """One registered address. `basis` is the legal basis of a transfer outside the EU, "" inside.

    `secret` is the bearer token that we send, so that the receiver knows us; `private` says that the address
    may stand in a private network.
    """

    name: str
    url: str
    country: str
    basis: str
    secret: str
    private: bool
    added: int

    def __repr__(self) -> str:
        return f"Address({self.country})"


# Notices.

IDLE: Final = "idle"
DUE: Final = "due"
SENDING: Final = "sending"
FAILED: Final = "failed"

GAP: Final = 5_000
"""Milliseconds between two notices of one subscription: a flood of writes is a trickle of notices."""
LEASE: Final = 60_000
"""Milliseconds for which one sender has a notice; who died in it is followed by another."""
FIRST_PAUSE: Final = 10_000
LONGEST_PAUSE: Final = 3_600_000
MOST_TRIES: Final = 14
"""Pauses of 10 s, 20 s, … one hour at most: given up after some six hours."""


class Notice(msgspec.Struct, array_like=True, frozen=True):
    """What one subscription waits for. Instants in ms.

    `since` is the first match that was not told; `next` when to send, or until when a sender has it; `again`
    the first match since the sending began, 0 for none.
    """

    subscription: str
    patient: str
    actor: str
    endpoint: str
    end: int
    state: str = IDLE
    since: int = 0
    next: int = 0
    tries: int = 0
    again: int = 0

    def matched(self, now: int) -> Notice:
        """Hear of a match. What waits already changes only by an earlier one, and what failed stays so.

        Two writes may commit in another order than they began in: none of them is older than `since`.
        """
        if self.state == IDLE:
            return msgspec.structs.replace(self, state=DUE, since=now, next=max(now, self.next), tries=0)
        if self.state == DUE and now < self.since:
            return msgspec.structs.replace(self, since=now)
        if self.state == SENDING and not 0 < self.again <= now:
            return msgspec.structs.replace(self, again=now)
        return self

    def changed(self, end: int) -> Notice:
        """Hear that its subscription was changed: what waits goes on waiting, what failed is forgotten."""
        if self.state == FAILED:
            return Notice(self.subscription, self.patient, self.actor, self.endpoint, end)
        return msgspec.structs.replace(self, end=end)

    def is_due(self, now: int) -> bool:
        """Say whether to send now: it waits, or who was sending it never came back."""
        return self.state in {DUE, SENDING} and self.next <= now

    def taken(self, now: int) -> Notice:
        """Give it to one sender."""
        return msgspec.structs.replace(self, state=SENDING, next=now + LEASE, tries=self.tries + 1)

    def told(self, now: int) -> Notice:
        """Say that it was told, or that there is nothing to tell; what came meanwhile waits its turn."""
        idle = msgspec.structs.replace(self, state=IDLE, since=0, next=now + GAP, tries=0, again=0)
        return idle.matched(self.again) if self.again else idle

    def missed(self, now: int) -> Notice:
        """Say that it could not be told: later, or never when it was tried often enough."""
        if self.tries >= MOST_TRIES:
            return self.failed()
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.tries - 1))
        since = min(self.since, self.again or self.since)
        return msgspec.structs.replace(self, state=DUE, since=since, next=now + pause, again=0)

    def failed(self) -> Notice:
        """Give up."""
        return msgspec.structs.replace(self, state=FAILED, again=0)

    def __repr__(self) -> str:
        return f"Notice({self.state})"


# The record.


def unit_of(part: str) -> ItemClass:
    """Give the class of one part: each stands in packs of its own."""
    return ItemClass(Category.UNMAPPED, f"{TYPE} {part}", (Label.VERY_RESTRICTED.value,), KEEPER.id)


ADDRESSES: Final = unit_of("addresses")
NOTICES: Final = unit_of("notices")


def look(passage: Passage, snapshot: Snapshot, asking: Asking) -> View:
    """Look at the outbox as its keeper, within the same act. Raises `IntegrityError` when there is none."""
    located = snapshot.locate(passage.installation.locator(OUTBOX))
    if located is None:
        raise IntegrityError("record.row-missing")
    view = passage.view(snapshot, of_installation(asking), located.record)
    view.depositing = True
    return view


def addresses(snapshot: Snapshot, view: View) -> list[Address]:
    """Read the registered addresses, by name."""
    found = (_read(item, Address) for item in _items(snapshot, view, ADDRESSES))
    return sorted(found, key=lambda one: one.name)


def notices(snapshot: Snapshot, view: View) -> list[Notice]:
    """Read every notice, in the order in which they are due."""
    found = (_read(item, Notice) for item in _items(snapshot, view, NOTICES))
    return sorted(found, key=lambda one: (one.next, one.subscription))


def notice(snapshot: Snapshot, passage: Passage, view: View, subscription: str) -> Notice | None:
    """Read one notice; None when there is none."""
    located, known = passage.resolve(snapshot, f"{TYPE}/{subscription}")
    if not known or located.record != view.record:
        return None
    item = gate.current(snapshot, view, located.pack, (TYPE, subscription, ""), Act.WRITE)
    return _read(item, Notice) if isinstance(item, Item) else None


def draft_of(pen: Pen) -> Draft:
    """Open the outbox for writing; the pen writes it down once `keep` was said."""
    view = look(pen.passage, pen.txn, pen.asking)
    return pen.drafts.get(view.record) or Draft(pen.passage, pen.txn, view)


def standing(draft: Draft, subscription: str) -> tuple[Item, Notice] | None:
    """Find one notice for changing it; None when there is none (any more)."""
    item = _item(draft, subscription)
    return None if item is None else (item, _read(item, Notice))


def address_item(draft: Draft, name: str) -> Item | None:
    """Find one address for taking it away."""
    return _item(draft, _address_id(name))


def put_notice(draft: Draft, new: Notice, now: int, old: Item | None = None) -> None:
    """Put a notice, in place of the old one."""
    _put(draft, NOTICES, new.subscription, new, now, old)


def put_address(draft: Draft, new: Address, now: int) -> None:
    """Put an address."""
    _put(draft, ADDRESSES, _address_id(new.name), new, now, None)


def keep(pen: Pen, draft: Draft, interaction: Interaction = Interaction.UPDATE, reference: str = "") -> None:
    """Have the pen write the draft and its trace. Raises `IntegrityError` when its keeper may not."""
    verdict = draft.view.decide(NOTICES, Act.WRITE)
    if not isinstance(verdict, Permit):
        raise IntegrityError("record.altered")
    touched = trace.of_facts(verdict.rule)
    if reference:
        touched = trace.Touched(reference, touched.chain, verdict.rule)
    pen.drafts[draft.record] = draft
    pen.did(draft, interaction, touched)


def _address_id(name: str) -> str:
    return f"address.{name}"


def _items(snapshot: Snapshot, view: View, unit: ItemClass) -> Iterator[Item]:
    permits = gate.permitted(view, Act.WRITE, lambda one: one == unit)
    for _, items in gate.packs(snapshot, view, permits):
        yield from items


def _item(draft: Draft, id_: str) -> Item | None:
    """Find an entry. One that was taken away leads to a pack that lists it no more, or that is gone.

    All packs of the class are opened: what is damaged is found here, never while a write is written down.
    """
    located = draft.txn.locate(draft.passage.installation.locator(f"{TYPE}/{id_}"))
    if located is None:
        return None
    part = ADDRESSES if id_.startswith("address.") else NOTICES
    found = {item.entry.id: item for item in _items(draft.txn, draft.view, part)}
    return found.get(id_)


def _put(draft: Draft, unit: ItemClass, id_: str, value: msgspec.Struct, now: int, old: Item | None) -> None:
    if old is not None:
        draft.take(old)
    values = msgspec.Raw(msgspec.msgpack.encode(value))
    draft.place(unit, Entry(TYPE, id_, 1, "", now, True, 0, b"", None, values))


def _read(item: Item, kind: type[S]) -> S:
    try:
        return msgspec.msgpack.decode(bytes(item.entry.values), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
