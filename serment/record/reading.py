"""Reading items of a record: read, vread, history (HOUSE section 4, way 2).

Every way is the same: look and decide inside one snapshot, gather the sealed bodies of what is
permitted, wait for the durable trace, then reveal. What is hidden and what does not exist walk the
same way, the latter on the decoy record, and give the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from serment.errors import CustodyError, GoneError, NotFoundError
from serment.fhir.patient_cut import beside, join
from serment.ledger.append import Pending
from serment.ledger.entry import Decision, Interaction
from serment.model import (
    Act,
    ActorId,
    Denial,
    Instant,
    ItemClass,
    Receipt,
    RecordToken,
    RequestId,
)
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.incoming import CUT
from serment.record.passage import DECOY, KeysAwayError, Passage
from serment.store.contract import Snapshot

T = TypeVar("T")

TRIES = 3
"""How often a look is begun again because the keys it needs went away (the facts changed meanwhile)."""


@dataclass(frozen=True, slots=True)
class Served:
    """One version of one item, its bytes joined as they were received. `updated` is in ms."""

    type: str
    id: str
    version: int
    updated: int
    deleted: bool
    unit: ItemClass = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Gathered:
    """What one request may show, before its trace is durable."""

    view: View
    entries: list[Pending]
    groups: list[tuple[Item, list[Sealed]]] = field(default_factory=list)
    denial: Denial | None = None


class Reading:
    """The passage for reads. Holds no state of its own."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def read(self, asking: Asking, type_: str, id_: str) -> Served:
        """Read the current version. Raises `NotFoundError` (absent or hidden alike), `GoneError`."""
        return (await self._versions(asking, type_, id_, Interaction.READ, 1))[0]

    async def vread(self, asking: Asking, type_: str, id_: str, version: int) -> Served:
        """Read one version, decided with its own and the current labels together."""
        for served in await self._versions(asking, type_, id_, Interaction.VREAD, None, version):
            return served
        raise NotFoundError("record.not-found")

    async def history(self, asking: Asking, type_: str, id_: str) -> list[Served]:
        """Give the versions that may be seen, newest first."""
        return await self._versions(asking, type_, id_, Interaction.HISTORY, None)

    async def _versions(
        self,
        asking: Asking,
        type_: str,
        id_: str,
        interaction: Interaction,
        most: int | None,
        only: int | None = None,
    ) -> list[Served]:
        name = (type_, id_)
        gathered = await with_keys(
            self._passage, asking, lambda seen: self._gather(seen, asking, name, interaction, most, only)
        )
        receipts = await settled(self._passage, gathered.entries, again=True)
        if gathered.denial is not None:
            raise NotFoundError("record.not-found")
        shown = [self._serve(gathered.view, receipts, item, sealed) for item, sealed in gathered.groups]
        if interaction is Interaction.READ and shown[0].deleted:
            raise GoneError("record.gone")
        return shown

    def _gather(
        self,
        snapshot: Snapshot,
        asking: Asking,
        name: tuple[str, str],
        interaction: Interaction,
        most: int | None,
        only: int | None,
    ) -> _Gathered:
        """Look, decide, and read the sealed bodies of what is permitted."""
        passage = self._passage
        lead = passage.lead(snapshot, f"{name[0]}/{name[1]}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        item = gate.current_in(view, lead.located.pack, lead.pack, (*name, ""), Act.READ)
        if isinstance(item, Denial):
            unit = gate.unit_at(view, lead.located.pack)
            return _Gathered(view, trace.of_refusal(passage, view, interaction, item, unit), denial=item)
        chosen = _chain(snapshot, view, item, most)
        if only is not None:
            chosen = [version for version in chosen if version.entry.version == only]
        contacts = self._contacts(snapshot, view, name, most)
        gathered = _Gathered(view, [])
        for version in chosen:
            live = [part for part in _whole(version, contacts) if not part.entry.deleted]
            gathered.groups.append((version, gate.fetch(snapshot, view, live)))
        touched = [trace.touched(version, asking) for version in chosen]
        gathered.entries = trace.of_access(passage, view, interaction, touched, item.permit.rule)
        return gathered

    def _contacts(
        self, snapshot: Snapshot, view: View, name: tuple[str, str], most: int | None
    ) -> list[Item]:
        """Give the cut halves that may be seen; without them the members are absent."""
        if name[0] not in CUT:
            return []
        located, known = self._passage.resolve(snapshot, f"{name[0]}/{name[1]}", "contact")
        if not known or located.record != view.record:
            return []
        item = gate.current(snapshot, view, located.pack, (*name, "contact"), Act.READ)
        return [] if isinstance(item, Denial) else _chain(snapshot, view, item, most)

    def _serve(self, view: View, receipts: list[Receipt], item: Item, sealed: list[Sealed]) -> Served:
        entry = item.entry
        bodies = {part.item.entry.part: gate.reveal(view, receipts[0], part) for part in sealed}
        body = bodies.get("", b"")
        for part in sealed:
            if part.item.entry.part:
                body = whole(item, body, part.item, bodies["contact"])
        return Served(entry.type, entry.id, entry.version, entry.updated, entry.deleted, item.unit, body)


def whole(item: Item, body: bytes, contact: Item, half: bytes) -> bytes:
    """Join the halves of a cut item as they were sent; an older half stands behind the newer one."""
    return (join if item.entry.version == contact.entry.version else beside)(body, half)


def _whole(version: Item, contacts: list[Item]) -> list[Item]:
    """Give a version with the cut half of its time: who may not write that half leaves it as it was."""
    if version.entry.deleted:
        return [version]
    return [version, *[one for one in contacts if one.entry.version <= version.entry.version][:1]]


def _chain(snapshot: Snapshot, view: View, item: Item, most: int | None) -> list[Item]:
    """Walk from the current version back; a version that may not be seen is left out."""
    seen = [item]
    step: Item | None = item
    while step is not None and (most is None or len(seen) < most):
        before = gate.previous(snapshot, view, step, item.unit)
        if isinstance(before, Denial):
            break
        if before is not None:
            seen.append(before)
        step = before
    return seen


async def with_keys(passage: Passage, asking: Asking, job: Callable[[Snapshot], T]) -> T:
    """Run `job` in one snapshot. Where it meets keys that are not at hand, fetch them and run it again.

    The job looks at one record, with `at_hand`; keys that move away meanwhile are fetched once more.
    """
    passage.keyring.begin(asking.request)
    for _ in range(TRIES):
        try:
            with passage.store.snapshot() as snapshot:
                return job(snapshot)
        except KeysAwayError as away:
            await asyncio.to_thread(passage.keyring.of, away.record, away.epoch, asking.request, asking.now)
    raise CustodyError("custody.unreachable")


async def warm(passage: Passage, asking: Asking, references: Sequence[str]) -> None:
    """Fetch from custody, off the event loop, the keys that these references will need.

    The statements count references, never records: how many records they lead to would tell what exists.
    """
    with passage.store.snapshot() as snapshot:
        records = [passage.resolve(snapshot, one)[0].record for one in dict.fromkeys(references)]
    await warm_records(passage, asking, records)


async def warm_records(passage: Passage, asking: Asking, records: Collection[RecordToken]) -> None:
    """Fetch from custody, off the event loop, the keys of these records."""
    passage.keyring.begin(asking.request)
    with passage.store.snapshot() as snapshot:
        epochs = [(record, snapshot.epoch(record)) for record in records]
    for record, epoch in epochs:
        if epoch is not None and passage.keyring.held(record, epoch, asking.now) is None:
            await asyncio.to_thread(passage.keyring.of, record, epoch, asking.request, asking.now)


async def settled(passage: Passage, entries: list[Pending], *, again: bool = False) -> list[Receipt]:
    """Wait until the trace is durable: no answer leaves before (HOUSE promise 3).

    A refusal is made alike first. `again` says that a record whose keys are away is looked at twice.
    Raises `TooManyError`; `CustodyError` or `LockedError` for a refusal while custody is away.
    """
    refused = next((one for one in entries if one.event.decision is Decision.DENIAL), None)
    if refused is not None:
        await _alike(passage, refused, again=again)
    return await trace.together(passage, entries)


async def _alike(passage: Passage, refused: Pending, *, again: bool) -> None:
    """Make a refusal look as one on a record that has not been opened lately, then count it.

    What is hidden, unknown or not opened lately costs custody one asking each, and reads 503 while
    custody is away (ADR 29). Raises `TooManyError` when the actor has been refused too often lately:
    guessing ids is slow, and neither fills the ledger nor spends custody's budget.
    """
    event, record = refused.event, refused.trail.record
    actor, request, now = ActorId(event.actor), RequestId(event.request), Instant(event.t)
    if not passage.keyring.asked(request):
        if again:
            with passage.store.snapshot() as snapshot:
                passage.lead(snapshot, DECOY)
        counted = not passage.refusals.spent(actor, now)
        await asyncio.to_thread(passage.keyring.ask, record, request, now, counted=counted)
    passage.refusals.spend(actor, now)
