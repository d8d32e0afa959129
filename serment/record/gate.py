"""The gate: the one place where sealed rows become readable values (HOUSE promise 1).

In this order, for every request on a record: look (head and facts glanced, checked against each
other and against the ledger), decide once for each class, glance the packs of permitted classes,
and, once the trace is durable, reveal bodies with their permit and receipt. No rule, SQL or
cryptography is written here; this module only keeps the order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from serment.access.decide import decide
from serment.access.policy import Policy
from serment.access.record_facts import RecordFacts, unpack
from serment.access.relations import Standing, facts_for
from serment.errors import IntegrityError
from serment.fhir.binary_json import Shell
from serment.keys import openings
from serment.keys.openings import SealedRow
from serment.keys.record_keys import RecordKeys
from serment.ledger.chains import HeadMark, head_hash
from serment.model import Act, Category, Denial, Instant, ItemClass, Permit, Receipt, RecordToken
from serment.record.asking import Asking
from serment.record.blobs import Manifest, sheet, unframed
from serment.record.glances import Glanced
from serment.record.index import (
    Entry,
    Head,
    Listed,
    Needles,
    PageRef,
    decode_head,
    decode_pack,
    decode_page,
)
from serment.store.contract import RecordRow, Snapshot

OUTSIDE_SCOPE = Denial("S1.scope", "scope")
"""What a program is refused whose scope names another type of the same class."""

AT_ONCE = 128
"""Packs that are read in one statement: no large record stands in memory as a whole."""


@dataclass(slots=True)
class View:
    """One record as one request may see it. Decisions, and pages once opened, are kept for this request only.

    Under `depositing` every write is a deposit: a newer version of what was received is one too. `row` is
    what was looked at; `known` says that head and facts were open already.
    """

    asking: Asking
    record: RecordToken
    keys: RecordKeys
    policy: Policy
    head: Head
    facts: RecordFacts
    mark: HeadMark
    verdicts: dict[tuple[ItemClass, Act, bool], Permit | Denial] = field(default_factory=dict)
    pages: dict[int, list[Listed]] = field(default_factory=dict, repr=False)
    depositing: bool = False
    standing: Standing | None = None
    clock: Callable[[], Instant] | None = None
    begun: Instant = Instant(0)  # noqa: RUF009 - a NewType over int
    row: RecordRow | None = field(default=None, repr=False)
    known: bool = False

    def now(self) -> Instant:
        """Give the request's own instant and the time that has passed since: a permit ends while it waits."""
        passed = max(0, self.clock() - self.begun) if self.clock is not None else 0
        return Instant(self.asking.now + passed)

    def decide(self, unit: ItemClass, act: Act, *, existing: bool = True) -> Permit | Denial:
        """Ask the decision, once for each class and act. `existing` is false for what is being created."""
        existing = existing and not self.depositing
        key = (unit, act, existing)
        verdict = self.verdicts.get(key)
        if verdict is None:
            verdict = decide(self._asker().facts(unit, act, existing=existing))
            self.verdicts[key] = verdict
        return verdict

    def inside(self, unit: ItemClass, act: Act) -> bool:
        """Say whether the program that asks was let do an act on a class of this record."""
        scope = self.asking.scope
        return scope is None or scope.covers(unit, act, self.record)

    def shows(self, type_: str, unit: ItemClass) -> bool:
        """Say whether the program that asks may look at a type in a class that it may look at."""
        scope = self.asking.scope
        return scope is None or scope.shows(type_, unit, self.record)

    def _asker(self) -> Standing:
        """Say what the asker is to the record, as it was looked at; read once."""
        if self.standing is None:
            asking = self.asking
            self.standing = Standing(
                asking.actor,
                asking.purpose,
                asking.reasons,
                self.record,
                self.facts,
                asking.now,
                asking.request,
                self.policy,
                asking.scope,
            )
        return self.standing


def look(snapshot: Snapshot, asking: Asking, record: RecordToken, keys: RecordKeys, policy: Policy) -> View:
    """Glance at head and facts. Raises `IntegrityError` when the rows do not agree."""
    return look_at(snapshot.record(record), asking, record, keys, policy)


