"""One record inside one write transaction.

A draft gathers what a transaction changes in a record, then writes it once: packs, locators, head.
Every class that is opened or written has its permit first. Small packs are merged by size, as log
structured stores do, so that the cost of a write does not grow with the record.

Order: the draft, what changes it, writing it down. The trace is written by `pen`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from serment.access import record_facts
from serment.access.record_facts import RecordFacts
from serment.errors import ConflictError, IntegrityError
from serment.keys.envelope import tag_of
from serment.ledger.chains import HeadMark, head_hash
from serment.model import Act, Denial, ItemClass, Permit, RecordToken
from serment.record import gate
from serment.record.gate import Item, View
from serment.record.glances import Glanced
from serment.record.index import (
    PACK_SIZE,
    TAIL_PACKS,
    Entry,
    Head,
    Listed,
    PackRef,
    PageRef,
    Previous,
    Unit,
    encode_head,
    encode_pack,
    persons_mark,
)
from serment.record.paging import (
    AT_MOST,
    DISSOLVED,
    GATHERED,
    SETTLED,
    Pages,
    alive,
    line_of,
    series,
)
from serment.record.passage import DECOY, Passage
from serment.store.contract import Located, RecordRow, Transaction

Name = tuple[str, str, str]
"""Type, id, part."""

Places = dict[tuple[str, str], tuple[Located, bool]]
"""Where a reference and a part lead, asked for once in a transaction: none moves before its end."""

TIERS = ((1, 16), (16, PACK_SIZE))
"""Sizes of packs that are merged together once there are more than `TAIL_PACKS` of them."""


@dataclass(slots=True)
class Draft:
    """What a transaction is about to change in one record. `fresh` records have no row yet.

    `row` is what the register of patients is to hold of the person, None when that does not change.
    `sorting` says that a collision is being taken apart.
    """

    passage: Passage
    txn: Transaction
    view: View
    fresh: bool = False
    placed: dict[ItemClass, list[Entry]] = field(default_factory=dict)
    opened: dict[int, list[Entry]] = field(default_factory=dict)
    facts: RecordFacts | None = None
    persons: list[bytes] | None = None
    row: bytes | None = field(default=None, repr=False)
    names: set[Name] = field(default_factory=set)
    sorting: bool = False
    places: Places = field(default_factory=dict, repr=False)

    @property
    def record(self) -> RecordToken:
        """Name the record."""
        return self.view.record

    def current(self, name: Name, act: Act) -> Item | Denial | None:
        """Find the current entry of an item, as this transaction has left it; None when there is none.

        On the decoy record, where every unknown id leads, the answer is a denial.
        """
        if name in self.names:
            raise ConflictError("record.twice")
        located = self.located(name)
        if located.record != self.record:
            return None
        permit = self.view.decide(gate.unit_at(self.view, located.pack), act)
        return permit if isinstance(permit, Denial) else self.held(name, permit)

    def held(self, name: Name, permit: Permit) -> Item:
        """Find the current entry of an item of this record with a permit for its class."""
        pack = self.located(name).pack
        unit = gate.unit_at(self.view, pack)
        return Item(permit, unit, _named(self._opened(pack, unit, permit), name))

    def located(self, name: Name) -> Located:
        """Say where an item stood when the transaction began; what is unknown stands in the decoy record."""
        type_, id_, part = name
        return located(self.passage, self.txn, self.places, reference((type_, id_, "")), part)[0]

    def place(self, unit: ItemClass, entry: Entry) -> None:
        """Add an entry to its class."""
        self.placed.setdefault(unit, []).append(entry)
        self.names.add((entry.type, entry.id, entry.part))

    def take(self, item: Item) -> None:
        """Take an item's entry out of its pack: another one takes its place."""
        number = self._pack_of(item)
        self.opened[number] = [entry for entry in self.opened[number] if entry != item.entry]

    def retire(self, item: Item) -> Previous:
        """Move a superseded entry into a history pack of its own, and say where it is."""
        self.take(item)
        number = self.txn.next_pack()
        sealed = self.view.keys.seal_pack(number, item.unit, encode_pack([item.entry]))
        self.txn.put_pack(self.record, number, sealed)
        return Previous(number, tag_of(sealed), Unit.of(item.unit))

    def reach(self, unit: ItemClass, permit: Permit) -> None:
        """Open what a write of this class may merge: damage is found here, never while it is written down."""
        refs = [ref for ref in self.view.head.packs if self.view.head.units[ref.unit] == Unit.of(unit)]
        gathers = sum(ref.count >= SETTLED for ref in refs) >= GATHERED - 1
        for ref in refs:
            if gathers or ref.count < PACK_SIZE:
                self._opened(ref.number, unit, permit)
        for page in self.view.head.pages if gathers else ():
            if self.view.head.units[page.unit] == Unit.of(unit):
                gate.page_of(self.txn, self.view, permit, page)

    def seal_body(self, unit: ItemClass, name: Name, version: int, plain: bytes) -> tuple[int, bytes]:
        """Seal and store one body; give its row number and tag."""
        number = self.txn.next_body()
        type_, id_, part = name
        sealed = self.view.keys.seal_body(unit.category, type_, id_, version, plain, part)
        self.txn.put_body(self.record, number, sealed)
        return number, tag_of(sealed)

    def unit(self, name: Name) -> ItemClass:
        """Give the class of an item that stands in this record."""
        return gate.unit_at(self.view, self.located(name).pack)

    def _pack_of(self, item: Item) -> int:
        located = self.located((item.entry.type, item.entry.id, item.entry.part))
        if located.record != self.record:
            raise IntegrityError("record.altered")
        self._opened(located.pack, item.unit, item.permit)
        return located.pack

    def _opened(self, number: int, unit: ItemClass, permit: Permit) -> list[Entry]:
        """Give the entries of a pack as this transaction has left them."""
        if number not in self.opened:
            self.opened[number] = gate.pack_at(self.txn, self.view, permit, unit, number)
        return self.opened[number]

    # Writing it down.

    def write(self) -> HeadMark:
        """Write packs, locators, facts and head. Gives the mark of the new head.

        Raises `IntegrityError` for the decoy, where unknown ids lead: a write there would be lost.
        """
        head = self.view.head
        if head.patient == DECOY and not self.fresh:
            raise IntegrityError("record.altered")
        units = list(head.units)
        pages = Pages(self.txn, self.view)
        refs = self._rewritten(head)
        self._rewrite_listed(pages)
        for unit, entries in self.placed.items():
            place = _place(units, Unit.of(unit))
            refs += self._packed(unit, place, entries, refs)
            refs = self._gathered(pages, unit, place, [ref for ref in refs if ref.count])
        return self._put_head(head, units, refs, pages.write(units))

    def _rewritten(self, head: Head) -> list[PackRef]:
        """Reseal the packs that lost an entry, drop those that lost all."""
        refs: list[PackRef] = []
        for ref in head.packs:
            entries = self.opened.get(ref.number)
            if entries is None or len(entries) == ref.count:
                refs.append(ref)
            elif entries:
                refs.append(self._seal_pack(ref.number, head.units[ref.unit].item_class(), ref.unit, entries))
            else:
                self.txn.drop_packs(self.record, [ref.number])
        return refs

    def _rewrite_listed(self, pages: Pages) -> None:
        """Do the same for the packs that a page lists; of one that has become small, place the rest anew."""
        head = self.view.head
        for number, entries in list(self.opened.items()):
            page = head.page_of(number)
            if page is None or len(entries) == (line := pages.line(page, number)).count:
                continue
            unit = head.units[page.unit].item_class()
            if len(entries) >= DISSOLVED:
                ref = self._seal_pack(number, unit, page.unit, entries)
                changes = {"tag": ref.tag, "count": ref.count, "live": alive(entries)}
                pages.put(page, number, msgspec.structs.replace(line, **changes))
                continue
            self.txn.drop_packs(self.record, [number])
            pages.put(page, number, None)
            if entries:
                self.placed.setdefault(unit, []).extend(entries)

    def _gathered(self, pages: Pages, unit: ItemClass, place: int, refs: list[PackRef]) -> list[PackRef]:
        """Group the settled packs of a class into series, once there are many; give the packs left."""
        settled = [ref for ref in refs if ref.unit == place and ref.count >= SETTLED][:AT_MOST]
        permit = self._may_merge(unit) if len(settled) >= GATHERED else None
        if permit is None:
            return refs
        entries = [entry for ref in settled for entry in self._read(ref, unit)]
        self.txn.drop_packs(self.record, [ref.number for ref in settled])
        pages.add(permit, place, [self._seal_series(unit, place, group) for group in series(entries)])
        return [ref for ref in refs if ref not in settled]

    def _seal_series(self, unit: ItemClass, place: int, entries: list[Entry]) -> Listed:
        ref = self._seal_pack(self.txn.next_pack(), unit, place, entries)
        self.txn.move_locators([(self._locator(entry), ref.number) for entry in entries])
        return line_of(ref, entries)

    def _packed(
        self, unit: ItemClass, place: int, entries: list[Entry], refs: list[PackRef]
    ) -> list[PackRef]:
        """Seal new entries into packs, merging small ones. Merged packs leave `refs` in place."""
        merged = list(entries)
        old: list[int] = []
        for least, most in TIERS:
            small = [ref for ref in refs if ref.unit == place and least <= ref.count < most]
            if least <= len(merged) < most and len(small) >= TAIL_PACKS and self._may_merge(unit):
                for ref in small:
                    merged = [*self._read(ref, unit), *merged]
                    refs.remove(ref)
                    old.append(ref.number)
        if old:
            self.txn.drop_packs(self.record, old)
        return [
            self._seal_new(unit, place, merged[start : start + PACK_SIZE])
            for start in range(0, len(merged), PACK_SIZE)
        ]

    def _read(self, ref: PackRef, unit: ItemClass) -> list[Entry]:
        if ref.number in self.opened:
            return self.opened[ref.number]
        permit = self._may_merge(unit)
        if permit is None:
            raise IntegrityError("record.altered")
        return gate.pack(self.txn, self.view, permit, unit, ref.number, ref.tag)

    def _may_merge(self, unit: ItemClass) -> Permit | None:
        """Give a permit that opens the class: without one (somebody files, may not look) packs stay small."""
        for act in (Act.WRITE, Act.READ, Act.LIST):
            permit = self.view.decide(unit, act)
            if isinstance(permit, Permit):
                return permit
        return None

    def _seal_new(self, unit: ItemClass, place: int, entries: list[Entry]) -> PackRef:
        ref = self._seal_pack(self.txn.next_pack(), unit, place, entries)
        self.txn.put_locators(self.record, [(self._locator(entry), ref.number) for entry in entries])
        self.opened[ref.number] = entries
        return ref

    def _locator(self, entry: Entry) -> bytes:
        return self.passage.installation.locator(reference((entry.type, entry.id, entry.part)))

    def _seal_pack(self, number: int, unit: ItemClass, place: int, entries: list[Entry]) -> PackRef:
        sealed = self.view.keys.seal_pack(number, unit, encode_pack(entries))
        self.txn.put_pack(self.record, number, sealed)
        return PackRef(number, tag_of(sealed), len(entries), place)

    def _put_head(self, head: Head, units: list[Unit], refs: list[PackRef], pages: list[PageRef]) -> HeadMark:
        units, refs, pages = _used(units, refs, pages)
        keys = self.view.keys
        if self.facts is None and not self.fresh:
            if self.view.row is None:
                raise IntegrityError("record.row-missing")
            epoch, sealed_facts = head.epoch, self.view.row.facts
        else:
            epoch = head.epoch + 1
            sealed_facts = keys.seal_facts(epoch, record_facts.pack(self.facts or self.view.facts))
        persons = head.persons if self.persons is None else persons_mark(self.persons)
        written = Head(
            head.patient,
            epoch,
            head.writes + 1,
            tag_of(sealed_facts),
            tuple(units),
            tuple(refs),
            persons,
            tuple(pages),
        )
        sealed = keys.seal_head(epoch, encode_head(written))
        put = self.txn.add_record if self.fresh else self.txn.put_record
        row = RecordRow(self.record, epoch, sealed, sealed_facts)
        put(row)
        # Good for exactly these bytes: nobody meets them when the transaction is undone.
        self.passage.keyring.keep(Glanced(row, written, self.facts or self.view.facts))
        return HeadMark(head_hash(sealed), epoch)


