"""Answering a composite search on what was indexed before pairs were stored.

What an older entry leaves unsaid stands in its body, so that body is read: the body of an item that the
asker may read, after a trace that names it, and only where both parts of what is asked are in the entry and
the rest of the search agrees. What is found serves this one search. Nothing is written: nobody reads a record
in order to index it. An item says it by itself once it is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from serment.errors import TooLargeError
from serment.fhir import document, unpaired
from serment.fhir.match import matcher_of
from serment.fhir.query import Query
from serment.fhir.query_clauses import Clause
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.gathering import fitting
from serment.record.passage import Passage
from serment.record.reading import settled
from serment.record.shelf import Gathered, gathered
from serment.store.contract import Snapshot

MOST_READ = 500
"""Bodies that one search reads at most, and no more than `MOST_BYTES`: it is refused beyond."""

AT_ONCE = 8
"""Items whose bodies are read in one statement: no more stand in memory beyond `MOST_BYTES`."""

Values = Mapping[tuple[str, int], msgspec.Raw]
"""Search values as the search works on them: (`Type/id`, version) → values."""


@dataclass(slots=True)
class _Unsaid:
    """Older items that may meet what is asked, with their sealed bodies."""

    view: View
    items: list[Item]
    sealed: list[Sealed] = field(default_factory=list)
    entries: list[Pending] = field(default_factory=list)


async def completed(passage: Passage, asking: Asking, reference: str, query: Query) -> Values:
    """Complete the values of the older items of one record that may meet a query; nothing for most queries.

    The keys of the record are at hand. Raises `TooLargeError` when it would be too much, once that is traced.
    """
    asked = unpaired.asked(query)
    if not asked:
        return {}
    with passage.store.snapshot() as snapshot:
        found = _looked(passage, snapshot, asking, reference, query)
    if not found.items:
        return {}
    receipts = await settled(passage, found.entries)
    if len(found.sealed) < len(found.items):
        raise TooLargeError("search.too-many-older", limit=MOST_READ)
    values: dict[tuple[str, int], msgspec.Raw] = {}
    for item, sealed in zip(found.items, found.sealed, strict=True):
        entry = item.entry
        resource = document.read(gate.reveal(found.view, receipts[0], sealed)).value
        whole = unpaired.paired(bytes(entry.values), resource, asked[entry.type])
        values[entry.reference, entry.version] = msgspec.Raw(whole)
    return values


def _looked(passage: Passage, snapshot: Snapshot, asking: Asking, reference: str, query: Query) -> _Unsaid:
    """Look for the items, and read their sealed bodies as far as they are not too much."""
    located, _ = passage.resolve(snapshot, reference)
    view = passage.view(snapshot, asking, located.record)
    items = _lacking(gathered(snapshot, view, unpaired.asked(query).keys()), query)
    found = _Unsaid(view, items)
    if items:
        touched = [trace.touched(item, asking) for item in items]
        found.entries = trace.of_access(passage, view, Interaction.SEARCH, touched)
    if len(items) <= MOST_READ:
        found.sealed = fitting(snapshot, view, items, {}, at_once=AT_ONCE)[1]
    return found


def _lacking(here: Gathered, query: Query) -> list[Item]:
    """Give the older items of which a query needs pairs."""
    rest = matcher_of(unpaired.rest(query))
    return [
        item
        for type_, clauses in unpaired.asked(query).items()
        for item in filter(_unsaid(clauses), here.of(type_))
        if type_ != query.type or rest(*here.row(item))
    ]


def _unsaid(clauses: Sequence[Clause]) -> Callable[[Item], bool]:
    test = unpaired.unsaid(clauses)
    return lambda item: test(bytes(item.entry.values))
