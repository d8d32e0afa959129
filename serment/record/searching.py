"""Searching inside one record, and the page tokens that lead on.

Only the packs of permitted classes are opened; the criteria, the order, the total and the pages are
worked out on those alone, so that an answer is the same with the hidden items and without them.
A page token is sealed, bound to the caller and the record's epoch, and decided again when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from serment.errors import GoneError, MalformedError, RequestError
from serment.fhir import match, order
from serment.fhir.query import Query, parse
from serment.fhir.search import joined, resource_types
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.incoming import CUT
from serment.record.passage import DIRECTORY, Passage
from serment.record.reading import (
    MOST_BYTES,
    Served,
    opened_token,
    sealed_token,
    settled,
    warm,
    weight,
    whole,
)
from serment.store.contract import Snapshot

PERSON = ItemClass(Category.IDENTITY, "Patient")
"""The class that a search is refused on."""


AT_ONCE = 8
"""Items whose bodies are read in one statement: no page stands in memory beyond `MOST_BYTES` and these."""


class PageMark(msgspec.Struct, array_like=True, frozen=True):
    """What a page token holds: the query, where its next page begins, the epoch it was made at."""

    type: str
    pairs: list[tuple[str, str]]
    offset: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of answers. `total` counts what the caller may see; `next` is a sealed token or ""."""

    query: Query
    served: list[Served] = field(repr=False)
    total: int
    next: str = field(default="", repr=False)


@dataclass(slots=True)
class _Found:
    view: View
    items: list[Item]
    contacts: dict[str, Item]
    total: int
    rest: bool
    sealed: list[Sealed] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)


