"""The items of one record that may be seen, by type: what every search is worked out on.

One look at the packs of the permitted classes, whatever is asked: criteria, chains, includes, order and
totals know no other items (hapi-fhir #6065: a hidden value that still serves as a criterion is found by
halving). Cut halves stand beside their items. Nothing is revealed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

import msgspec

from serment.fhir.extent import may_meet
from serment.fhir.halves import HALF_OF
from serment.fhir.match import matcher, needles_for
from serment.fhir.match_links import Row
from serment.fhir.query import Query
from serment.fhir.search import joined, resource_types
from serment.model import Act, ItemClass, Permit
from serment.record import gate
from serment.record.gate import Item, View
from serment.store.contract import Snapshot

OF_ITEM = attrgetter("entry.id"), attrgetter("entry.updated")
"""Where the id and the instant of an item stand, for `order.newest_first`."""


@dataclass(slots=True)
class Gathered:
    """What may be seen of a record: live items by type, and the cut halves by `Type/id`."""

    view: View
    items: dict[str, list[Item]] = field(default_factory=dict)
    halves: dict[str, Item] = field(default_factory=dict)

    def of(self, type_: str) -> list[Item]:
        """Give the items of one type."""
        return self.items.get(type_, [])

    def rows(self, type_: str) -> Iterator[Row]:
        """Give what a search reads of the items of one type."""
        return map(self.row, self.of(type_))

    def row(self, item: Item) -> Row:
        """Give what a search reads of an item: id, instant (ms), values of both halves that may be seen."""
        entry = item.entry
        values = bytes(entry.values)
        if entry.type in HALF_OF and (half := self.halves.get(entry.reference)) is not None:
            values = joined(values, bytes(half.entry.values))
        return entry.id, entry.updated, values

    def complete(self, values: Mapping[tuple[str, int], msgspec.Raw]) -> None:
        """Put search values in the place of what older entries hold: (`Type/id`, version) → values."""
        for items in self.items.values() if values else ():
            for place, item in enumerate(items):
                whole = values.get((item.entry.reference, item.entry.version))
                if whole is not None:
                    items[place] = item._replace(entry=msgspec.structs.replace(item.entry, values=whole))

    def parts(self, item: Item) -> list[Item]:
        """Give an item with its other half, when that may be seen."""
        half = self.halves.get(item.entry.reference) if item.entry.type in HALF_OF else None
        return [item] if half is None else [item, half]


def stands_alone(query: Query) -> bool:
    """Say whether each entry answers a query by itself: no other item decides, comes along or is its half."""
    return not query.links and not query.includes and query.type not in HALF_OF


def answering(snapshot: Snapshot, view: View, query: Query) -> Gathered:
    """Open the packs of permitted classes that can hold an answer to a query that stands alone: its matches.

    What is passed over follows from the query and from what stands in permitted classes, nothing else.
    """
    found = Gathered(view, {query.type: []})
    kept, matches = found.items[query.type], matcher(query)
    wanted = [
        pack
        for pack in gate.listing(snapshot, view, _permits(view, {query.type}))
        if pack.listed is None or may_meet(pack.listed.extent(), query.clauses)
    ]
    for _, permit, unit, entries in gate.opened_of(snapshot, view, wanted, needles_for(query.clauses)):
        for entry in entries:
            if entry.type != query.type or entry.deleted or entry.part:
                continue
            if matches(entry.id, entry.updated, bytes(entry.values)):
                kept.append(Item(permit, unit, entry))
    return found


def _permits(view: View, types: Collection[str]) -> dict[int, Permit]:
    return gate.permitted(view, Act.READ, lambda unit: any(may_hold(unit, type_) for type_ in types))


def gathered(snapshot: Snapshot, view: View, types: Collection[str]) -> Gathered:
    """Open the packs of permitted classes that can hold the types."""
    wanted = frozenset(types)
    found = Gathered(view, {type_: [] for type_ in wanted})
    permits = _permits(view, wanted)
    for _, permit, unit, entries in gate.opened(snapshot, view, permits):
        for entry in entries:
            if entry.type not in wanted or entry.deleted:
                continue
            if entry.part:
                found.halves[entry.reference] = Item(permit, unit, entry)
            else:
                found.items[entry.type].append(Item(permit, unit, entry))
    return found


def may_hold(unit: ItemClass, type_: str) -> bool:
    """Say whether a class can hold the type: a plain resource's document type is its resource type."""
    return unit.document_type == type_ or unit.document_type not in resource_types()
