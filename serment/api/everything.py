"""Whole records: `$everything` (R4 patient-operation-everything.html), `$summary` (IPS), type histories.

A record and a history come in pages, so that the server's memory does not grow with a record. What is
asked is read here; what may be seen is worked out in `record`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from serment.api import negotiation
from serment.api.abilities import searched_types, served_types
from serment.api.fhir import answer, versions, who
from serment.door.asking import language_of
from serment.errors import MalformedError, NotFoundError, NotSupportedError
from serment.fhir import bundle, dates, outcome
from serment.fhir.capability import NO_TYPE_HISTORY
from serment.fhir.query import DEFAULT_COUNT, MAX_COUNT
from serment.record.everything import CHRONICLE, MOST_ITEMS, WHOLE, Page, Wanted

_COUNT = re.compile(r"0{0,8}[1-9][0-9]{0,8}")
_LOCAL = re.compile(r"(?:Patient/)?([A-Za-z0-9.-]{1,64})")


async def everything(request: Request) -> Response:
    """GET Patient/[id]/$everything: the person, then what the caller may see of the record."""
    house, asking = who(request)
    patient = str(request.path_params["id"])
    asked = asked_of(request, {"_since", "_type", "_count"})
    if "_page" in asked:
        wanted = house.everything.follow(asking, WHOLE, patient, (), asked["_page"])
    else:
        types = tuple(asked["_type"].split(",")) if "_type" in asked else ()
        if not set(types) <= served_types():
            raise NotSupportedError("operations.type")
        wanted = Wanted(patient, types, since_of(asked), _count(asked, MOST_ITEMS, MOST_ITEMS))
    page = await house.everything.page(asking, wanted)
    links = _links(f"{house.base}/Patient/{patient}/$everything", page)
    entries: list[Any] = [(f"{one.type}/{one.id}", one.body, "match") for one in page.served]
    nothing = None if page.served else outcome.ok("api.nothing-visible", language_of(request))
    return answer(bundle.searchset(house.base, entries, page.total, links, nothing))


async def summary(request: Request) -> Response:
    """GET Patient/[id]/$summary: the International Patient Summary, as a document."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    return answer(await house.summarising.summary(asking, str(request.path_params["id"]), house.base))


async def type_history(request: Request) -> Response:
    """GET [type]/_history?patient=…: the versions of one type in one record, newest first."""
    house, asking = who(request)
    type_ = str(request.path_params["type"])
    if type_ not in served_types():
        raise NotFoundError("api.unknown-type")
    if type_ in NO_TYPE_HISTORY or type_ not in searched_types():
        raise NotSupportedError("operations.no-type-history")
    asked = asked_of(request, {"patient", "_since", "_count"})
    if "_page" in asked:
        wanted = house.everything.follow(asking, CHRONICLE, "", (type_,), asked["_page"])
    else:
        patient = _patient(asked.get("patient", ""), house.base)
        wanted = Wanted(patient, (type_,), since_of(asked), _count(asked, DEFAULT_COUNT, MAX_COUNT))
    page = await house.everything.chronicle(asking, wanted)
    links = _links(f"{house.base}/{type_}/_history", page)
    return answer(bundle.history(house.base, versions(page.served), page.total, links))


def asked_of(request: Request, known: set[str]) -> dict[str, str]:
    """Read the parameters, each once, or a page link alone. Raises `NotSupportedError`, `MalformedError`."""
    pairs = negotiation.query(request)
    names = [name for name, _ in pairs]
    if "_page" in names:
        if len(names) > 1:
            raise NotSupportedError("api.page-alone")
    elif not set(names) <= known:
        raise NotSupportedError("operations.parameter", known=", ".join(sorted(known)))
    if len(set(names)) != len(names):
        raise MalformedError("operations.repeated")
    return dict(pairs)


def since_of(asked: dict[str, str]) -> int:
    """Read `_since`, in ms, 0 when it is not said."""
    if "_since" not in asked:
        return 0
    try:
        return dates.parse(asked["_since"])[0]
    except ValueError:
        pass  # raised below, without the text of the cause
    raise MalformedError("search.malformed-date", parameter="_since")


def _count(asked: dict[str, str], usual: int, most: int) -> int:
    if "_count" not in asked:
        return usual
    if not _COUNT.fullmatch(asked["_count"]):
        raise MalformedError("search.malformed-count")
    return min(int(asked["_count"]), most)


def _patient(said: str, base: str) -> str:
    """Read whose record is asked: an id, `Patient/id`, or its address here."""
    match = _LOCAL.fullmatch(said.removeprefix(f"{base}/"))
    if match is None:
        raise NotSupportedError("record.one-patient")
    return match[1]


def _links(address: str, page: Page) -> dict[str, str]:
    links = {"self": address}
    if page.next:
        links["next"] = f"{address}?{urlencode({'_page': page.next})}"
    return links
