"""`Patient/$find-as-typed`: people found as somebody types the beginning of a name (ADR 47).

By POST only: a name never stands in an address. The answer is a searchset of ten people at most, without a
total and without a next page; of each, only who they are.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.api.operations import parameter
from serment.errors import InvalidResourceError
from serment.fhir import bundle
from serment.identity.status import RELIABILITY, STATUS_SYSTEM
from serment.identity.who import Who
from serment.record.finding import SUBSETTED


async def find(request: Request) -> Response:
    """POST Patient/$find-as-typed: the first ten people whose names begin as somebody types.

    One parameter `typed`, a valueString: three letters of a name at least, with other names, a birth date or
    its year in any order.
    """
    house, asking = who(request)
    negotiation.nothing_else(request)
    typed = (await parameter(request, "typed")).get("valueString")
    if not isinstance(typed, str):
        raise InvalidResourceError("api.parameter", "Parameters.parameter")
    found = await house.as_typed.search(asking, typed)
    return answer(
        bundle.searchset(
            house.base,
            [(f"Patient/{one.patient}", msgspec.json.encode(_patient(one)), "match") for one in found],
            None,
            {},
        )
    )


def _patient(one: Who) -> dict[str, Any]:
    """Write who somebody is as a Patient that holds nothing else."""
    given = one.given.split()
    families = [("official", one.birth), ("usual", one.used)]
    said: dict[str, Any] = {
        "resourceType": "Patient",
        "id": one.patient,
        "meta": {"tag": [{"system": SUBSETTED, "code": "SUBSETTED"}]},
        "extension": [_status(one.status)],
        "name": [_name(use, family, given) for use, family in families if family],
        "gender": one.sex,
        "birthDate": one.birth_date,
    }
    return {name: value for name, value in said.items() if value}


def _name(use: str, family: str, given: list[str]) -> dict[str, Any]:
    return {"use": use, "family": family, **({"given": given} if given else {})}


def _status(code: str) -> dict[str, Any]:
    coding = {"system": STATUS_SYSTEM, "code": code}
    return {"url": RELIABILITY, "extension": [{"url": "identityStatus", "valueCoding": coding}]}