def look_at(
    row: RecordRow | None,
    asking: Asking,
    record: RecordToken,
    keys: RecordKeys,
    policy: Policy,
    kept: Glanced | None = None,
) -> View:
    """Glance at head and facts of a row already read, unless these very bytes were `kept` open."""
    if row is None:
        raise IntegrityError("record.row-missing")
    head, facts = _glance_record(keys, row) if kept is None else (kept.head, kept.facts)
    mark = HeadMark(head_hash(row.head), head.epoch)
    return View(asking, record, keys, policy, head, facts, mark, row=row, known=kept is not None)


def look_again(view: View) -> None:
    """Open head and facts where they were kept open: a refusal costs the same on whatever record."""
    if view.known and view.row is not None:
        _glance_record(view.keys, view.row)


def _glance_record(keys: RecordKeys, row: RecordRow) -> tuple[Head, RecordFacts]:
    head = decode_head(openings.glance(keys, SealedRow(keys.head_at(row.epoch), row.head)).value)
    if head.epoch != row.epoch:
        raise IntegrityError("record.altered")
    facts = SealedRow(keys.facts_at(row.epoch), row.facts, tag=head.facts)
    return head, unpack(openings.glance(keys, facts).value)


def may_begin(asking: Asking, facts: RecordFacts, unit: ItemClass, policy: Policy) -> bool:
    """Say whether somebody may begin a record of these first facts, before any key is made for it."""
    case = facts_for(
        asking.actor, asking.purpose, asking.reasons, RecordToken(b""), facts, unit,
        Act.WRITE, asking.now, asking.request, policy, existing=False, scope=asking.scope,
    )  # fmt: skip
    return isinstance(decide(case), Permit)


def permitted(
    view: View, act: Act, may_hold: Callable[[ItemClass], bool] = lambda _: True
) -> dict[int, Permit]:
    """Decide once for each class of the record that `may_hold` what is asked: place of the class → permit."""
    permits: dict[int, Permit] = {}
    for place, unit in enumerate(view.head.classes()):
        verdict = view.decide(unit, act) if may_hold(unit) else None
        if isinstance(verdict, Permit):
            permits[place] = verdict
    return permits


def denied(verdict: Permit | Denial) -> Denial:
    """Give the denial that a refusal's trace carries."""
    return verdict if isinstance(verdict, Denial) else Denial("D0.silence", "ground")


class Item(NamedTuple):
    """One entry that may be seen: its class as the record says it, and the permit for that class.

    A tuple: a search makes one for each entry that it looks at.
    """

    permit: Permit
    unit: ItemClass
    entry: Entry


class Past(Item):
    """An item as it was before a newer version."""

    __slots__ = ()


class Pack(NamedTuple):
    """One pack of a permitted class, not opened yet. `listed`: what a page says of it, when one lists it."""

    number: int
    tag: bytes
    permit: Permit
    unit: ItemClass
    listed: Listed | None = None


def listing(snapshot: Snapshot, view: View, permits: dict[int, Permit]) -> list[Pack]:
    """List the packs of the permitted classes, in the head's order: their pages are opened, no pack is."""
    units = view.head.classes()
    found = [
        Pack(ref.number, ref.tag, permits[ref.unit], units[ref.unit])
        for ref in view.head.packs
        if ref.unit in permits
    ]
    for page in view.head.pages:
        if page.unit in permits:
            permit, unit = permits[page.unit], units[page.unit]
            listed = page_of(snapshot, view, permit, page)
            found += [Pack(one.number, one.tag, permit, unit, one) for one in listed]
    return found


def page_of(snapshot: Snapshot, view: View, permit: Permit, page: PageRef) -> list[Listed]:
    """Open one page. Raises `IntegrityError` when it is not the one that the head names."""
    if page.number not in view.pages:
        unit = view.head.units[page.unit].item_class()
        rows = snapshot.packs(view.record, [page.number])
        if not rows:
            raise IntegrityError("record.altered")
        row = SealedRow(view.keys.page_at(page.number, unit), rows[0].sealed, unit, page.tag)
        view.pages[page.number] = decode_page(openings.glance(view.keys, row, permit).value)
    return view.pages[page.number]


