"""Many items of one record at once, for what gives a record as a whole: page by page, never all in memory.

In this order: what stands in the permitted packs, the sealed bodies of one page, what is served of them.
A cut item counts as one: its contact half comes with it to whoever may see that half. Content of a Binary
stays where it is; it is fetched by its own address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from serment.model import Permit, Receipt
from serment.record import gate
from serment.record.gate import Item, Sealed, View
from serment.record.index import Entry
from serment.record.reading import MOST_BYTES, Served, as_it_was, weight, whole
from serment.store.contract import Snapshot

AT_ONCE = 64
"""Items whose bodies are read in one statement."""

Key = tuple[str, str]
"""Type and id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may see of a record now: its live items, and the contact halves by type and id."""

    items: list[Item] = field(repr=False)
    contacts: dict[Key, Item] = field(repr=False)

    def updated(self, item: Item) -> int:
        """Give when an item or its contact half last changed, in ms."""
        half = self.contacts.get(key(item.entry))
        return item.entry.updated if half is None else max(item.entry.updated, half.entry.updated)


def key(entry: Entry) -> Key:
    """Name an entry."""
    return entry.type, entry.id


def standing(
    snapshot: Snapshot, view: View, permits: dict[int, Permit], keep: Callable[[Entry], bool]
) -> Standing:
    """Open the packs of the permitted classes and keep the live entries that `keep` says."""
    items: list[Item] = []
    contacts: dict[Key, Item] = {}
    for _, permit, unit, entries in gate.opened(snapshot, view, permits):
        for entry in entries:
            if entry.deleted or not keep(entry):
                continue
            if entry.part:
                contacts[key(entry)] = Item(permit, unit, entry)
            else:
                items.append(Item(permit, unit, entry))
    return Standing(items, contacts)


def fitting(
    snapshot: Snapshot,
    view: View,
    items: Sequence[Item],
    contacts: dict[Key, Item],
    most: int = MOST_BYTES,
    at_once: int = AT_ONCE,
) -> tuple[list[Item], list[Sealed]]:
    """Read the sealed bodies of as many items as fit in `most` bytes, `at_once` a time; one at least."""
    sealed: list[Sealed] = []
    size = done = 0
    while done < len(items) and size < most:
        few, before = items[done : done + at_once], len(sealed)
        halves = [contacts[key(item.entry)] for item in few if key(item.entry) in contacts]
        sealed += gate.fetch(snapshot, view, [*few, *halves])
        done += len(few)
        size += weight(sealed[before:])
    return list(items[:done]), sealed


def served(
    view: View, receipt: Receipt, items: Collection[Item], contacts: dict[Key, Item], sealed: list[Sealed]
) -> list[Served]:
    """Open bodies whose trace is durable, and join the halves of what was cut."""
    bodies = {id(part.item): gate.reveal(view, receipt, part) for part in sealed}
    return [_one(item, bodies, contacts.get(key(item.entry))) for item in items]


def _one(item: Item, bodies: dict[int, bytes], contact: Item | None) -> Served:
    entry, body = item.entry, bodies.get(id(item), b"")
    half = None if contact is None else bodies.get(id(contact))
    if contact is not None and half is not None:
        body = whole(item, body, contact, half)
    body = as_it_was(item, body)
    return Served(entry.type, entry.id, entry.version, entry.updated, entry.deleted, item.unit, body)
