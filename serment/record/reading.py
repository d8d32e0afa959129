"""Reading items of a record: read, vread, history (HOUSE section 4, way 2).

Every way is the same: look and decide inside one snapshot, gather the sealed bodies of what is
permitted, wait for the durable trace, then reveal. What is hidden and what does not exist walk the
same way, the latter on the decoy record, and give the same answer.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import msgspec

from serment.errors import CustodyError, GoneError, IntegrityError, MalformedError, NotFoundError
from serment.fhir.halves import HALF_OF, beside, join
from serment.fhir.identity_body import without_numbers
from serment.fhir.query import DEFAULT_COUNT
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
from serment.record.gate import Item, Past, Sealed, View
from serment.record.incoming import HALVES
from serment.record.index import Previous
from serment.record.passage import DECOY, KeysAwayError, Passage
from serment.store.contract import Snapshot

T = TypeVar("T")

HISTORY = "history"
"""What a page token of a history is bound to, before its caller: no other page opens it."""

MOST_BYTES = 16 * 1024 * 1024
"""Sealed bytes of bodies in one page: the one that passes this ends the page, and a link leads on."""

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


@dataclass(frozen=True, slots=True)
class History:
    """One page of the versions of an item, newest first. `next` is a sealed page token or ""."""

    served: list[Served] = field(repr=False)
    first: bool
    next: str = field(default="", repr=False)


class HistoryMark(msgspec.Struct, array_like=True, frozen=True):
    """What a page token of a history holds: the item, the size of a page, where the next one begins."""

    type: str
    id: str
    count: int
    epoch: int
    link: Previous


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which versions are asked for: `most` of them, `only` one, those from `mark` on."""

    interaction: Interaction
    most: int
    only: int | None = None
    mark: HistoryMark | None = None


@dataclass(slots=True)
class _Gathered:
    """What one request may show, before its trace is durable. `next` is where the next page begins."""

    view: View
    entries: list[Pending]
    groups: list[tuple[Item, list[Sealed]]] = field(default_factory=list)
    denial: Denial | None = None
    next: Previous | None = None