def packs(snapshot: Snapshot, view: View, permits: dict[int, Permit]) -> Iterator[tuple[Pack, list[Item]]]:
    """Open the packs of the permitted classes, in the head's order."""
    for one, permit, unit, entries in opened(snapshot, view, permits):
        yield one, [Item(permit, unit, entry) for entry in entries]


def opened(
    snapshot: Snapshot, view: View, permits: dict[int, Permit]
) -> Iterator[tuple[Pack, Permit, ItemClass, list[Entry]]]:
    """Open the packs of the permitted classes: each with its permit, its class and its entries.

    For who wants few of many entries: an `Item` is made for those only.
    """
    return opened_of(snapshot, view, listing(snapshot, view, permits))


def opened_of(
    snapshot: Snapshot, view: View, wanted: Sequence[Pack], needles: Needles = ()
) -> Iterator[tuple[Pack, Permit, ItemClass, list[Entry]]]:
    """Open some of the packs that were listed, and read those whose bytes hold the `needles`."""
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        rows = {row.number: row.sealed for row in snapshot.packs(view.record, [one.number for one in some])}
        for one in some:
            sealed = rows.get(one.number)
            entries = _entries(view, one.permit, one.unit, one.number, one.tag, sealed, needles)
            yield one, one.permit, one.unit, _shown(view, one.unit, entries)


def _shown(view: View, unit: ItemClass, entries: list[Entry]) -> list[Entry]:
    """Leave out the types that a program's scope does not name: a class of documents holds several."""
    if view.asking.scope is None:
        return entries
    types = {type_ for type_ in {entry.type for entry in entries} if view.shows(type_, unit)}
    return [entry for entry in entries if entry.type in types]


def pack(
    snapshot: Snapshot, view: View, permit: Permit, unit: ItemClass, number: int, tag: bytes
) -> list[Entry]:
    """Open one pack. Raises `IntegrityError` when it is not the one that its parent names."""
    rows = snapshot.packs(view.record, [number])
    return _entries(view, permit, unit, number, tag, rows[0].sealed if rows else None)


def pack_at(snapshot: Snapshot, view: View, permit: Permit, unit: ItemClass, number: int) -> list[Entry]:
    """Open a pack that the head, or one of its pages, lists. Raises `IntegrityError` when none does."""
    return pack(snapshot, view, permit, unit, number, _tag_at(snapshot, view, permit, number))


def _tag_at(snapshot: Snapshot, view: View, permit: Permit, number: int) -> bytes:
    """Give the tag of a pack: the head's, or that of the page which lists it."""
    for ref in view.head.packs:
        if ref.number == number:
            return ref.tag
    page = view.head.page_of(number)
    if page is not None:
        for one in page_of(snapshot, view, permit, page):
            if one.number == number:
                return one.tag
    raise IntegrityError("record.altered")


def _entries(
    view: View,
    permit: Permit,
    unit: ItemClass,
    number: int,
    tag: bytes,
    sealed: bytes | None,
    needles: Needles = (),
) -> list[Entry]:
    if sealed is None:
        raise IntegrityError("record.altered")
    row = SealedRow(view.keys.pack_at(number, unit), sealed, unit, tag)
    return decode_pack(openings.glance(view.keys, row, permit).value, needles)


def current(
    snapshot: Snapshot, view: View, located: int, name: tuple[str, str, str], act: Act
) -> Item | Denial:
    """Find the current entry of an item (`Type`, id, part) in the pack that its locator names.

    The class of the pack is decided before the pack is opened; on the decoy record it denies.
    """
    rows = snapshot.packs(view.record, [located])
    return current_in(snapshot, view, located, rows[0].sealed if rows else None, name, act)


def current_in(
    snapshot: Snapshot, view: View, located: int, sealed: bytes | None, name: tuple[str, str, str], act: Act
) -> Item | Denial:
    """Do what `current` says of a pack that was read with its locator."""
    unit = unit_at(view, located)
    permit = view.decide(unit, act)
    if isinstance(permit, Denial):
        return permit
    if not view.shows(name[0], unit):
        return OUTSIDE_SCOPE
    tag = _tag_at(snapshot, view, permit, located)
    for entry in _entries(view, permit, unit, located, tag, sealed):
        if entry.id == name[1] and (entry.type, entry.part) == (name[0], name[2]):
            return Item(permit, unit, entry)
    raise IntegrityError("record.altered")


