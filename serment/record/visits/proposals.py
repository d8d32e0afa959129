"""What waits for a second professional: a change of a protected item, kept as a sealed proposal (ADR 60).

By whatever door a change of a blood group or of a severe allergy comes, it ends here in place of the write,
in the same transaction: decided as the write would be, sealed under the patient's keys, in the class that
the item has and would have together. Nothing of it is read, searched, counted or exported: it stands as a
deleted version of a type that is none. A first recording stands at once; what comes by an import, which is
the structure's own past, and what sorts a collision are no changes of anybody.

Order: what waits, putting a proposal, what marks an item, the entry. Confirming is in `protecting`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Final

import msgspec

from serment.access.record_facts import RecordFacts
from serment.errors import IntegrityError
from serment.fhir import protected
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, ItemClass, Permit
from serment.record import filing, gate, trace
from serment.record.draft import Draft, Name
from serment.record.gate import Item
from serment.record.incoming import Incoming
from serment.record.index import Entry
from serment.record.pen import Pen
from serment.record.shelf import may_hold

TYPE: Final = "Proposal"
"""Type of the entry; no resource of FHIR has this name."""
PART: Final = "proposal"
"""Part of the entry: what names a part is never what somebody wrote as a reference, so none leads there."""

SAYS: Final = "$says"
"""In a protected item's values: the digest of what it says, so that a new label alone changes nothing."""

MOST_TOLD: Final = 20
"""Professionals of the care team who find the proposal among what waits for them."""


