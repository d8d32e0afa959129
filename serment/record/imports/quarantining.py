"""What an import could not file: sealed in the quarantine, a record of its own made at `init`.

Each item is an entry of that record (source, type, reason, size, since when) and one sealed row of its
content. The list shows no content. Content is opened with a permit and a receipt, for the service that
put it there and to file it again; nothing here shows it to anybody.

Order: what is held, putting in, listing, opening, taking out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from serment.access.relations import QUARANTINE as DOCUMENT_TYPE
from serment.errors import IntegrityError, NotFoundError
from serment.keys.envelope import tag_of
from serment.keys.openings import SealedRow
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, Category, Denial, ItemClass, Label, Permit
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import Item, Sealed, View
from serment.record.index import Entry
from serment.record.passage import QUARANTINE, Passage
from serment.record.pen import DeniedError, Pen
from serment.store.contract import Snapshot


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one item: whose it claims to be, and why it is here.

    `linked` says that its references were spliced already. `token` names it (16 bytes).
    """

    source: str
    type: str
    key: str = field(repr=False)
    id: str
    reason: str
    linked: bool
    token: bytes = field(repr=False)


class Notes(msgspec.Struct, array_like=True, frozen=True):
    """The same, as the entry keeps it; `size` in bytes."""

    source: str
    type: str
    key: str
    id: str
    reason: str
    linked: bool
    size: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One line of the list: no content. `since` is in ms; `reason` a sentence id."""

    name: str
    source: str
    type: str
    reason: str
    size: int
    since: int


_notes = msgspec.msgpack.Decoder(Notes)


def put(pen: Pen, held: Held, raw: bytes) -> None:
    """Put one item in quarantine. Raises `DeniedError` for who may not deposit there."""
    draft = draft_of(pen)
    unit = unit_of(pen.asking.actor.id)
    verdict = draft.view.decide(unit, Act.WRITE, existing=False)
    if isinstance(verdict, Denial):
        raise DeniedError(draft.view, verdict, Interaction.IMPORT)
    name = held.token.hex()
    sealed = draft.view.keys.seal_quarantine(name, raw)
    number = pen.txn.add_quarantined(sealed)
    notes = Notes(held.source, held.type, held.key, held.id, held.reason, held.linked, len(raw))
    values = msgspec.Raw(msgspec.msgpack.encode(notes))
    entry = Entry(DOCUMENT_TYPE, name, 1, "", pen.asking.now, False, number, tag_of(sealed), None, values)
    draft.place(unit, entry)
    pen.did(draft, Interaction.IMPORT, trace.of_facts(verdict.rule))


def holds(pen: Pen, name: str, known: dict[int, frozenset[str]]) -> bool:
    """Say whether an item is in quarantine, by the sealed list itself; `known` keeps the packs read.

    A locator leads to what was taken out since, too: its pack is gone then, or lists it no more.
    """
    located, found = pen.passage.resolve(pen.txn, f"{DOCUMENT_TYPE}/{name}")
    draft = draft_of(pen)
    if (DOCUMENT_TYPE, name, "") in draft.names:
        return True
    listed = draft.view.head.unit_of(located.pack)
    if not found or listed is None:
        return False
    if located.pack not in known:
        unit = listed.item_class()
        permit = draft.view.decide(unit, Act.WRITE)
        if isinstance(permit, Denial):
            raise DeniedError(draft.view, permit, Interaction.IMPORT)
        entries = gate.pack_at(pen.txn, draft.view, permit, unit, located.pack)
        known[located.pack] = frozenset(entry.id for entry in entries)
    return name in known[located.pack]


def draft_of(pen: Pen) -> Draft:
    """Open the quarantine for writing: it belongs to the installation, not to the structure."""
    located, _ = pen.passage.resolve(pen.txn, QUARANTINE)
    draft = pen.drafts.get(located.record)
    if draft is None:
        view = pen.passage.view(pen.txn, of_installation(pen.asking), located.record)
        view.depositing = True
        draft = pen.drafts[located.record] = Draft(pen.passage, pen.txn, view)
    return draft


def unit_of(author: ActorId) -> ItemClass:
    """Give the class of what a service put in quarantine."""
    return ItemClass(Category.UNMAPPED, DOCUMENT_TYPE, (Label.VERY_RESTRICTED.value,), author)


def of_installation(asking: Asking) -> Asking:
    """Ask as the same service, acting for the installation."""
    return replace(asking, actor=replace(asking.actor, structure=""))


def look(passage: Passage, snapshot: Snapshot, asking: Asking) -> tuple[View, list[Item]]:
    """Look at what is in quarantine, oldest first: entries, no content."""
    located, _ = passage.resolve(snapshot, QUARANTINE)
    view = passage.view(snapshot, of_installation(asking), located.record)
    view.depositing = True
    permits = gate.permitted(view, Act.WRITE, lambda unit: unit.document_type == DOCUMENT_TYPE)
    items = [item for _, pack in gate.packs(snapshot, view, permits) for item in pack]
    return view, sorted(items, key=lambda item: item.entry.body)


def listed(passage: Passage, asking: Asking) -> list[Quarantined]:
    """List the quarantine, oldest first, after the trace of doing so."""
    with passage.store.snapshot() as snapshot:
        view, items = look(passage, snapshot, asking)
    rule = items[0].permit.rule if items else ""
    trace.durable(passage, trace.of_access(passage, view, Interaction.LIST, [], rule)).result()
    return [_line(item) for item in items]


def opened(passage: Passage, asking: Asking, names: Sequence[str]) -> list[tuple[Held, bytes]]:
    """Open items to file them again: their permits, one durable trace, then their content.

    What is not there, or not the asker's to open, is left out.
    """
    with passage.store.snapshot() as snapshot:
        view, items = look(passage, snapshot, asking)
        sealed = [_sealed(snapshot, view, item) for item in items if item.entry.id in names]
    shown = [(one, permit) for one in sealed if isinstance(permit := _permit(view, one.item), Permit)]
    touched = [trace.of_facts(permit.rule) for _, permit in shown]
    entries = trace.of_access(passage, view, Interaction.READ, touched)
    if sealed and not shown:
        refused = gate.denied(_permit(view, sealed[0].item))
        entries = trace.of_refusal(passage, view, Interaction.READ, refused)
    receipt = trace.durable(passage, entries).result()[0]
    return [
        (_held(one.item), gate.reveal(view, receipt, Sealed(one.item._replace(permit=permit), one.row)))
        for one, permit in shown
    ]


def take(pen: Pen, name: str) -> None:
    """Take an item out of the quarantine, in the transaction that files it."""
    draft = draft_of(pen)
    item = draft.current((DOCUMENT_TYPE, name, ""), Act.WRITE)
    if not isinstance(item, Item):
        raise NotFoundError("importing.not-in-quarantine")
    draft.take(item)
    pen.txn.drop_quarantined(item.entry.body)
    pen.did(draft, Interaction.IMPORT, trace.of_facts(item.permit.rule))


def _permit(view: View, item: Item) -> Permit | Denial:
    return view.decide(item.unit, Act.READ)


def _sealed(snapshot: Snapshot, view: View, item: Item) -> Sealed:
    """Read the sealed content of an item. Raises `IntegrityError` when it is missing."""
    entry = item.entry
    rows = snapshot.quarantined(entry.body - 1, 1)
    if not rows or rows[0][0] != entry.body:
        raise IntegrityError("record.altered")
    return Sealed(item, SealedRow(view.keys.quarantine_at(entry.id), rows[0][1], item.unit, entry.tag))


def _held(item: Item) -> Held:
    notes = _notes.decode(bytes(item.entry.values))
    token = bytes.fromhex(item.entry.id)
    return Held(notes.source, notes.type, notes.key, notes.id, notes.reason, notes.linked, token)


def _line(item: Item) -> Quarantined:
    notes = _notes.decode(bytes(item.entry.values))
    entry = item.entry
    return Quarantined(entry.id, notes.source, notes.type, notes.reason, notes.size, entry.updated)