def absent(snapshot: Snapshot, view: View, name: tuple[str, str, str], category: Category) -> None:
    """Hold an item that no locator leads to against the packs of its category that may be seen.

    Without it, a locator taken away would serve half a person as if it were the whole. Raises
    `IntegrityError` when the item is there.
    """
    half = (category, name[0])
    permits = permitted(view, Act.READ, lambda unit: (unit.category, unit.document_type) == half)
    for _, _, _, entries in opened(snapshot, view, permits):
        if any((entry.type, entry.id, entry.part) == name for entry in entries):
            raise IntegrityError("record.altered")


def unit_at(view: View, located: int) -> ItemClass:
    """Give the class of the pack that a locator names: what the trace of a refusal needs to know."""
    unit = view.head.unit_of(located)
    if unit is None:
        raise IntegrityError("record.altered")
    return unit.item_class()


def previous(snapshot: Snapshot, view: View, item: Item, latest: ItemClass) -> Item | Denial | None:
    """Open the entry of the version before; None when there is none.

    A past version is decided with its own and the current version's labels together.
    """
    link = item.entry.previous
    if link is None:
        return None
    unit = link.unit.item_class()
    both = view.decide(together(unit, latest), item.permit.act)
    permit = view.decide(unit, item.permit.act)
    if isinstance(both, Denial):
        return both
    if isinstance(permit, Denial):
        return permit
    return Past(permit, unit, pack(snapshot, view, permit, unit, link.pack, link.tag)[0])


def together(old: ItemClass, latest: ItemClass) -> ItemClass:
    """Give the class of a past version: its own and the current labels, masks and timers together."""
    return ItemClass(
        old.category,
        old.document_type,
        tuple(sorted({*old.labels, *latest.labels})),
        old.author,
        old.masked or latest.masked,
        max((t for t in (old.timer_end, latest.timer_end) if t is not None), default=None),
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body that waits for its receipt."""

    item: Item
    row: SealedRow = field(repr=False)


def fetch(snapshot: Snapshot, view: View, items: Sequence[Item]) -> list[Sealed]:
    """Read the sealed bodies of items. Raises `IntegrityError` when one is missing."""
    rows = dict(snapshot.bodies(view.record, [item.entry.body for item in items]))
    sealed: list[Sealed] = []
    for item in items:
        body = rows.get(item.entry.body)
        if body is None:
            raise IntegrityError("record.altered")
        entry = item.entry
        at = view.keys.body_at(entry.type, entry.id, entry.version, entry.part)
        sealed.append(Sealed(item, SealedRow(at, body, item.unit, entry.tag)))
    return sealed


def reveal(view: View, receipt: Receipt, sealed: Sealed) -> bytes:
    """Open one body: the only way from a sealed row to plaintext that leaves. Large content stays outside."""
    return sheet(_opened(view, receipt, sealed))


def reveal_blob(view: View, receipt: Receipt, sealed: Sealed) -> tuple[Manifest | None, Shell]:
    """Open the body of a Binary: its JSON, and the manifest of the content that stands in chunks."""
    return unframed(_opened(view, receipt, sealed))


def _opened(view: View, receipt: Receipt, sealed: Sealed) -> bytes:
    return openings.open(view.keys, sealed.item.permit, receipt, sealed.row, view.now())


def reveal_chunk(
    snapshot: Snapshot, view: View, receipt: Receipt, item: Item, manifest: Manifest, index: int
) -> bytes:
    """Open one chunk of a blob. Raises `IntegrityError` when it is not the one that the manifest lists."""
    sealed = snapshot.chunk(manifest.blob, index)
    if sealed is None:
        raise IntegrityError("binary.altered")
    at = view.keys.chunk_at(manifest.blob, index, last=index == len(manifest.tags) - 1)
    row = SealedRow(at, sealed, item.unit, manifest.tags[index])
    return openings.open(view.keys, item.permit, receipt, row, view.now())
