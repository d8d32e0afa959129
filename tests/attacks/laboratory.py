"""Where twins are written and asked: generated plans, everybody who may ask, and how much was asked.

A *triple* is a record with secrets, somebody who asks, a question: a record that holds at least one item
hidden from this asker, and one request (its pages included) whose answers are compared with those of the
record without that item, or of an item that does not exist. A record that hides nothing counts for nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import Phase
from hypothesis import strategies as st

from serment.record.house import House
from tests.attacks.knocking import UNSPENT
from tests.attacks.twins import CODES, LABELS, TYPES, Plan, Planned, Twin, visible, write
from tests.installation import Installation

ROLES = (
    "team-doctor",
    "nurse",
    "locum",
    "attending",
    "secretary",
    "unrelated-doctor",
    "holder",
    "parent",
    "officer",
)

NO_SHRINKING = (Phase.explicit, Phase.generate)
"""A failing plan is short enough to read; shrinking it writes records for minutes."""

items = st.builds(
    Planned,
    type=st.sampled_from(TYPES),
    code=st.sampled_from(CODES),
    label=st.sampled_from(sorted(LABELS)),
    versions=st.integers(1, 2),
    masked=st.booleans(),
)
plans = st.builds(
    Plan,
    items=st.lists(items, min_size=1, max_size=7).map(tuple),
    block=st.booleans(),
    oppose=st.sampled_from(["", "", "labs", "problems", "vitals"]),
)
ONE_OF_EACH = Plan(
    tuple(
        Planned("Observation", CODES[0], label, 1 + place % 2, place % 3 == 0)
        for place, label in enumerate(LABELS)
    )
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Twins as one actor knows them: the whole record, the one without what is `hidden`, and the instant.

    `trace` says whether the trace may be compared: to the holder, lines on a third party's item are told.
    """

    plan: Plan
    role: str
    whole: Twin
    without: Twin
    hidden: dict[int, str]
    now: int
    trace: bool


class Laboratory:
    """One installation in which twins are written, the runner of its calls, and the triples by role."""

    COUNTED = ("triples of non-interference", "records with secrets")

    def __init__(self, made: Installation, runner: asyncio.Runner) -> None:
        self.made, self.runner = made, runner
        self.triples: Counter[str] = Counter()
        self.records: Counter[str] = Counter()

    def __repr__(self) -> str:
        return "Laboratory"

    def house(self) -> House:
        """Give the house with fresh budgets: being slowed down is not what is compared."""
        house = self.made.house
        passage = replace(house.passage, refusals=UNSPENT)
        return House.of(passage, house.custody, house.kind, house.base)

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Run one call of the passage."""
        return self.runner.run(call)

    async def pair(self, plan: Plan, role: str) -> Pair:
        """Write the twins of a plan for one actor."""
        made, house = self.made, self.house()
        start = house.passage.clock() - 200_000
        now = start + 199_000
        whole = await write(made, house, plan, start, None)
        seen = await visible(made, house, plan, whole, role, now)
        refused = set(range(len(plan.items))) - set(whole.ids)
        without = await write(made, house, plan, start, seen | refused)
        assert await visible(made, house, plan, without, role, now) == seen
        known = replace(
            whole,
            ids={place: whole.ids[place] for place in seen},
            ghosts={**whole.ghosts, **whole.ids},
        )
        hidden = {place: id_ for place, id_ in whole.ids.items() if place not in seen}
        # A refused attempt to file an announcement is a line of the trace and no row: it stands in both.
        announced = any(plan.items[place].label == "waits" for place in refused)
        third = role == "holder" and any(item.label == "third" for item in plan.items)
        trace = role != "holder" or not (announced or third)
        return Pair(plan, role, known, without, hidden, now, trace)

    def count(self, pair: Pair, questions: int) -> None:
        """Count what was asked of a record that hides something from this actor."""
        self.triples[pair.role] += questions if pair.hidden else 0
        self.records[pair.role] += bool(pair.hidden)

    def asked(self) -> tuple[int, int]:
        """Give how much was asked, in the order of `COUNTED`."""
        return self.triples.total(), self.records.total()