class Searching:
    """The passage for searches inside a record."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def search(self, asking: Asking, query: Query, *, offset: int = 0) -> Page:
        """Search the one record that the query names. Raises `RequestError` when it names none or several."""
        return await self._page(asking, query, self.record_of(query), offset, None)

    async def directory(self, asking: Asking, query: Query, *, offset: int = 0) -> Page:
        """Search the directory: professionals, structures and the like."""
        return await self._page(asking, query, DIRECTORY, offset, None)

    async def go_on(self, asking: Asking, type_: str, token: str) -> Page:
        """Follow a page token of a search of `type_`.

        Raises `MalformedError` for a token that is altered, of another caller or of another type, and
        `GoneError` when the record's facts have changed since.
        """
        mark = self._opened(asking, token)
        if mark.type != type_:
            raise MalformedError("record.page-token")
        query = parse(mark.type, mark.pairs)
        reference = f"Patient/{query.patients[0]}" if query.patients else DIRECTORY
        return await self._page(asking, query, reference, mark.offset, mark.epoch)

    def record_of(self, query: Query) -> str:
        """Name the record of a clinical search."""
        if len(query.patients) != 1:
            raise RequestError("record.one-patient")
        return f"Patient/{query.patients[0]}"

    async def _page(
        self, asking: Asking, query: Query, reference: str, offset: int, epoch: int | None
    ) -> Page:
        await warm(self._passage, asking, [reference])
        with self._passage.store.snapshot() as snapshot:
            found = self._find(snapshot, asking, query, reference, offset, epoch)
        receipts = await settled(self._passage, found.entries)
        bodies = {
            (part.item.entry.id, part.item.entry.part): gate.reveal(found.view, receipts[0], part)
            for part in found.sealed
        }
        served = [_served(item, bodies, found.contacts) for item in found.items]
        mark = PageMark(query.type, query.to_pairs(), offset + len(served), found.view.head.epoch)
        return Page(query, served, found.total, self._sealed(asking, mark) if found.rest else "")

    def _find(
        self,
        snapshot: Snapshot,
        asking: Asking,
        query: Query,
        reference: str,
        offset: int,
        epoch: int | None,
    ) -> _Found:
        located, _ = self._passage.resolve(snapshot, reference)
        view = self._passage.view(snapshot, asking, located.record)
        if epoch is not None and epoch != view.head.epoch:
            raise GoneError("record.page-gone")
        here, contacts = candidates(snapshot, view, query)
        ordered = order.arranged(query, matching(query, here, contacts), row)
        page, sealed = _fitting(snapshot, view, ordered[offset : offset + query.count], contacts)
        rest = bool(page) and offset + len(page) < len(ordered)
        found = _Found(view, page, contacts, len(ordered), rest, sealed)
        items = [trace.touched(item, asking) for item in page]
        found.entries = trace.of_access(self._passage, view, Interaction.SEARCH, items)
        if query.patients and not ordered and not gate.permitted(view, Act.READ):
            # Nothing of this record is theirs to see: unknown, hidden and not opened lately are alike.
            denial = gate.denied(view.decide(PERSON, Act.READ))
            found.entries = trace.of_refusal(self._passage, view, Interaction.SEARCH, denial)
        return found

    def _sealed(self, asking: Asking, mark: PageMark) -> str:
        return sealed_token(self._passage, asking.actor.id, msgspec.msgpack.encode(mark))

    def _opened(self, asking: Asking, token: str) -> PageMark:
        return msgspec.msgpack.decode(opened_token(self._passage, asking.actor.id, token), type=PageMark)


def _fitting(
    snapshot: Snapshot, view: View, items: list[Item], contacts: dict[str, Item]
) -> tuple[list[Item], list[Sealed]]:
    """Read the sealed bodies of as many items as fit in `MOST_BYTES`, a few at a time; one at least."""
    sealed: list[Sealed] = []
    size = done = 0
    while done < len(items) and size < MOST_BYTES:
        few, before = items[done : done + AT_ONCE], len(sealed)
        parts = [*few, *(contacts[item.entry.id] for item in few if item.entry.id in contacts)]
        sealed += gate.fetch(snapshot, view, parts)
        done += len(few)
        size += weight(sealed[before:])
    return items[:done], sealed


def candidates(snapshot: Snapshot, view: View, query: Query) -> tuple[list[Item], dict[str, Item]]:
    """Open the packs of permitted classes that can hold the type: live items, and cut halves by id."""
    permits = gate.permitted(view, Act.READ, lambda unit: may_hold(unit, query.type))
    items: list[Item] = []
    contacts: dict[str, Item] = {}
    for _, permit, unit, entries in gate.opened(snapshot, view, permits):
        for entry in entries:
            if entry.type != query.type or entry.deleted:
                continue
            if entry.part:
                contacts[entry.id] = Item(permit, unit, entry)
            else:
                items.append(Item(permit, unit, entry))
    return items, contacts


def may_hold(unit: ItemClass, type_: str) -> bool:
    """Say whether a class can hold the type: a plain resource's document type is its resource type."""
    return unit.document_type == type_ or unit.document_type not in resource_types()


def matching(query: Query, candidates: list[Item], contacts: dict[str, Item]) -> list[Item]:
    """Keep the items that the query asks for; a cut item is matched on both halves that may be seen."""
    matches = match.matcher(query)
    kept: list[Item] = []
    for item in candidates:
        entry = item.entry
        values = bytes(entry.values)
        if query.type in CUT and entry.id in contacts:
            values = joined(values, bytes(contacts[entry.id].entry.values))
        if matches(entry.id, entry.updated, values):
            kept.append(item)
    return kept


def row(item: Item) -> tuple[str, int, bytes]:
    """Give what an order reads of an item: id, instant (ms), search values."""
    entry = item.entry
    return entry.id, entry.updated, bytes(entry.values)


def _served(item: Item, bodies: dict[tuple[str, str], bytes], contacts: dict[str, Item]) -> Served:
    entry = item.entry
    body = bodies[entry.id, ""]
    contact = bodies.get((entry.id, "contact"))
    if contact is not None:
        body = whole(item, body, contacts[entry.id], contact)
    return Served(entry.type, entry.id, entry.version, entry.updated, False, item.unit, body)