class State(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Proposal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one, beside the resource that it proposes.

    `base` is the version that it changes, 0 for a creation; `removes` says that it deletes. `by` proposed it
    at `at` (ms); `closed_by` confirmed, declined or withdrew it. `names` are the people's own, as signed in.
    """

    target: str
    base: int
    removes: bool
    by: str
    by_name: str
    at: int
    state: State = State.WAITING
    closed_by: str = ""
    closed_name: str = ""
    closed_at: int = 0

    def __repr__(self) -> str:
        return f"Proposal({self.state.value})"


class _Values(msgspec.Struct, frozen=True):
    """What the entry holds: a map, as the values of any entry, with no parameter of a search."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody asks of an item: its type and id, the item that stands, what would be written.

    `item` is None for a creation, `incoming` for a deletion; `unit` is the class that the write would make.
    """

    type: str
    id: str
    unit: ItemClass
    item: Item | None = field(default=None, repr=False)
    incoming: Incoming | None = field(default=None, repr=False)

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"


# What waits.


def waits(pen: Pen, draft: Draft, change: Change) -> bool:
    """Say whether a write that the decision permits has to wait for a second professional."""
    if change.type not in protected.TYPES or pen.imported or draft.sorting:
        return False
    if change.reference in pen.confirmed:
        return False
    if change.item is not None:
        standing = protected.values_of(bytes(change.item.entry.values))
        if protected.protected(change.type, standing):
            return change.incoming is None or standing.get(SAYS) != _says(change.incoming)
    return change.incoming is not None and _contradicts(draft, change.incoming, change.id)


def _contradicts(draft: Draft, incoming: Incoming, id_: str) -> bool:
    """Say whether a blood group is another than one that stands and that the writer may see."""
    said = protected.indexed(incoming.document.value)
    groups = protected.facets(incoming.type, said)
    if not groups:
        return False
    for entry in _seen(draft, incoming.type):
        values = protected.values_of(bytes(entry.values))
        told = entry.id != id_ and groups & protected.facets(entry.type, values)
        if told and not protected.same_group(said, values):
            return True
    return False


def _seen(draft: Draft, type_: str) -> Iterator[Entry]:
    """Give the live items of a type that the writer may see, and those that this transaction has written."""
    for entries in draft.placed.values():
        yield from (one for one in entries if one.type == type_ and not one.deleted)
    permits = gate.permitted(draft.view, Act.READ, lambda unit: may_hold(unit, type_))
    packs = gate.listing(draft.txn, draft.view, permits)
    closed = [one for one in packs if one.number not in draft.opened]
    needles = [[code.encode() for code in protected.FACETS]]
    opened = [draft.opened[one.number] for one in packs if one.number in draft.opened]
    opened += [entries for *_, entries in gate.opened_of(draft.txn, draft.view, closed, needles)]
    for entries in opened:
        yield from (one for one in entries if one.type == type_ and not one.deleted)


# Putting a proposal.


def put(pen: Pen, draft: Draft, id_: str, change: Change, permit: Permit) -> None:
    """Seal a proposal under `id_` in place of the write; whoever may confirm it is pointed to it."""
    name = (TYPE, id_, PART)
    actor, now = pen.asking.actor, pen.asking.now
    base = 0 if change.item is None else change.item.entry.version
    said = Proposal(change.reference, base, change.incoming is None, actor.id, actor.name, now)
    body, tag = 0, b""
    if change.incoming is not None:
        body, tag = draft.seal_body(change.unit, name, 1, change.incoming.document.text.encode())
    draft.place(change.unit, Entry(TYPE, id_, 1, PART, now, True, body, tag, None, _values(said)))
    did(pen, draft, Interaction.PROPOSE, change.unit, said, permit.rule)
    pen.later.append(partial(_point, pen, draft, id_))


def did(pen: Pen, draft: Draft, interaction: Interaction, unit: ItemClass, said: Proposal, rule: str) -> None:
    """Trace an act on a proposal as one on the item that it speaks of."""
    version = f"{said.target}/_history/{max(said.base, 1)}"
    pen.did(draft, interaction, trace.Touched(version, trace.chain_for(unit, pen.asking), rule))


def close(pen: Pen, draft: Draft, item: Item, state: State) -> Proposal:
    """Write what became of a proposal; what was proposed, by whom and when stays."""
    actor = pen.asking.actor
    before = read(item)
    after = msgspec.structs.replace(
        before, state=state, closed_by=actor.id, closed_name=actor.name, closed_at=pen.asking.now
    )
    draft.take(item)
    entry = msgspec.structs.replace(item.entry, values=_values(after), updated=pen.asking.now)
    draft.place(item.unit, entry)
    return after


def together(change: Change) -> ItemClass:
    """Give the class of a proposal: as protected as the item that stands and as the one that is proposed."""
    if change.item is None:
        return change.unit
    return replace(gate.together(change.item.unit, change.unit), category=change.unit.category)


def _point(pen: Pen, draft: Draft, id_: str) -> None:
    """Send a pointer to those of the care team who may have the record open: ids, nothing of what waits."""
    from serment.record.between import inbox  # it stands on the passage for writes, which stands on this

    pointer = inbox.pointing(inbox.Errand.CONFIRM, draft.view.head.patient, f"{TYPE}/{id_}", id_=id_)
    for actor in confirmers(draft.facts or draft.view.facts, pen)[:MOST_TOLD]:
        inbox.put_in(pen, actor, pointer)


def confirmers(facts: RecordFacts, pen: Pen) -> list[ActorId]:
    """Name the professionals who stand before the record now by an act of care, or attend; not the asker."""
    regime, now, policy = pen.passage.regime, pen.asking.now, pen.passage.policy
    team = [one.actor for one in facts.team if policy.opens(one, regime, now)]
    attending = [one.actor for one in facts.attending if one.end is None or now < one.end]
    found = dict.fromkeys([*attending, *team])
    return [ActorId(one) for one in found if one.startswith("rpps:") and one != pen.asking.actor.id]


# What marks an item.


def mark(draft: Draft, incoming: Incoming, id_: str) -> None:
    """Keep on a protected item just written the digest of what it says."""
    if incoming.type not in protected.TYPES:
        return
    at = filing.placed(draft, f"{incoming.type}/{id_}")
    if at is not None and protected.protected(incoming.type, protected.values_of(bytes(at.entry.values))):
        filing.move(draft, at, at.unit, {SAYS: _says(incoming)})


def _says(incoming: Incoming) -> bytes:
    return protected.digest(incoming.document.value)


# The entry.


def name_of(id_: str) -> Name:
    """Name the entry of a proposal."""
    return TYPE, id_, PART


def read(item: Item) -> Proposal:
    """Read what is kept of a proposal. Raises `IntegrityError` when it is not one of ours."""
    try:
        return msgspec.msgpack.decode(bytes(item.entry.values), type=_Values).proposal
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None


def _values(said: Proposal) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(_Values(said)))
