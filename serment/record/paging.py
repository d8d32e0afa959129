"""Series: how the settled packs of a large record are grouped by code and day, and listed in pages (ADR 38).

A pack is settled once it is half full. When a class has `GATHERED` of them in the head, their entries are
put in the order of their series (code, day, moment), cut into packs of whole days, and listed in a page of
the class with what each pack spans. Any class is treated so: what a device sends in is a class with many
entries of few codes, and no mark that a device might leave out is asked for.

Order: the pages of one write transaction, series. Nothing is decided here: the caller has the permit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import msgspec

from serment.fhir.extent import extent, place_in_series
from serment.keys.envelope import tag_of
from serment.model import Permit
from serment.record import gate
from serment.record.gate import View
from serment.record.index import PACK_SIZE, Entry, Listed, PackRef, PageRef, Unit, encode_page
from serment.store.contract import Transaction

SETTLED = PACK_SIZE // 2
"""Entries of a pack that is settled; a pack of a series ends with the day on which it has as many."""

MOST_ENTRIES = 2 * PACK_SIZE
"""Entries of a pack of a series: a day of one value every five minutes stays whole."""

GATHERED = 8
"""Settled packs of one class that make a write group them into series."""

AT_MOST = 16
"""Packs that one write groups: a record written before there were pages moves over by and by."""

LISTED = 64
"""Packs of one page."""

DISSOLVED = PACK_SIZE // 8
"""A listed pack that falls below so many entries joins the newest of its class again."""


@dataclass(slots=True)
class Pages:
    """The pages of one record inside one write transaction; `lists` are those that change."""

    txn: Transaction
    view: View
    places: dict[int, int] = field(init=False)
    lists: dict[int, list[Listed]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = {page.number: page.unit for page in self.view.head.pages}

    def line(self, page: PageRef, number: int) -> Listed:
        """Give the line of a pack, on a page that this request has opened."""
        return next(one for one in self._lines(page) if one.number == number)

    def put(self, page: PageRef, number: int, line: Listed | None) -> None:
        """Put another line in the place of a pack that was rewritten, none in that of one dropped."""
        lines = self._lines(page)
        self.lists[page.number] = [
            new for one in lines if (new := line if one.number == number else one) is not None
        ]

    def add(self, permit: Permit, place: int, lines: list[Listed]) -> None:
        """List packs of the class at `place`: on its last page while there is room, then on new ones."""
        last = next((page for page in reversed(self.view.head.pages) if page.unit == place), None)
        if last is not None:
            gate.page_of(self.txn, self.view, permit, last)
            there = self._lines(last)
            if len(there) + len(lines) <= LISTED:
                self.lists[last.number] = [*there, *lines]
                return
        for start in range(0, len(lines), LISTED):
            number = self.txn.next_pack()
            self.places[number], self.lists[number] = place, lines[start : start + LISTED]

    def write(self, units: Sequence[Unit]) -> list[PageRef]:
        """Seal the pages that changed, drop the empty ones, and give all as the head names them."""
        record, kept = self.view.record, {page.number: page for page in self.view.head.pages}
        refs: list[PageRef] = []
        for number, place in self.places.items():
            lines = self.lists.get(number)
            if lines is None:
                refs.append(kept[number])
            elif lines:
                sealed = self.view.keys.seal_page(number, units[place].item_class(), encode_page(lines))
                self.txn.put_pack(record, number, sealed)
                refs.append(PageRef(number, tag_of(sealed), place, tuple(one.number for one in lines)))
            else:
                self.txn.drop_packs(record, [number])
        return refs

    def _lines(self, page: PageRef) -> list[Listed]:
        return self.lists.get(page.number, self.view.pages[page.number])


# Series.


def series(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Cut the entries of one class into packs: by code and day, as many whole days as settle a pack."""
    placed = sorted(((_place(entry), n, entry) for n, entry in enumerate(entries)), key=itemgetter(0, 1))
    group: list[Entry] = []
    last = ("", 0)
    for (code, day, _), _, entry in placed:
        ended = len(group) >= SETTLED and (code, day) != last
        if ended or len(group) == MOST_ENTRIES:
            yield group
            group = []
        group.append(entry)
        last = (code, day)
    if group:
        yield group


def _place(entry: Entry) -> tuple[str, int, int]:
    return place_in_series(entry.type, entry.updated, _values(entry))


def _values(entry: Entry) -> bytes:
    return b"" if entry.deleted else bytes(entry.values)


def line_of(ref: PackRef, entries: Sequence[Entry]) -> Listed:
    """Make the line of a pack of a series: what its entries span, so that searches may pass over it."""
    spans = extent((entry.type, entry.updated, _values(entry)) for entry in entries)
    newest, raw = spans.changed[1] - 1, msgspec.Raw(msgspec.msgpack.encode(spans))
    return Listed(ref.number, ref.tag, ref.count, alive(entries), newest, raw)


def alive(entries: Sequence[Entry]) -> int:
    """Count the entries that are not deleted."""
    return sum(not entry.deleted for entry in entries)
