"""What a page brings with it: `_include`, `_revinclude`, inside the record that is searched.

An included item passes the decision like any other and is traced like any other. What a page names is
looked for among the items of the same record that may be seen, then in the directory; another patient's
item is neither, and answers as one that does not exist (microsoft/fhir-server #5683: continuation pages
left the compartment; here each page is worked out anew). Nothing is revealed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serment.errors import TooLargeError
from serment.fhir.match_links import references
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query_links import Include
from serment.model import Act, Denial
from serment.record import gate
from serment.record.gate import Item, View
from serment.record.passage import Passage
from serment.record.shelf import Gathered
from serment.store.contract import Snapshot

MOST_INCLUDED = 1000
"""Items that one page may bring with it: more are refused, for a page that leaves some out looks whole."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a page brings: items of the record, and the names that may be the directory's."""

    items: list[Item]
    names: list[str]

    def check(self) -> None:
        """Raise `TooLargeError` when it is too much for one page."""
        if len(self.items) + len(self.names) > MOST_INCLUDED:
            raise TooLargeError("search.too-many-included", limit=MOST_INCLUDED)


def brought(here: Gathered, page: Sequence[Item], includes: Iterable[Include]) -> Brought:
    """Say what a page brings, each item once and none that is on the page."""
    shown = {item.entry.reference for item in page}
    found: dict[str, Item] = {}
    names: dict[str, None] = {}
    for include in includes:
        if include.reverse:
            found.update(_naming(here, shown, include))
        else:
            _named(here, page, include, found, names)
    items = [item for name, item in found.items() if name not in shown]
    return Brought(items, [name for name in names if name not in shown])


def _naming(here: Gathered, shown: set[str], include: Include) -> dict[str, Item]:
    """Give the items that name one of the page."""
    return {
        item.entry.reference: item
        for item in here.of(include.type)
        if not shown.isdisjoint(references(include.code, here.row(item)[2]))
    }


def _named(
    here: Gathered, page: Sequence[Item], include: Include, found: dict[str, Item], names: dict[str, None]
) -> None:
    """Sort what a page names: items of the record, and names that the directory may know."""
    known = {item.entry.reference: item for type_ in include.types for item in here.of(type_)}
    for item in page:
        for name in references(include.code, here.row(item)[2]):
            type_, slash, _ = name.partition("/")
            if name in known:
                found[name] = known[name]
            elif slash and type_ in include.types and type_ in DIRECTORY_TYPES:
                names[name] = None


def from_directory(snapshot: Snapshot, passage: Passage, directory: View, names: Iterable[str]) -> list[Item]:
    """Find in the directory what it holds of `names`; each costs the same look, known there or not."""
    items = []
    for name in names:
        type_, _, id_ = name.partition("/")
        located, _ = passage.resolve(snapshot, name)
        if located.record != directory.record:
            continue
        item = gate.current(snapshot, directory, located.pack, (type_, id_, ""), Act.READ)
        if not isinstance(item, Denial) and not item.entry.deleted:
            items.append(item)
    return items
