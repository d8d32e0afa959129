"""Protected changes before a second professional: what waits, confirming it, setting it aside (ADR 60).

A proposal is read as the item that it speaks of is: looked at, decided, traced, then opened. Confirming is
the write itself, decided for who confirms, with a Provenance that names both; whoever proposed does not
confirm, nor does a program in somebody's hands. A change of the item since makes a proposal void.

Order: what is shown, the passage, inside the transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial

from serment.errors import ConflictError, NotFoundError, RefusedError, VersionConflictError
from serment.fhir import protected
from serment.fhir.dates import instant_text
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Actor, ActorId, ActorKind, ItemClass, PatientId
from serment.record import gate, incoming, trace, writing
from serment.record.asking import Asking
from serment.record.between import inbox
from serment.record.draft import Draft
from serment.record.gate import Item, Sealed, View
from serment.record.incoming import Incoming
from serment.record.pages.showing import REFUSED_UNIT
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.reading import settled, with_keys
from serment.record.shelf import may_hold
from serment.record.visits import proposals
from serment.record.visits.proposals import Proposal, State
from serment.record.write import Written
from serment.record.writing import Writing
from serment.store.contract import Snapshot


@dataclass(frozen=True, slots=True)
class Shown:
    """One proposal: what is proposed (b"" for a deletion), and the item as it stands (b"" when none does)."""

    id: str
    said: Proposal
    proposed: bytes = field(repr=False)
    standing: bytes = field(repr=False)


@dataclass(slots=True)
class _Seen:
    """The proposals that may be shown, each with the item that stands, before the trace is durable."""

    view: View
    entries: list[Pending]
    pairs: list[tuple[Item, Item | None]] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)
    refused: bool = False


class Protecting:
    """The passage for protected changes."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage, self._writing = passage, writes

    async def of(self, asking: Asking, patient: PatientId) -> list[Shown]:
        """List the proposals of a record that the asker may see, newest first, closed ones too.

        Raises `NotFoundError` when nothing of the record may be seen.
        """
        seen = await with_keys(self._passage, asking, lambda snapshot: self._look(snapshot, asking, patient))
        receipts = await settled(self._passage, seen.entries, again=True)
        if seen.refused:
            raise NotFoundError("record.not-found")
        bodies = {one.item.entry.body: gate.reveal(seen.view, receipts[0], one) for one in seen.sealed}
        return [
            Shown(
                item.entry.id,
                proposals.read(item),
                bodies.get(item.entry.body, b""),
                b"" if standing is None else bodies[standing.entry.body],
            )
            for item, standing in seen.pairs
        ]

    async def confirm(self, asking: Asking, patient: PatientId, id_: str, base: str = "") -> Written:
        """Do what was proposed, as the second professional; give what was written.

        Raises `RefusedError` (no professional, their own proposal, the write is refused), `NotFoundError`,
        `ConflictError` when it waits no more or the item has changed since.
        """
        shown = await self._waiting(asking, patient, id_)
        if shown.said.by == asking.actor.id:
            raise RefusedError("record.own-proposal")
        ready = incoming.read(shown.proposed, None, base) if shown.proposed else None

        def job(pen: Pen) -> Written:
            pen.reason = "second-professional"
            pen.confirmed = frozenset({shown.said.target})
            draft, item = _held(pen, patient, shown)
            made = _done(pen, shown.said, ready)
            closed = proposals.close(pen, draft, item, State.CONFIRMED)
            _said_by_both(pen, closed, base)
            _settle(pen, draft, shown)
            return made

        try:
            return await self._writing.run(asking, [f"Patient/{patient}"], job)
        except VersionConflictError:
            raise ConflictError("record.proposal-over") from None

    async def set_aside(self, asking: Asking, patient: PatientId, id_: str) -> State:
        """Decline a proposal, or withdraw one's own: nothing is changed. Raises as `confirm`."""
        shown = await self._waiting(asking, patient, id_)
        state = State.WITHDRAWN if shown.said.by == asking.actor.id else State.DECLINED

        def job(pen: Pen) -> State:
            draft, item = _held(pen, patient, shown)
            closed = proposals.close(pen, draft, item, state)
            proposals.did(pen, draft, Interaction.PROPOSE, item.unit, closed, item.permit.rule)
            _settle(pen, draft, shown)
            return state

        return await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def _waiting(self, asking: Asking, patient: PatientId, id_: str) -> Shown:
        """Read one proposal that waits. Raises `RefusedError`, `NotFoundError`, `ConflictError`."""
        if asking.actor.kind is not ActorKind.PROFESSIONAL or asking.scope is not None:
            raise RefusedError("record.not-confirming")
        for shown in await self.of(asking, patient):
            if shown.id == id_:
                if shown.said.state is not State.WAITING:
                    raise ConflictError("record.proposal-over")
                return shown
        raise NotFoundError("record.not-found")

    def _look(self, snapshot: Snapshot, asking: Asking, patient: PatientId) -> _Seen:
        """Look, decide, and read the sealed bodies of the proposals and of what they speak of."""
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permits = gate.permitted(view, Act.READ)
        if not permits:
            denial = gate.denied(view.decide(REFUSED_UNIT, Act.READ))
            refusal = trace.of_refusal(passage, view, Interaction.LIST, denial)
            return _Seen(view, refusal, refused=True)
        seen = _Seen(view, [], _pairs(snapshot, view))
        shown = [one for pair in seen.pairs for one in pair if one is not None and one.entry.body]
        seen.sealed = gate.fetch(snapshot, view, list({one.entry.body: one for one in shown}.values()))
        standing = [one for _, one in seen.pairs if one is not None]
        rule = next(iter(permits.values())).rule
        touched = [trace.touched(one, asking) for one in standing]
        seen.entries = trace.of_access(passage, view, Interaction.LIST, touched, rule)
        return seen


