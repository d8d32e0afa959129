"""Non-interference: what somebody is told does not depend on what they may not see.

Generated records and choices are written twice in one installation: whole, and without the items that one
actor may not read. Answers, totals, orders, pages, histories, views, the trace that the holder or the
representative reads, and the errors must be equal, but for the ids. What a triple is, and how many are asked:
`laboratory`. The same at the doors, headers and work included: `test_non_interference_doors`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from serment.fhir.query import Query, parse
from serment.model import Purpose
from serment.record.asking import Asking
from serment.record.finding import Finding
from serment.record.house import House
from serment.record.searching import Page
from tests.attacks.laboratory import NO_SHRINKING, ONE_OF_EACH, ROLES, Laboratory, plans
from tests.attacks.twins import ASKS, CODES, Plan, Planned, Twin, told, visible, write


async def both(lab: Laboratory, plan: Plan, role: str, asked: House | None = None) -> list[list[str]]:
    """Write the twins and give what the actor is told of each; `asked` is the house that answers."""
    pair = await lab.pair(plan, role)
    house = asked or lab.house()
    lines = [
        await told(lab.made, house, plan, twin, role, pair.now, trace=pair.trace)
        for twin in (pair.whole, pair.without)
    ]
    lab.count(pair, sum(line.startswith(ASKS) for line in lines[0]))
    return lines


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=4, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@example(plan=ONE_OF_EACH)
@given(plan=plans)
def test_nothing_told_depends_on_what_is_hidden(laboratory: Laboratory, role: str, plan: Plan) -> None:
    first, second = laboratory.run(both(laboratory, plan, role))
    assert first == second


@pytest.mark.campaign
@settings(max_examples=1_000, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans, role=st.sampled_from(ROLES))
def test_nothing_told_depends_on_what_is_hidden_long(laboratory: Laboratory, role: str, plan: Plan) -> None:
    first, second = laboratory.run(both(laboratory, plan, role))
    assert first == second


def test_two_thousand_triples_were_asked(laboratory: Laboratory) -> None:
    """Runs after the tests above, and counts what they asked of records that hide something."""
    assert laboratory.triples.total() >= 2_000 * len(laboratory.records) / len(ROLES)


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
    first, second = laboratory.run(both(laboratory, plan, "team-doctor", broken))
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
    first, second = laboratory.run(both(laboratory, plan, "team-doctor"))
    assert first == second
    first, second = laboratory.run(both(laboratory, plan, "team-doctor", broken))
    assert first != second


@pytest.mark.parametrize("role", ["team-doctor", "holder", "parent"])
def test_something_is_hidden_and_something_is_seen(laboratory: Laboratory, role: str) -> None:
    """Twins that are the same record prove nothing."""
    house = laboratory.house()
    start = house.passage.clock() - 200_000
    twin = laboratory.run(write(laboratory.made, house, ONE_OF_EACH, start, None))
    seen = laboratory.run(visible(laboratory.made, house, ONE_OF_EACH, twin, role, start + 199_000))
    assert 0 < len(seen) < len(ONE_OF_EACH.items)
