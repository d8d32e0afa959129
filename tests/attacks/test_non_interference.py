"""Non-interference: what somebody is told does not depend on what they may not see.

Generated records and choices are written twice in one installation: whole, and without the items that one
actor may not read. Answers, totals, orders, pages, histories, views, the trace that the holder or the
representative reads, and the errors must be equal, but for the ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from serment.fhir.query import Query, parse
from serment.model import Purpose
from serment.record.asking import Asking
from serment.record.budget import Budget
from serment.record.finding import Finding
from serment.record.house import House
from serment.record.searching import Page
from tests.attacks.twins import CODES, LABELS, TYPES, Plan, Planned, Twin, told, visible, write
from tests.installation import Installation, installation

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


class Laboratory:
    """One installation in which twins are written, and the loop that its calls run on."""

    def __init__(self, made: Installation, loop: asyncio.AbstractEventLoop) -> None:
        self.made, self.loop = made, loop

    def __repr__(self) -> str:
        return "Laboratory"

    def house(self) -> House:
        """Give the house with fresh budgets: being slowed down is not what is compared."""
        house = self.made.house
        passage = replace(house.passage, refusals=Budget(10**9, 1, "record.too-many-refusals"))
        return House.of(passage, house.custody, house.kind, house.base)

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Run one call of the passage."""
        return self.loop.run_until_complete(call)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    loop = asyncio.new_event_loop()
    with installation(tmp_path_factory.mktemp("twins")) as made:
        yield Laboratory(made, loop)
    loop.close()


async def both(
    made: Installation, house: House, plan: Plan, role: str, asked: House | None = None
) -> list[list[str]]:
    """Write the twins and give what the actor is told of each; `asked` is the house that answers."""
    start = house.passage.clock() - 200_000
    now = start + 199_000
    whole = await write(made, house, plan, start, None)
    seen = await visible(made, house, plan, whole, role, now)
    refused = set(range(len(plan.items))) - set(whole.ids)
    without = await write(made, house, plan, start, seen | refused)
    assert await visible(made, house, plan, without, role, now) == seen
    kept, named = {place: whole.ids[place] for place in seen}, {**whole.ghosts, **whole.ids}
    known = Twin(whole.patient, whole.parent, kept, named, whole.types)
    # A refused attempt to file an announcement is a line of the trace and no row: it stands in both.
    trace = not any(plan.items[place].label == "waits" for place in refused)
    return [await told(made, asked or house, plan, twin, role, now, trace=trace) for twin in (known, without)]


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=7, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@example(plan=ONE_OF_EACH)
@given(plan=plans)
def test_nothing_told_depends_on_what_is_hidden(laboratory: Laboratory, role: str, plan: Plan) -> None:
    first, second = laboratory.run(both(laboratory.made, laboratory.house(), plan, role))
    assert first == second


@pytest.mark.campaign
@settings(max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans, role=st.sampled_from(ROLES))
def test_nothing_told_depends_on_what_is_hidden_long(laboratory: Laboratory, role: str, plan: Plan) -> None:
    first, second = laboratory.run(both(laboratory.made, laboratory.house(), plan, role))
    assert first == second


class CountsAll:
    """A broken gate: the total counts what the holder sees, whoever asks."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def search(self, asking: Asking, query: Query) -> Page:
        page = await self._house.finding.search(asking, query)
        if not query.patients:
            return page
        (patient,) = query.patients
        holder = Twin(cast("Any", patient), "")
        me = replace(asking, actor=holder.actor(cast("Any", None), "holder"), purpose=Purpose.PATIENT_REQUEST)
        whole = await self._house.finding.search(me, parse(query.type, query.to_pairs()))
        return replace(page, total=whole.total)


def test_a_total_that_counts_all_is_found(laboratory: Laboratory) -> None:
    """The comparison can fail."""
    house = laboratory.house()
    broken = replace(house, finding=cast("Finding", CountsAll(house)))
    plan = Plan(
        (
            Planned("Observation", CODES[0], "", 1, masked=True),
            Planned("Observation", CODES[1], "", 1, masked=False),
        )
    )
    first, second = laboratory.run(both(laboratory.made, house, plan, "team-doctor", broken))
    assert first != second


class ChainsThroughAll:
    """A broken gate: links are answered on what the holder sees, then filtered (hapi-fhir #6065)."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def search(self, asking: Asking, query: Query) -> Page:
        if not query.links or not query.patients:
            return await self._house.finding.search(asking, query)
        (patient,) = query.patients
        holder = Twin(cast("Any", patient), "").actor(cast("Any", None), "holder")
        me = replace(asking, actor=holder, purpose=Purpose.PATIENT_REQUEST)
        whole = await self._house.finding.search(me, query)
        mine = await self._house.finding.search(asking, replace(query, links=()))
        seen = {one.id for one in mine.served}
        kept = [one for one in whole.served if one.id in seen]
        return replace(mine, served=kept, total=len(kept))


def test_a_chain_through_hidden_items_is_found(laboratory: Laboratory) -> None:
    """The comparison can fail: a visible item refers to a hidden one that meets the criterion."""
    house = laboratory.house()
    broken = replace(house, finding=cast("Finding", ChainsThroughAll(house)))
    plan = Plan(
        (
            Planned("Observation", CODES[0], "", 1, masked=True),
            Planned("Observation", CODES[1], "", 1, masked=False),
        )
    )
    first, second = laboratory.run(both(laboratory.made, house, plan, "team-doctor"))
    assert first == second
    first, second = laboratory.run(both(laboratory.made, house, plan, "team-doctor", broken))
    assert first != second


@pytest.mark.parametrize("role", ["team-doctor", "holder", "parent"])
def test_something_is_hidden_and_something_is_seen(laboratory: Laboratory, role: str) -> None:
    """Twins that are the same record prove nothing."""
    house = laboratory.house()
    start = house.passage.clock() - 200_000
    twin = laboratory.run(write(laboratory.made, house, ONE_OF_EACH, start, None))
    seen = laboratory.run(visible(laboratory.made, house, ONE_OF_EACH, twin, role, start + 199_000))
    assert 0 < len(seen) < len(ONE_OF_EACH.items)