def reference(name: Name) -> str:
    """Write a name as its locator is made: `Type/id`, or `Type/id#part`."""
    type_, id_, part = name
    return f"{type_}/{id_}#{part}" if part else f"{type_}/{id_}"


def located(
    passage: Passage, txn: Transaction, places: Places, reference: str, part: str = ""
) -> tuple[Located, bool]:
    """Do what `Passage.resolve` does; the store is asked once in a transaction."""
    name = (reference, part)
    if name not in places:
        places[name] = passage.resolve(txn, reference, part)
    return places[name]


def _named(entries: list[Entry], name: Name) -> Entry:
    for entry in entries:
        if (entry.type, entry.id, entry.part) == name:
            return entry
    raise IntegrityError("record.altered")


def _place(units: list[Unit], unit: Unit) -> int:
    if unit not in units:
        units.append(unit)
    return units.index(unit)


def _used(
    units: list[Unit], refs: list[PackRef], pages: list[PageRef]
) -> tuple[list[Unit], list[PackRef], list[PageRef]]:
    """Forget the classes that no pack has any more, and number the others again."""
    kept = sorted({ref.unit for ref in refs} | {page.unit for page in pages})
    new = {old: place for place, old in enumerate(kept)}
    return (
        [units[old] for old in kept],
        [msgspec.structs.replace(ref, unit=new[ref.unit]) for ref in refs],
        [msgspec.structs.replace(page, unit=new[page.unit]) for page in pages],
    )
