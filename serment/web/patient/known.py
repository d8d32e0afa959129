"""Professionals as a patient's page says them: by name, found in the directory by name or by number.

A name is that of the holder's own list where the person came before, else that of the directory, which
anybody signed in may search and which names no patient. A number that nobody knows stays a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from serment.errors import RequestError
from serment.fhir.query import parse
from serment.fhir.summary import person_name
from serment.identity import rpps
from serment.record.pages.retracing import Sought
from serment.web.patient.mine import Mine

MOST_FOUND: Final = 10
LEAST_TYPED: Final = 3


async def names_of(mine_: Mine, actors: Iterable[str]) -> dict[str, str]:
    """Give the names of some professionals, by actor id (`rpps:…`)."""
    wanted = set(actors)
    if not wanted:
        return {}
    told = await mine_.house.retracing.stretch(mine_.asking, mine_.patient, Sought(), most=2_000)
    met = {body.event.actor: body.event.actor_name for body in told.bodies if body.event.actor_name}
    names = {}
    for one in wanted:
        number = one.partition(":")[2]
        names[one] = met.get(one) or dict(await found(mine_, number)).get(number, number)
    return names


async def found(mine_: Mine, typed: str) -> list[tuple[str, str]]:
    """Find professionals of the directory by a name, or by a number: number and name of each, by name."""
    number = rpps.read(typed.replace(" ", ""))
    if not number and len(typed.strip()) < LEAST_TYPED:
        return []
    asked = [("identifier", f"{rpps.SYSTEM}|{number}")] if number else [("name", typed.strip()[:100])]
    try:
        query = parse("Practitioner", [*asked, ("_count", str(MOST_FOUND))])
        page = await mine_.house.searching.directory(mine_.asking, query)
    except RequestError:
        return []
    people = [_professional(msgspec.json.decode(one.body)) for one in page.served]
    return sorted({one for one in people if one[0] and one[1]}, key=lambda one: one[1])


def _professional(resource: dict[str, Any]) -> tuple[str, str]:
    numbers = {rpps.read(one.get("value")) for one in resource.get("identifier", []) if isinstance(one, dict)}
    known = sorted(numbers - {""})
    return known[0] if len(known) == 1 else "", person_name(resource)
