"""What a page shows of a record: the newest items of each category, never the whole at once.

Least view first (capability 2-07): each group shows a few items and says how many more there are.
The items shown are named in the trace; the others were counted on classes that the viewer may read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from operator import attrgetter

from serment.errors import NotFoundError
from serment.fhir.order import newest_first
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass, Permit
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item, Sealed, View
from serment.record.index import Entry
from serment.record.pages import reasons
from serment.record.passage import Passage
from serment.record.reading import settled, with_keys
from serment.record.shelf import OF_ITEM
from serment.store.contract import Snapshot

SHOWN = 6
"""Items of one category that a first view opens."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One item of a first view: its reference, class and bytes."""

    reference: str
    unit: ItemClass = field(repr=False)
    updated: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FirstView:
    """A record at first sight: what is shown, how many may be seen by category, the rule that opened it."""

    rule: str
    groups: dict[Category, list[Shown]] = field(repr=False)
    totals: dict[Category, int]


@dataclass(slots=True)
class _Gathered:
    """What a first view may show, before its trace is durable."""

    view: View
    permits: dict[int, Permit]
    chosen: dict[Category, list[Item]]
    totals: dict[Category, int]
    sealed: list[Sealed]
    entries: list[Pending]


class Showing:
    """The passage for first views."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def first_view(self, asking: Asking, patient: str, *, most: int = SHOWN) -> FirstView:
        """Open the newest items of each category. Raises `NotFoundError` when nothing may be seen."""
        passage = self._passage
        seen = await with_keys(
            passage, asking, lambda snapshot: self._gather(snapshot, asking, patient, most)
        )
        receipts = await settled(passage, seen.entries, again=True)
        if not seen.permits:
            raise NotFoundError("record.not-found")
        bodies = reasons.revealed(seen.view, receipts[0], seen.sealed)
        groups = {
            category: [
                Shown(
                    one.entry.reference,
                    one.unit,
                    one.entry.updated,
                    bodies[one.entry.reference, one.entry.part],
                )
                for one in items
            ]
            for category, items in seen.chosen.items()
        }
        return FirstView(main_rule([permit.rule for permit in seen.permits.values()]), groups, seen.totals)

    def _gather(self, snapshot: Snapshot, asking: Asking, patient: str, most: int) -> _Gathered:
        """Look, decide, and read the sealed bodies of what is shown first."""
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permits = gate.permitted(view, Act.READ)
        chosen, totals = newest(snapshot, view, permits, most)
        flat = [item for items in chosen.values() for item in items]
        sealed = gate.fetch(snapshot, view, [*flat, *reasons.beside(snapshot, view, permits, flat)])
        if permits:
            touched = [trace.touched(item, asking) for item in flat]
            entries = trace.of_access(passage, view, Interaction.LIST, touched)
        else:
            verdict = view.decide(REFUSED_UNIT, Act.READ)
            entries = trace.of_refusal(passage, view, Interaction.LIST, gate.denied(verdict))
        return _Gathered(view, permits, chosen, totals, sealed, entries)


def newest(
    snapshot: Snapshot, view: View, permits: dict[int, Permit], most: int
) -> tuple[dict[Category, list[Item]], dict[Category, int]]:
    """Choose the `most` newest live items of each category, and count them all.

    An entry older than the last one chosen so far is passed over at once: of ten thousand, few are sorted.
    A pack whose page says that it holds none newer is counted and stays sealed.
    """
    found = _Newest(most)
    packs = [one for one in gate.listing(snapshot, view, permits) if not reasons.only_reasons(one.unit)]
    for _, permit, unit, entries in gate.opened_of(snapshot, view, [one for one in packs if not one.listed]):
        found.meet(permit, unit, entries)
    lines = [(one.listed, one) for one in packs if one.listed is not None]
    for line, one in sorted(lines, key=lambda pair: pair[0].newest, reverse=True):
        if line.newest <= found.least(one.unit.category):
            found.totals[one.unit.category] += line.live
            continue
        for _, permit, unit, entries in gate.opened_of(snapshot, view, [one]):
            found.meet(permit, unit, entries)
    return {category: best for category, best in found.chosen.items() if best}, dict(found.totals)


@dataclass(slots=True)
class _Newest:
    """The newest items of each category so far, and how many there are."""

    most: int
    chosen: dict[Category, list[Item]] = field(default_factory=lambda: defaultdict(list))
    totals: dict[Category, int] = field(default_factory=lambda: defaultdict(int))

    def least(self, category: Category) -> int:
        """Give the instant of the oldest that is chosen, 0 while there is room for any."""
        best = self.chosen[category]
        return best[-1].entry.updated if len(best) == self.most else 0

    def meet(self, permit: Permit, unit: ItemClass, entries: list[Entry]) -> None:
        """Take in the entries of one pack."""
        live = [entry for entry in entries if not entry.deleted]
        if not live:
            return
        self.totals[unit.category] += len(live)
        least = self.least(unit.category)
        fresh = [entry for entry in live if entry.updated >= least]
        if fresh:
            best = self.chosen[unit.category]
            best += [Item(permit, unit, entry) for entry in newest_first(fresh, _ID, _UPDATED)[: self.most]]
            self.chosen[unit.category] = newest_first(best, *OF_ITEM)[: self.most]


_ID, _UPDATED = attrgetter("id"), attrgetter("updated")

REFUSED_UNIT = ItemClass(Category.IDENTITY, "Patient", ("N",))


def main_rule(rules: list[str]) -> str:
    """Name the rule that opened most classes."""
    return max(sorted(set(rules)), key=rules.count)
