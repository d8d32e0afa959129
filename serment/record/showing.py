"""What a page shows of a record: the newest items of each category, never the whole at once.

Least view first (capability 2-07): each group shows a few items and says how many more there are.
The items shown are named in the trace; the others were counted on classes that the viewer may read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from serment.errors import NotFoundError
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass
from serment.record import gate, trace
from serment.record.asking import Asking
from serment.record.gate import Item
from serment.record.passage import Passage
from serment.record.reading import settled, warm

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
    """A record at first sight: what is shown and how many may be seen, by category; the rule that opened it."""

    rule: str
    groups: dict[Category, list[Shown]] = field(repr=False)
    totals: dict[Category, int]


class Showing:
    """The passage for first views."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    async def first_view(self, asking: Asking, patient: str, *, most: int = SHOWN) -> FirstView:
        """Open the newest items of each category. Raises `NotFoundError` when nothing may be seen."""
        passage = self._passage
        await warm(passage, asking, [f"Patient/{patient}"])
        with passage.store.snapshot() as snapshot:
            located, _ = passage.resolve(snapshot, f"Patient/{patient}")
            view = passage.view(snapshot, asking, located.record)
            permits = gate.permitted(view, Act.READ)
            by_category: dict[Category, list[Item]] = defaultdict(list)
            for _, items in gate.packs(snapshot, view, permits):
                for item in items:
                    if not item.entry.deleted:
                        by_category[item.unit.category].append(item)
            chosen = {
                category: sorted(items, key=lambda item: (-item.entry.updated, item.entry.id))[:most]
                for category, items in by_category.items()
            }
            flat = [item for items in chosen.values() for item in items]
            sealed = gate.fetch(snapshot, view, flat)
            if permits:
                touched = [trace.touched(item, asking) for item in flat]
                entries = trace.of_access(passage, view, Interaction.LIST, touched)
            else:
                verdict = view.decide(REFUSED_UNIT, Act.READ)
                entries = trace.of_refusal(passage, view, Interaction.LIST, gate.denied(verdict))
        receipts = await settled(passage, entries)
        if not permits:
            raise NotFoundError("record.not-found")
        bodies = {id(part.item): gate.reveal(view, receipts[0], part) for part in sealed}
        groups = {
            category: [
                Shown(item.entry.reference, item.unit, item.entry.updated, bodies[id(item)]) for item in items
            ]
            for category, items in chosen.items()
        }
        rule = main_rule([permit.rule for permit in permits.values()])
        return FirstView(rule, groups, {category: len(items) for category, items in by_category.items()})


REFUSED_UNIT = ItemClass(Category.IDENTITY, "Patient", ("N",))


def main_rule(rules: list[str]) -> str:
    """Name the rule that opened most classes."""
    return max(sorted(set(rules)), key=rules.count)
