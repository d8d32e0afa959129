"""Searching inside one record, and the page tokens that lead on.

Only the packs of permitted classes are opened; the criteria, chains, the order, the total, the pages and
what they bring are worked out on those alone, so that an answer is the same with the hidden items and
without them. The directory is looked at for what a query asks of it, and traced as such. A page token is
sealed, bound to the caller and the record's epoch, and decided again when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from serment.errors import GoneError, MalformedError, NotSupportedError, RequestError, TooLargeError
from serment.fhir import match, order
from serment.fhir.halves import HALF_OF
from serment.fhir.match_links import Row, linked
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query import Query, parse
from serment.fhir.search import joined
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass, Receipt, RecordToken
from serment.record import gate, including, shelf, trace
from serment.record.asking import Asking
from serment.record.completing import Values, completed
from serment.record.gate import Item, Sealed, View
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
from serment.record.shelf import Gathered, answering, gathered, stands_alone
from serment.store.contract import Snapshot

may_hold = shelf.may_hold
"""Whether a class can hold a type: also for who gives a record as a whole."""

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
    """One page of answers, and what it brings. `total` counts what the caller may see.

    `next` is a sealed token or "".
    """

    query: Query
    served: list[Served] = field(repr=False)
    total: int
    next: str = field(default="", repr=False)
    included: list[Served] = field(default_factory=list, repr=False)


@dataclass(slots=True)
class _Shown:
    """Items of one record that an answer shows, with their sealed bodies."""

    here: Gathered
    items: list[Item]
    sealed: list[Sealed]


@dataclass(slots=True)
class _Found:
    """What one request may show, before its trace is durable. `refusal`: why it shows nothing after all."""

    view: View
    page: _Shown
    total: int
    rest: bool
    brought: list[_Shown] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)
    refusal: TooLargeError | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """One search: who asks what of which record, from where on, at which epoch of its facts."""

    asking: Asking
    query: Query
    reference: str
    offset: int
    epoch: int | None
    values: Values = field(default_factory=dict, repr=False)

    def directory_types(self) -> frozenset[str]:
        """Give the types of the directory that the query asks something of or may bring."""
        if self.reference == DIRECTORY:
            return frozenset()
        return (self.query.linked_types() | self.query.included_types()) & DIRECTORY_TYPES


class Searching:
    """The passage for searches inside a record."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def search(self, asking: Asking, query: Query, *, offset: int = 0) -> Page:
        """Search the one record that the query names. Raises `RequestError` when it names none or several."""
        return await self._page(_Look(asking, query, self.record_of(query), offset, None))

    async def directory(self, asking: Asking, query: Query, *, offset: int = 0) -> Page:
        """Search the directory: professionals, structures and the like."""
        return await self._page(_Look(asking, query, DIRECTORY, offset, None))

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
        return await self._page(_Look(asking, query, reference, mark.offset, mark.epoch))

    def record_of(self, query: Query) -> str:
        """Name the record of a clinical search."""
        if len(query.patients) != 1:
            raise RequestError("record.one-patient")
        return f"Patient/{query.patients[0]}"

    async def _page(self, look: _Look) -> Page:
        if look.directory_types():
            await warm(self._passage, look.asking, [DIRECTORY])
        await warm(self._passage, look.asking, [look.reference])
        values = await completed(self._passage, look.asking, look.reference, look.query)
        look = replace(look, values=values)
        with self._passage.store.snapshot() as snapshot:
            found = self._find(snapshot, look)
        receipts = {one.record: one for one in await settled(self._passage, found.entries)}
        if found.refusal is not None:
            raise found.refusal
        served = _revealed(found.page, receipts)
        included = [one for shown in found.brought for one in _revealed(shown, receipts)]
        query = look.query
        mark = PageMark(query.type, query.to_pairs(), look.offset + len(served), found.view.head.epoch)
        token = self._sealed(look.asking, mark) if found.rest else ""
        return Page(query, served, found.total, token, included)

    def _find(self, snapshot: Snapshot, look: _Look) -> _Found:
        query = look.query
        located, _ = self._passage.resolve(snapshot, look.reference)
        view = self._passage.view(snapshot, look.asking, located.record)
        if look.epoch is not None and look.epoch != view.head.epoch:
            raise GoneError("record.page-gone")
        here, directory, kept = self._kept(snapshot, look, view)
        ordered = (
            order.arranged(query, kept, here.row) if query.sort else order.newest_first(kept, *shelf.OF_ITEM)
        )
        page = _fitting(snapshot, here, ordered[look.offset : look.offset + query.count])
        rest = bool(page.items) and look.offset + len(page.items) < len(ordered)
        found = _Found(view, page, len(ordered), rest)
        if query.includes:
            self._bring(snapshot, look, found, directory)
        self._trace(look, found, directory)
        if query.patients and not ordered and not gate.permitted(view, Act.READ):
            # Nothing of this record is theirs to see: unknown, hidden and not opened lately are alike.
            denial = gate.denied(view.decide(PERSON, Act.READ))
            found.entries = trace.of_refusal(self._passage, view, Interaction.SEARCH, denial)
        return found

    def _kept(
        self, snapshot: Snapshot, look: _Look, view: View
    ) -> tuple[Gathered, Gathered | None, list[Item]]:
        """Look at what the query needs of the record and of the directory, and keep the items that match."""
        query = look.query
        if stands_alone(query) and not look.values:
            here = answering(snapshot, view, query)
            return here, None, here.of(query.type)
        here = gathered(snapshot, view, {query.type, *query.linked_types(), *query.included_types()})
        here.complete(look.values)
        directory = self._directory(snapshot, look)
        meets = linked_test(query, [here] if directory is None else [here, directory])
        return here, directory, matching(query, here.of(query.type), {}, here.row, meets)

    def _directory(self, snapshot: Snapshot, look: _Look) -> Gathered | None:
        """Look at the directory, when the query may need it: at all its items of the types asked about."""
        if not look.directory_types():
            return None
        located, _ = self._passage.resolve(snapshot, DIRECTORY)
        view = self._passage.view(snapshot, look.asking, located.record)
        return gathered(snapshot, view, look.query.linked_types() & DIRECTORY_TYPES)

    def _bring(self, snapshot: Snapshot, look: _Look, found: _Found, directory: Gathered | None) -> None:
        """Read what the page brings. What is too much shows nothing, once that is traced."""
        here = found.page.here
        brought = including.brought(here, found.page.items, look.query.includes)
        try:
            brought.check()
            found.brought.append(_complete(snapshot, here, brought.items))
            if directory is not None and brought.names:
                items = including.from_directory(snapshot, self._passage, directory.view, brought.names)
                found.brought.append(_complete(snapshot, directory, items))
        except TooLargeError as error:
            found.refusal, found.brought, found.page = error, [], _Shown(here, [], [])

    def _trace(self, look: _Look, found: _Found, directory: Gathered | None) -> None:
        """Make the entries: what is shown of the record, and of the directory where it was asked or shown."""
        shown = [found.page, *found.brought]
        for here in (found.page.here, directory):
            if here is None:
                continue
            items = [item for one in shown if one.here is here for item in one.items]
            if here is directory and not items and not look.query.linked_types() & DIRECTORY_TYPES:
                continue
            touched = [trace.touched(item, look.asking) for item in items]
            found.entries += trace.of_access(self._passage, here.view, Interaction.SEARCH, touched)

    def _sealed(self, asking: Asking, mark: PageMark) -> str:
        return sealed_token(self._passage, asking.actor.id, msgspec.msgpack.encode(mark))

    def _opened(self, asking: Asking, token: str) -> PageMark:
        return msgspec.msgpack.decode(opened_token(self._passage, asking.actor.id, token), type=PageMark)