class Reading:
    """The passage for reads. Holds no state of its own."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def read(self, asking: Asking, type_: str, id_: str) -> Served:
        """Read the current version. Raises `NotFoundError` (absent or hidden alike), `GoneError`."""
        name = (type_, id_)
        shown = (await self._versions(asking, name, Wanted(Interaction.READ, 1)))[1][0]
        if shown.deleted:
            raise GoneError("record.gone")
        return shown

    async def vread(self, asking: Asking, type_: str, id_: str, version: int) -> Served:
        """Read one version, decided with its own and the current labels together."""
        _, found = await self._versions(asking, (type_, id_), Wanted(Interaction.VREAD, 1, version))
        for served in found:
            return served
        raise NotFoundError("record.not-found")

    async def history(
        self, asking: Asking, type_: str, id_: str, *, count: int = DEFAULT_COUNT, page: str = ""
    ) -> History:
        """Give the versions that may be seen, newest first, a page at a time: `count` or `MOST_BYTES`.

        Raises `MalformedError` for a page token that is altered, of another caller or of another item, and
        `GoneError` when the record's facts have changed since.
        """
        mark = self._opened(asking, page) if page else None
        if mark is not None and (mark.type, mark.id) != (type_, id_):
            raise MalformedError("record.page-token")
        most = count if mark is None else mark.count
        gathered, shown = await self._versions(
            asking, (type_, id_), Wanted(Interaction.HISTORY, most, mark=mark)
        )
        token = ""
        if gathered.next is not None:
            follows = HistoryMark(type_, id_, most, gathered.view.head.epoch, gathered.next)
            plain = msgspec.msgpack.encode(follows)
            token = sealed_token(self._passage, f"{HISTORY} {asking.actor.id}", plain)
        return History(shown, mark is None, token)

    def _opened(self, asking: Asking, token: str) -> HistoryMark:
        plain = opened_token(self._passage, f"{HISTORY} {asking.actor.id}", token)
        return msgspec.msgpack.decode(plain, type=HistoryMark)

    async def _versions(
        self, asking: Asking, name: tuple[str, str], wanted: Wanted
    ) -> tuple[_Gathered, list[Served]]:
        gathered = await with_keys(
            self._passage, asking, lambda seen: self._gather(seen, asking, name, wanted)
        )
        receipts = await settled(self._passage, gathered.entries, again=True)
        if gathered.denial is not None:
            raise NotFoundError("record.not-found")
        return gathered, [
            self._serve(gathered.view, receipts, item, sealed) for item, sealed in gathered.groups
        ]

    def _gather(self, snapshot: Snapshot, asking: Asking, name: tuple[str, str], wanted: Wanted) -> _Gathered:
        """Look, decide, and read the sealed bodies of what is permitted."""
        passage, interaction = self._passage, wanted.interaction
        lead = passage.lead(snapshot, f"{name[0]}/{name[1]}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        item = gate.current_in(snapshot, view, lead.located.pack, lead.pack, (*name, ""), Act.READ)
        if isinstance(item, Denial):
            unit = gate.unit_at(view, lead.located.pack)
            return _Gathered(view, trace.of_refusal(passage, view, interaction, item, unit), denial=item)
        if wanted.mark is not None and wanted.mark.epoch != view.head.epoch:
            raise GoneError("record.page-gone")
        alone = interaction is Interaction.READ
        halves = self._halves(snapshot, view, name, 1 if alone else None)
        gathered = _Gathered(view, [])
        _fill(snapshot, gathered, [item] if alone else _walk(snapshot, view, item, wanted), halves, wanted)
        touched = [trace.touched(version, asking) for version, _ in gathered.groups]
        gathered.entries = trace.of_access(passage, view, interaction, touched, item.permit.rule)
        return gathered

    def _halves(self, snapshot: Snapshot, view: View, name: tuple[str, str], most: int | None) -> list[Item]:
        """Give the cut halves that may be seen; without them the members are absent."""
        half = HALF_OF.get(name[0])
        if half is None:
            return []
        located, known = self._passage.resolve(snapshot, f"{name[0]}/{name[1]}", half)
        if not known or located.record != view.record:
            snapshot.packs(view.record, [located.pack])  # the statement that a half which stands costs
            gate.absent(snapshot, view, (*name, half), HALVES[half])
            return []
        item = gate.current(snapshot, view, located.pack, (*name, half), Act.READ)
        if isinstance(item, Denial):
            return []
        return list(islice(_chain(snapshot, view, item, item.unit), most))

    def _serve(self, view: View, receipts: list[Receipt], item: Item, sealed: list[Sealed]) -> Served:
        entry = item.entry
        bodies = {part.item.entry.part: gate.reveal(view, receipts[0], part) for part in sealed}
        body = bodies.get("", b"")
        for part in sealed:
            if part.item.entry.part:
                body = whole(item, body, part.item, bodies[part.item.entry.part])
        body = as_it_was(item, body)
        return Served(entry.type, entry.id, entry.version, entry.updated, entry.deleted, item.unit, body)


def whole(item: Item, body: bytes, cut: Item, half: bytes) -> bytes:
    """Join the halves of a cut item as they were sent; an older half stands behind the newer one."""
    return (join if item.entry.version == cut.entry.version else beside)(body, half)


def as_it_was(item: Item, body: bytes) -> bytes:
    """Take out of a past version what may stand no more: the matricules of a person (ADR 44)."""
    past = isinstance(item, Past) and item.entry.type == "Patient" and not item.entry.deleted
    return without_numbers(body) if past else body


def _whole(version: Item, halves: list[Item]) -> list[Item]:
    """Give a version with the cut half of its time: who may not write that half leaves it as it was."""
    if version.entry.deleted:
        return [version]
    return [version, *[one for one in halves if one.entry.version <= version.entry.version][:1]]


def _chain(snapshot: Snapshot, view: View, item: Item, latest: ItemClass) -> Iterator[Item]:
    """Walk from a version back; one that may not be seen ends the walk."""
    step: Item | Denial | None = item
    while isinstance(step, Item):
        yield step
        step = gate.previous(snapshot, view, step, latest)


def _walk(snapshot: Snapshot, view: View, item: Item, wanted: Wanted) -> Iterator[Item]:
    """Walk from the current version back, or from where the page begins; down to the one that is wanted."""
    first: Item | Denial | None = item
    if wanted.mark is not None:
        before = msgspec.structs.replace(item.entry, previous=wanted.mark.link)
        first = gate.previous(snapshot, view, Item(item.permit, item.unit, before), item.unit)
    if not isinstance(first, Item):
        return
    for version in _chain(snapshot, view, first, item.unit):
        if wanted.only is None or version.entry.version == wanted.only:
            yield version
        if wanted.only is not None and version.entry.version <= wanted.only:
            return


def _fill(
    snapshot: Snapshot, gathered: _Gathered, versions: Iterable[Item], halves: list[Item], wanted: Wanted
) -> None:
    """Read the sealed bodies of versions until the page is full; then say where the next one begins."""
    size, last = 0, None
    for version in versions:
        if last is not None and (len(gathered.groups) >= wanted.most or size >= MOST_BYTES):
            gathered.next = last.entry.previous
            return
        live = [part for part in _whole(version, halves) if not part.entry.deleted]
        sealed = gate.fetch(snapshot, gathered.view, live)
        gathered.groups.append((version, sealed))
        size += weight(sealed)
        last = version


def weight(sealed: Iterable[Sealed]) -> int:
    """Weigh sealed bodies, in bytes."""
    return sum(len(part.row.sealed) for part in sealed)


def sealed_token(passage: Passage, bound_to: str, plain: bytes) -> str:
    """Seal what a page token holds, for one caller."""
    sealed = passage.installation.seal_page(bound_to, plain)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def opened_token(passage: Passage, bound_to: str, token: str) -> bytes:
    """Open a page token. Raises `MalformedError`: altered, or bound to something else."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return passage.installation.open_page(bound_to, sealed)
    except (ValueError, IntegrityError):
        raise MalformedError("record.page-token") from None


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
    passage.keyring.begin(asking.request)
    with passage.store.snapshot() as snapshot:
        records = [passage.resolve(snapshot, one)[0].record for one in dict.fromkeys(references)]
        epochs = [(record, snapshot.epoch(record)) for record in records]
    await _fetched(passage, asking, epochs)


async def warm_records(passage: Passage, asking: Asking, records: Collection[RecordToken]) -> None:
    """Fetch from custody, off the event loop, the keys of these records."""
    passage.keyring.begin(asking.request)
    with passage.store.snapshot() as snapshot:
        epochs = [(record, snapshot.epoch(record)) for record in records]
    await _fetched(passage, asking, epochs)


async def _fetched(
    passage: Passage, asking: Asking, epochs: Iterable[tuple[RecordToken, int | None]]
) -> None:
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
