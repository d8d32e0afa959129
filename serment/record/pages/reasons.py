"""The reasons that stand apart from appointments and visits (ADR 66), for pages that pick items of a record.

A page picks what an agenda holds; whoever may read the reasons too has them joined, with the same permits and
in the same trace. Order: which classes hold them, finding those of some items, joining.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from serment.fhir.halves import HALF_OF, REASON
from serment.model import ItemClass, Permit, Receipt
from serment.record import gate
from serment.record.gate import Item, Sealed, View
from serment.record.incoming import HALVES
from serment.record.reading import whole
from serment.store.contract import Snapshot


def only_reasons(unit: ItemClass) -> bool:
    """Say whether a class holds nothing but reasons: they are no items of their own."""
    return unit.category is HALVES[REASON] and HALF_OF.get(unit.document_type) == REASON


def beside(
    snapshot: Snapshot, view: View, permits: Mapping[int, Permit], items: Collection[Item]
) -> list[Item]:
    """Give the reasons of some items, those that may be read."""
    wanted = {item.entry.reference for item in items if HALF_OF.get(item.entry.type) == REASON}
    types = {one.partition("/")[0] for one in wanted}
    units = view.head.classes()
    few = {
        place: permit
        for place, permit in permits.items()
        if only_reasons(units[place]) and units[place].document_type in types
    }
    return [
        Item(permit, unit, entry)
        for _, permit, unit, entries in gate.opened(snapshot, view, few)
        for entry in entries
        if entry.part and not entry.deleted and entry.reference in wanted
    ]


def revealed(view: View, receipt: Receipt, sealed: Collection[Sealed]) -> dict[tuple[str, str], bytes]:
    """Open bodies whose trace is durable, items with their reasons: (`Type/id`, part) → bytes."""
    items = {(one.item.entry.reference, one.item.entry.part): one.item for one in sealed}
    bodies = {
        (one.item.entry.reference, one.item.entry.part): gate.reveal(view, receipt, one) for one in sealed
    }
    for name, part in items:
        if part == REASON:
            here, half = (name, ""), (name, part)
            bodies[here] = whole(items[here], bodies[here], items[half], bodies[half])
    return bodies
