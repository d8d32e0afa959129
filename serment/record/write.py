"""Writing one item: create, update, delete, inside a pen's transaction.

Each function decides on facts read in the same transaction, seals the parts, places the entries and
keeps what it did for the trace. What a resource changes in the facts is in `choices`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

import msgspec

from serment.access.categories import lowers
from serment.errors import GoneError, NotFoundError, RequestError, VersionConflictError
from serment.fhir.halves import HALF_OF
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, ActorKind, Denial, ItemClass, Permit
from serment.record import blobs, filing, secrecy, trace
from serment.record.draft import Draft, Name
from serment.record.duplicates import frozen
from serment.record.gate import Item, View
from serment.record.incoming import Incoming, Part, in_part
from serment.record.index import Entry, Previous
from serment.record.pen import DeniedError, Pen
from serment.record.visits import proposals
from serment.record.visits.proposals import Change

BLIND = frozenset({ActorKind.SERVICE, ActorKind.OFFICER})
"""Who changes what they do not read (ADR 8): a service that deposits anew, an officer who keeps a team."""

NOTHING = msgspec.Raw(msgspec.msgpack.encode({}))


@dataclass(frozen=True, slots=True)
class Written:
    """What a write made, or found made already: the item, its version and instant (ms).

    `suspected` says that a person may have been registered twice, and that the writer may know. `waiting` is
    the id of the proposal that was made in place of the write: the version is the one that stands (ADR 60).
    """

    type: str
    id: str
    version: int
    updated: int
    created: bool
    suspected: bool = False
    waiting: str = ""


def create(pen: Pen, draft: Draft, incoming: Incoming, id_: str, author: ActorId) -> Written:
    """Write the first version of an item. Raises `DeniedError`."""
    unit = filing.unit_of(draft, incoming, incoming.unit(author, pen.asking.now))
    # Who may not write here is refused before anything that the item names is looked up.
    permit = permitted(draft.view, unit, Interaction.CREATE, incoming.type)
    stated, incoming = incoming, secrecy.joined(draft, incoming)
    if incoming is not stated:
        unit = filing.unit_of(draft, incoming, incoming.unit(author, pen.asking.now))
        permit = permitted(draft.view, unit, Interaction.CREATE, incoming.type)
    frozen.check(draft, unit.category)
    asked = Change(incoming.type, id_, unit, None, incoming)
    if proposals.waits(pen, draft, asked):
        return _proposed(pen, draft, asked, Interaction.CREATE)
    made = _version(pen, draft, incoming, id_, 1, unit, permit, {}, Interaction.CREATE)
    filing.link(filing.Filing(pen, draft, Interaction.CREATE, permit.rule), incoming, id_)
    proposals.mark(draft, incoming, id_)
    secrecy.keep(pen, draft, stated, incoming, id_)
    return made


def update(
    pen: Pen, draft: Draft, incoming: Incoming, id_: str, if_match: int | None, reason: str = ""
) -> Written:
    """Write a new version; protecting less asks for a reason.

    Raises `DeniedError`, `NotFoundError`, `GoneError`, `VersionConflictError`.
    """
    item = existing(draft, incoming.type, id_, Interaction.UPDATE)
    pen.finds(draft, Interaction.UPDATE, trace.touched(item, pen.asking))
    if item.entry.deleted:
        raise GoneError("record.gone")
    if if_match is None:
        raise RequestError("record.if-match-needed")
    if if_match != item.entry.version:
        raise VersionConflictError("record.version-conflict", current=item.entry.version)
    if incoming.shows_reason and not reason and _reason_stands(draft, item):
        incoming = incoming.kept_apart()
    stated, incoming = incoming, secrecy.joined(draft, incoming, item, reason)
    alone = incoming.unit(item.unit.author, pen.asking.now, item.unit)
    unit = filing.unit_of(draft, incoming, alone, item)
    permit = permitted(draft.view, unit, Interaction.UPDATE)
    frozen.check(draft, unit.category)
    if not reason and lowers(item.unit.labels, unit.labels):
        raise RequestError("record.relabel")
    asked = Change(incoming.type, id_, unit, item, incoming)
    if proposals.waits(pen, draft, asked):
        return _proposed(pen, draft, asked, Interaction.UPDATE)
    before = _retired(draft, item)
    version, half = item.entry.version + 1, HALF_OF.get(incoming.type, "")
    if half in before and half and not incoming.has_half:
        _tombstone(draft, item, version, pen.asking.now, half, before.pop(half))
    made = _version(pen, draft, incoming, id_, version, unit, permit, before, Interaction.UPDATE)
    filing.link(filing.Filing(pen, draft, Interaction.UPDATE, permit.rule), incoming, id_, item)
    proposals.mark(draft, incoming, id_)
    secrecy.keep(pen, draft, stated, incoming, id_, item)
    return made


def delete(pen: Pen, draft: Draft, type_: str, id_: str, if_match: int | None = None) -> Written:
    """Leave a tombstone; the versions before stay in the history. Deleting twice is once.

    Raises `DeniedError`, `NotFoundError`, `VersionConflictError` when `if_match` names another version.
    """
    item = existing(draft, type_, id_, Interaction.DELETE)
    pen.finds(draft, Interaction.DELETE, trace.touched(item, pen.asking))
    entry = item.entry
    if if_match not in {None, entry.version}:
        raise VersionConflictError("record.version-conflict", current=entry.version)
    if entry.deleted:
        return Written(type_, id_, entry.version, entry.updated, created=False)
    frozen.check(draft, item.unit.category)
    asked = Change(type_, id_, item.unit, item)
    if proposals.waits(pen, draft, asked):
        return _proposed(pen, draft, asked, Interaction.DELETE)
    before = _retired(draft, item)
    version = entry.version + 1
    for part in before:
        _tombstone(draft, item, version, pen.asking.now, part, before[part])
    reference = f"{type_}/{id_}/_history/{version}"
    chain = trace.chain_for(item.unit, pen.asking)
    pen.did(draft, Interaction.DELETE, trace.Touched(reference, chain, item.permit.rule))
    return Written(type_, id_, version, pen.asking.now, created=False)


def _proposed(pen: Pen, draft: Draft, asked: Change, interaction: Interaction) -> Written:
    """Keep a change for a second professional, in place of the write. Raises `DeniedError`."""
    unit = proposals.together(asked)
    permit = permitted(draft.view, unit, interaction, asked.type)
    id_ = str(uuid.uuid4())
    proposals.put(pen, draft, id_, replace(asked, unit=unit), permit)
    version = 0 if asked.item is None else asked.item.entry.version
    return Written(asked.type, asked.id, version, pen.asking.now, created=False, waiting=id_)


def existing(draft: Draft, type_: str, id_: str, interaction: Interaction) -> Item:
    """Find what is to be changed. Raises `DeniedError`, and `NotFoundError` when there is none."""
    name = (type_, id_, "")
    unseen = _unseen(draft, name)
    if unseen is not None:
        raise DeniedError(draft.view, unseen, interaction, unit=draft.unit(name))
    item = _held(draft, name, interaction)
    if item is None:
        raise NotFoundError("record.not-found")
    if isinstance(item, Denial):
        seen = draft.current(name, Act.READ)
        raise DeniedError(
            draft.view, item, interaction, visible=isinstance(seen, Item), unit=draft.unit(name)
        )
    return item


def _held(draft: Draft, name: Name, interaction: Interaction) -> Item | Denial | None:
    """Find an item with a permit to change it; what its filer takes back needs no more than to file."""
    item = draft.current(name, Act.WRITE)
    if isinstance(item, Denial) and interaction is Interaction.DELETE:
        acts = filing.taking_back(draft.unit(name), name[0], draft.view.asking.actor.id)
        found = [draft.current(name, act) for act in acts]
        item = next((one for one in found if isinstance(one, Item)), item)
    return item


def _unseen(draft: Draft, name: Name) -> Denial | None:
    """Say why the asker may not see what they would change: then it is as if it were not there.

    A cell may let somebody write what it does not let them read; a version that is asked for, or a change
    that succeeds, would tell that there is something.
    """
    view = draft.view
    if view.asking.actor.kind in BLIND or view.depositing or name in draft.names:
        return None
    verdict = view.decide(draft.unit(name), Act.READ)
    return verdict if isinstance(verdict, Denial) else None


def permitted(view: View, unit: ItemClass, interaction: Interaction, type_: str = "") -> Permit:
    """Decide a write of a class; a document is deposited by who writes or files. Raises `DeniedError`."""
    existing = interaction is not Interaction.CREATE
    acts = filing.deposit_acts(type_, interaction)
    verdict = filing.first_permit(view.decide(unit, act, existing=existing) for act in acts)
    if isinstance(verdict, Denial):
        raise DeniedError(view, verdict, interaction, visible=True, unit=unit)
    return verdict


def _reason_stands(draft: Draft, item: Item) -> bool:
    """Say whether the writer holds the reason of an appointment, which stands apart (ADR 66).

    What they save is whole: a mark that somebody else put there must not show the reason by it. Showing one
    that stood apart protects less, and asks for a reason as that does.
    """
    half = draft.current((item.entry.type, item.entry.id, HALF_OF[item.entry.type]), Act.WRITE)
    return isinstance(half, Item) and not half.entry.deleted


def _retired(draft: Draft, item: Item) -> dict[str, Previous]:
    """Move the current entries of an item into history: part → where it is now."""
    before = {"": draft.retire(item)}
    half = HALF_OF.get(item.entry.type)
    if half is not None:
        other = draft.current((item.entry.type, item.entry.id, half), Act.WRITE)
        if isinstance(other, Item):
            before[half] = draft.retire(other)
    return before


def _tombstone(draft: Draft, item: Item, version: int, now: int, part: str, previous: Previous) -> None:
    unit = item.unit if part == "" else previous.unit.item_class()
    entry = Entry(item.entry.type, item.entry.id, version, part, now, True, 0, b"", previous, NOTHING)
    draft.place(unit, entry)


def _version(
    pen: Pen,
    draft: Draft,
    incoming: Incoming,
    id_: str,
    version: int,
    unit: ItemClass,
    permit: Permit,
    before: dict[str, Previous],
    interaction: Interaction,
) -> Written:
    now = pen.asking.now
    for part in incoming.parts(id_, version, now):
        cut = in_part(unit, part, _author(pen, unit, version, before.get(part.name)))
        if cut != unit:
            permitted(draft.view, cut, interaction, incoming.type)
        _seal(draft, incoming.type, id_, version, now, cut, part, before.get(part.name))
    reference = f"{incoming.type}/{id_}/_history/{version}"
    pen.did(draft, interaction, trace.Touched(reference, trace.chain_for(unit, pen.asking), permit.rule))
    return Written(incoming.type, id_, version, now, created=version == 1)


def _author(pen: Pen, unit: ItemClass, version: int, before: Previous | None) -> ActorId:
    """Name who first wrote a half that has an author of its own; an import makes none."""
    if before is not None:
        return before.unit.item_class().author
    return unit.author if version == 1 or pen.imported else pen.asking.actor.id


def _seal(
    draft: Draft,
    type_: str,
    id_: str,
    version: int,
    now: int,
    unit: ItemClass,
    part: Part,
    previous: Previous | None,
) -> None:
    name = (type_, id_, part.name)
    plain = part.body
    if part.content is not None:
        plain = blobs.kept(draft.txn, draft.view.keys, unit.category, part.body, part.content)
    body, tag = draft.seal_body(unit, name, version, plain)
    values = msgspec.Raw(part.values)
    draft.place(unit, Entry(type_, id_, version, part.name, now, False, body, tag, previous, values))
