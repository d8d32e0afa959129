"""The names of professionals as a patient's page says them: of those who work here, and of who came before.

A name is never looked up in a record of somebody else, and a number that nobody here knows stays a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from starlette.concurrency import run_in_threadpool

from serment.door.asking import nobody_yet, people_of
from serment.model import ActorId
from serment.people.accounts import Accounts, by_actor
from serment.record.asking import Asking
from serment.record.retracing import Sought
from serment.web.patient.mine import Mine


async def names_of(mine_: Mine, actors: Iterable[str]) -> dict[str, str]:
    """Give the names of some actors: as they stood in the holder's own list, else as their account says."""
    wanted = set(actors)
    if not wanted:
        return {}
    told = await mine_.house.retracing.stretch(mine_.asking, mine_.patient, Sought(), most=2_000)
    met = {body.event.actor: body.event.actor_name for body in reversed(told.bodies) if body.event.actor_name}
    missing = sorted(wanted - met.keys())
    accounts, nobody = people_of(mine_.request).accounts, nobody_yet(mine_.request, mine_.house)
    here = await run_in_threadpool(partial(_here, accounts, nobody, missing)) if missing else {}
    return {one: met.get(one) or here.get(one) or one.partition(":")[2] for one in wanted}


def _here(accounts: Accounts, asking: Asking, actors: Iterable[str]) -> dict[str, str]:
    found = {one: accounts.find(asking, by_actor(ActorId(one))) for one in actors}
    return {one: account.name for one, account in found.items() if account is not None}