def _pairs(snapshot: Snapshot, view: View) -> list[tuple[Item, Item | None]]:
    """Find the proposals that may be read, newest first, each with its item as it stands.

    A proposal about an item that may not be read is not shown, whatever it could be seen by itself: what was
    masked since is hidden with all that speaks of it.
    """
    permits = gate.permitted(view, Act.READ, _may_hold)
    found: list[Item] = []
    standing: dict[str, Item] = {}
    for _, permit, unit, entries in gate.opened(snapshot, view, permits):
        for entry in entries:
            item = Item(permit, unit, entry)
            if entry.type == proposals.TYPE:
                found.append(item)
            elif entry.type in protected.TYPES and not entry.deleted:
                standing[entry.reference] = item
    found.sort(key=lambda one: (one.entry.updated, one.entry.id), reverse=True)
    pairs = [(one, standing.get(proposals.read(one).target)) for one in found]
    return [(one, item) for one, item in pairs if item is not None or _of_nothing_yet(proposals.read(one))]


def _of_nothing_yet(said: Proposal) -> bool:
    """Say whether a proposal is of something that never came to stand."""
    return not said.base and said.state is not State.CONFIRMED


def _may_hold(unit: ItemClass) -> bool:
    return any(may_hold(unit, type_) for type_ in protected.TYPES)


# Inside the transaction.


def _held(pen: Pen, patient: PatientId, shown: Shown) -> tuple[Draft, Item]:
    """Find the proposal again, as it was read. Raises `NotFoundError`, `ConflictError`."""
    draft = writing.draft_of(pen, f"Patient/{patient}", {})
    item = draft.current(proposals.name_of(shown.id), Act.WRITE)
    if not isinstance(item, Item):
        raise NotFoundError("record.not-found")
    if proposals.read(item) != shown.said:
        raise ConflictError("record.proposal-over")
    return draft, item


def _done(pen: Pen, said: Proposal, ready: Incoming | None) -> Written:
    """Write what was proposed, decided for who confirms; the author of a first recording is its proposer."""
    type_, _, id_ = said.target.partition("/")
    if ready is None:
        return writing.remove(pen, type_, id_, said.base)
    if not said.base:
        return writing.put(pen, ready, id_, {}, ActorId(said.by))
    return writing.change(pen, ready, id_, incoming.owning_reference(ready, id_), said.base)


def _said_by_both(pen: Pen, said: Proposal, base: str) -> None:
    """Write the Provenance of the change: it is filed with the item that it speaks of."""
    agents = [("author", said.by, said.by_name), ("verifier", said.closed_by, said.closed_name)]
    value = protected.provenance(said.target, agents, instant_text(pen.asking.now))
    ready = incoming.read(json.dumps(value, ensure_ascii=False).encode(), "Provenance", base)
    writing.put(pen, ready, writing.new_id(), {}, pen.asking.actor.id)


def _settle(pen: Pen, draft: Draft, shown: Shown) -> None:
    """Settle the pointers of everybody who was told, at the end of the transaction."""

    def settle(whose: ActorId) -> None:
        inbox.settle_all_in(pen, whose, {shown.id})

    told = {*proposals.confirmers(draft.view.facts, pen), pen.asking.actor.id} - {ActorId(shown.said.by)}
    pen.later.extend(partial(settle, one) for one in sorted(told))


def may_confirm(actor: Actor, said: Proposal) -> bool:
    """Say whether somebody is another than who proposed: what a page offers, never what is decided."""
    return actor.kind is ActorKind.PROFESSIONAL and actor.id != said.by and said.state is State.WAITING