def _fitting(snapshot: Snapshot, here: Gathered, items: list[Item]) -> _Shown:
    """Read the sealed bodies of as many items as fit in `MOST_BYTES`, a few at a time; one at least."""
    sealed: list[Sealed] = []
    size = done = 0
    while done < len(items) and size < MOST_BYTES:
        few, before = items[done : done + AT_ONCE], len(sealed)
        sealed += gate.fetch(snapshot, here.view, [part for item in few for part in here.parts(item)])
        done += len(few)
        size += weight(sealed[before:])
    return _Shown(here, items[:done], sealed)


def _complete(snapshot: Snapshot, here: Gathered, items: list[Item]) -> _Shown:
    """Read the sealed bodies of all the items. Raises `TooLargeError` when they are too much for a page."""
    shown = _fitting(snapshot, here, items)
    if len(shown.items) < len(items):
        raise TooLargeError("search.too-many-included", limit=including.MOST_INCLUDED)
    return shown


def candidates(snapshot: Snapshot, view: View, query: Query) -> tuple[list[Item], dict[str, Item]]:
    """Open the packs of permitted classes that can hold the type: live items, and cut halves by id."""
    found = gathered(snapshot, view, {query.type})
    return found.of(query.type), {half.entry.id: half for half in found.halves.values()}


def linked_test(query: Query, looked_at: Sequence[Gathered]) -> Callable[[Row], bool] | None:
    """Make the test of what a query asks of other items, on those looked at. None: it asks nothing."""
    if not query.links:
        return None
    return linked(
        query.type, query.links, lambda type_: (row for one in looked_at for row in one.rows(type_))
    )


def matching(
    query: Query,
    candidates: list[Item],
    contacts: dict[str, Item],
    row_of: Callable[[Item], Row] | None = None,
    meets: Callable[[Row], bool] | None = None,
) -> list[Item]:
    """Keep the items that the query asks for; a cut item is matched on both halves that may be seen.

    Raises `NotSupportedError` for a query with links and no `meets` to answer them: none is left out.
    """
    if query.links and meets is None:
        raise NotSupportedError("search.chain-not-here")
    matches = match.matcher(query)
    kept: list[Item] = []
    for item in candidates:
        facts = row_of(item) if row_of is not None else _joined_row(item, contacts)
        if matches(*facts) and (meets is None or meets(facts)):
            kept.append(item)
    return kept


def _joined_row(item: Item, contacts: dict[str, Item]) -> Row:
    entry = item.entry
    values = bytes(entry.values)
    if entry.type in HALF_OF and entry.id in contacts:
        values = joined(values, bytes(contacts[entry.id].entry.values))
    return entry.id, entry.updated, values


def row(item: Item) -> Row:
    """Give what an order reads of an item: id, instant (ms), search values."""
    entry = item.entry
    return entry.id, entry.updated, bytes(entry.values)


def _revealed(shown: _Shown, receipts: dict[RecordToken, Receipt]) -> list[Served]:
    """Open the bodies of what is shown, in its order."""
    if not shown.items:
        return []
    view = shown.here.view
    receipt = receipts[view.record]
    bodies = {
        (part.item.entry.reference, part.item.entry.part): gate.reveal(view, receipt, part)
        for part in shown.sealed
    }
    return [_served(item, bodies, shown.here) for item in shown.items]


def _served(item: Item, bodies: dict[tuple[str, str], bytes], here: Gathered) -> Served:
    entry = item.entry
    body = bodies[entry.reference, ""]
    half = bodies.get((entry.reference, HALF_OF.get(entry.type, "")))
    if half is not None and entry.type in HALF_OF:
        body = whole(item, body, here.halves[entry.reference], half)
    return Served(entry.type, entry.id, entry.version, entry.updated, False, item.unit, body)
