"""A record as a whole (`Patient/[id]/$everything`), and the history of one type in it, in pages.

In this order: what is asked, the passage, the record, the history. Both are worked out on what the caller
may see, as a search is: what is hidden and what is absent give the same pages. A page token is sealed,
bound to its caller and to the record's epoch, and decided again when it is followed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from serment.errors import GoneError, MalformedError, NotFoundError
from serment.fhir.query import DEFAULT_COUNT
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, ItemClass, Permit
from serment.record import gate, gathering, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.gathering import Key, Standing
from serment.record.index import Entry
from serment.record.passage import Passage
from serment.record.reading import Served, opened_token, sealed_token, settled, with_keys
from serment.record.searching import PERSON, may_hold
from serment.store.contract import Snapshot

WHOLE = "everything"
CHRONICLE = "chronicle"
"""What the two kinds of page tokens are bound to, before their caller."""

MOST_ITEMS = 1000
"""Items on one page of a whole record."""

APART = frozenset({"Binary"})
"""Types that are fetched by their own address: content is not part of a page."""


Place = tuple[int, str, str | int]
"""Where an item stands among the others: rank, type and id; or -ms, id and -version."""


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """What a page token holds: what was asked, where the next page begins, the epoch it was made at.

    `after` is the place of the last item of the page before.
    """

    patient: str
    types: tuple[str, ...]
    since: int
    count: int
    epoch: int
    after: Place


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a record: `types` (empty: all), what changed `since` (ms), `count` items a page."""

    patient: str = field(repr=False)
    types: tuple[str, ...] = ()
    since: int = 0
    count: int = DEFAULT_COUNT
    mark: Mark | None = field(default=None, repr=False)

    def keeps(self, entry: Entry) -> bool:
        """Say whether an entry is of a type that is asked."""
        return entry.type in self.types if self.types else entry.type not in APART

    def may_hold(self, unit: ItemClass) -> bool:
        """Say whether a class can hold what is asked."""
        return not self.types or any(may_hold(unit, type_) for type_ in self.types)


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `total` counts what was asked and may be seen, None where it is not known without a walk."""

    served: list[Served] = field(repr=False)
    total: int | None
    first: bool
    next: str = field(default="", repr=False)


@dataclass(slots=True)
class _Gathered:
    """What one page may show, before its trace is durable. `rest`: where the next page begins."""

    view: View
    items: list[Item]
    contacts: dict[Key, Item]
    sealed: list[Sealed]
    total: int | None
    rest: Place | None
    entries: list[Pending]
    permits: dict[int, Permit]


Gather = Callable[[Snapshot, View, dict[int, Permit], Wanted], _Gathered]


class Everything:
    """The passage for whole records. Holds no state of its own."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def page(self, asking: Asking, wanted: Wanted, interaction: Interaction = Interaction.READ) -> Page:
        """Give one page of a record, the person first. Raises `NotFoundError` when nothing may be seen."""
        gathered = await self._gathered(asking, wanted, interaction, _whole)
        if not gathered[0].permits:
            raise NotFoundError("record.not-found")
        return self._paged(asking, WHOLE, wanted, *gathered)

    async def chronicle(self, asking: Asking, wanted: Wanted) -> Page:
        """Give one page of the versions of one type, newest first: those that may be seen, none if none."""
        gathered = await self._gathered(asking, wanted, Interaction.HISTORY, _versions)
        return self._paged(asking, CHRONICLE, wanted, *gathered)

    def follow(self, asking: Asking, kind: str, patient: str, types: tuple[str, ...], token: str) -> Wanted:
        """Read a page token of `kind`: for the same patient and, in a history, the same type.

        Raises `MalformedError` for a token that is altered, of another caller or of something else.
        """
        plain = opened_token(self._passage, f"{kind} {asking.actor.id}", token)
        mark = msgspec.msgpack.decode(plain, type=Mark)
        if (patient and mark.patient != patient) or (types and mark.types != types):
            raise MalformedError("record.page-token")
        return Wanted(mark.patient, mark.types, mark.since, mark.count, mark)

    async def _gathered(
        self, asking: Asking, wanted: Wanted, interaction: Interaction, gather: Gather
    ) -> tuple[_Gathered, list[Served]]:
        def look(snapshot: Snapshot) -> _Gathered:
            return self._look(snapshot, asking, wanted, interaction, gather)

        found = await with_keys(self._passage, asking, look)
        receipts = await settled(self._passage, found.entries, again=True)
        return found, gathering.served(found.view, receipts[0], found.items, found.contacts, found.sealed)

    def _look(
        self, snapshot: Snapshot, asking: Asking, wanted: Wanted, interaction: Interaction, gather: Gather
    ) -> _Gathered:
        """Look, decide, gather one page, and make its trace ready."""
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{wanted.patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        if wanted.mark is not None and wanted.mark.epoch != view.head.epoch:
            raise GoneError("record.page-gone")
        permits = gate.permitted(view, Act.READ)
        found = gather(snapshot, view, permits, wanted)
        if permits:
            touched = [trace.touched(item, asking) for item in found.items]
            found.entries = trace.of_access(passage, view, interaction, touched)
        else:
            denial = gate.denied(view.decide(PERSON, Act.READ))
            found.entries = trace.of_refusal(passage, view, interaction, denial)
        return found

    def _paged(
        self, asking: Asking, kind: str, wanted: Wanted, found: _Gathered, served: list[Served]
    ) -> Page:
        token = ""
        if found.rest is not None:
            epoch = found.view.head.epoch
            mark = Mark(wanted.patient, wanted.types, wanted.since, wanted.count, epoch, found.rest)
            token = sealed_token(self._passage, f"{kind} {asking.actor.id}", msgspec.msgpack.encode(mark))
        return Page(served, found.total, wanted.mark is None, token)


# The record.


def _rank(entry: Entry) -> Place:
    """Put the person first, then type by type."""
    return int(entry.type != "Patient"), entry.type, entry.id


def _whole(snapshot: Snapshot, view: View, permits: dict[int, Permit], wanted: Wanted) -> _Gathered:
    classes = view.head.classes()
    few = {place: permit for place, permit in permits.items() if wanted.may_hold(classes[place])}
    here = gathering.standing(snapshot, view, few, wanted.keeps)
    items = sorted(_changed(here, wanted.since), key=lambda item: _rank(item.entry))
    after: Place = wanted.mark.after if wanted.mark is not None else (-1, "", "")
    left = [item for item in items if _rank(item.entry) > after]
    page, sealed = gathering.fitting(snapshot, view, left[: wanted.count], here.contacts)
    rest = _rank(page[-1].entry) if page and len(page) < len(left) else None
    return _Gathered(view, page, here.contacts, sealed, len(items), rest, [], permits)


def _changed(here: Standing, since: int) -> list[Item]:
    return [item for item in here.items if here.updated(item) >= since] if since else here.items


# The history of one type.


def _age(entry: Entry) -> Place:
    """Put the newest version first."""
    return -entry.updated, entry.id, -entry.version


def _versions(snapshot: Snapshot, view: View, permits: dict[int, Permit], wanted: Wanted) -> _Gathered:
    """Walk from version to version, newest first, and no further than the page needs."""
    classes = view.head.classes()
    few = {place: permit for place, permit in permits.items() if wanted.may_hold(classes[place])}
    after = wanted.mark.after if wanted.mark is not None else None
    chosen: list[Item] = []
    rest: Place | None = None
    for version in _newest_first(snapshot, view, few, wanted):
        if after is not None and _age(version.entry) <= after:
            continue
        if len(chosen) == wanted.count:
            rest = _age(chosen[-1].entry)
            break
        chosen.append(version)
    page, sealed = _bodies(snapshot, view, chosen)
    if len(page) < len(chosen):
        rest = _age(page[-1].entry)
    total = len(page) if wanted.mark is None and rest is None else None
    return _Gathered(view, page, {}, sealed, total, rest, [], permits)


def _newest_first(
    snapshot: Snapshot, view: View, permits: dict[int, Permit], wanted: Wanted
) -> Iterator[Item]:
    """Merge the chains of versions of all items of the type, deleted ones included."""
    waiting: list[tuple[Place, int, Item, ItemClass]] = []
    for _, permit, unit, entries in gate.opened(snapshot, view, permits):
        for entry in entries:
            if wanted.keeps(entry) and not entry.part and entry.updated >= wanted.since:
                waiting.append((_age(entry), len(waiting), Item(permit, unit, entry), unit))
    heapq.heapify(waiting)
    while waiting:
        _, place, item, latest = heapq.heappop(waiting)
        yield item
        before = gate.previous(snapshot, view, item, latest)
        if isinstance(before, Item) and before.entry.updated >= wanted.since:
            heapq.heappush(waiting, (_age(before.entry), place, before, latest))


def _bodies(snapshot: Snapshot, view: View, chosen: list[Item]) -> tuple[list[Item], list[Sealed]]:
    """Read the sealed bodies of as many versions as fit; a deleted one has none."""
    live = [item for item in chosen if not item.entry.deleted]
    fitting, sealed = gathering.fitting(snapshot, view, live, {})
    if len(fitting) == len(live):
        return chosen, sealed
    return chosen[: chosen.index(fitting[-1]) + 1], sealed
