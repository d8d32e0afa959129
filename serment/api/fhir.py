"""The FHIR R4 door: one function for each interaction (HL7 FHIR R4 http.html).

A handler reads the request, asks `record`, and joins bytes; no rule and no decision is written here.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from serment import __version__
from serment.door.asking import asking_of, house_of, language_of
from serment.errors import MalformedError, NotSupportedError, RequestError
from serment.fhir import bundle, capability, outcome
from serment.fhir.owner import owner_rules
from serment.fhir.query import parse
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.reading import Served
from serment.record.searching import Page
from serment.record.write import Written

JSON = "application/fhir+json; charset=utf-8"
LIMIT = 16 * 1024 * 1024
_IF_MATCH = re.compile(r'W/"(\d{1,9})"')
_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "application/fhir json"})


def answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer FHIR bytes that no cache may keep."""
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, JSON)


def version_headers(version: int, updated: int) -> dict[str, str]:
    """Give ETag and Last-Modified of one version."""
    return {"etag": bundle.etag(version), "last-modified": _http_date(updated)}


async def metadata(request: Request) -> Response:
    """Say exactly what works: the CapabilityStatement. Needs no sign-in."""
    house = house_of(request)
    return answer(capability.statement(__version__, house.started, house.base, served_types()))


async def read(request: Request) -> Response:
    """GET [type]/[id]."""
    house, asking = _who(request)
    type_, id_ = _named(request)
    return _resource(await house.reading.read(asking, type_, id_))


async def vread(request: Request) -> Response:
    """GET [type]/[id]/_history/[version]."""
    house, asking = _who(request)
    type_, id_ = _named(request)
    served = await house.reading.vread(asking, type_, id_, int(request.path_params["version"]))
    return _resource(served)


async def history(request: Request) -> Response:
    """GET [type]/[id]/_history."""
    house, asking = _who(request)
    type_, id_ = _named(request)
    versions = await house.reading.history(asking, type_, id_)
    entries = [
        bundle.HistoryEntry(
            f"{type_}/{id_}",
            None if served.deleted else served.body,
            _method(served),
            served.version,
            served.updated,
        )
        for served in versions
    ]
    links = {"self": f"{house.base}/{type_}/{id_}/_history"}
    return answer(bundle.history(house.base, entries, len(entries), links))


async def search_get(request: Request) -> Response:
    """GET [type]?…"""
    return await _search(request, parse_qsl(request.url.query, keep_blank_values=True))


async def search_post(request: Request) -> Response:
    """POST [type]/_search: the same search, out of the address."""
    form = (await request.body()).decode("utf-8", "strict")
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    return await _search(request, [*pairs, *parse_qsl(form, keep_blank_values=True)])


async def create(request: Request) -> Response:
    """POST [type], with If-None-Exist for a conditional create."""
    house, asking = _who(request)
    type_ = _type(request)
    raw = await _body(request)
    condition = request.headers.get("if-none-exist")
    written = await house.writing.create(asking, incoming.read(raw, type_), condition)
    return await _written(request, house, asking, written)


async def update(request: Request) -> Response:
    """PUT [type]/[id] with If-Match."""
    house, asking = _who(request)
    type_, id_ = _named(request)
    resource = incoming.read(await _body(request), type_)
    written = await house.writing.update(
        asking, resource, id_, _if_match(request), request.headers.get("serment-relabel-reason", "")
    )
    return await _written(request, house, asking, written)


async def delete(request: Request) -> Response:
    """DELETE [type]/[id]: a tombstone; the versions before stay in the history."""
    house, asking = _who(request)
    type_, id_ = _named(request)
    written = await house.writing.delete(asking, type_, id_)
    body = outcome.ok("api.deleted", language_of(request))
    return answer(body, 200, {"etag": bundle.etag(written.version)})


async def transaction(request: Request) -> Response:
    """POST [base]: a batch or a transaction."""
    house, asking = _who(request)
    kind, items = await house.bundling.run(asking, await _body(request), house.base)
    return answer(bundle.response(kind, items))


async def _search(request: Request, pairs: list[tuple[str, str]]) -> Response:
    house, asking = _who(request)
    type_ = _type(request)
    tokens = [value for name, value in pairs if name == "_page"]
    if tokens:
        page = await house.searching.go_on(asking, tokens[0])
    else:
        asked = [(name, value) for name, value in pairs if name not in {"_format", "_pretty"}]
        page = await house.finding.search(asking, parse(type_, asked, house.base))
    return answer(_searchset(request, house, type_, page))


def _searchset(request: Request, house: House, type_: str, page: Page) -> bytes:
    """Join a page of answers. An empty answer says that it is empty for this caller."""
    links = {"self": f"{house.base}/{type_}?{urlencode(_shown(page))}"}
    if page.next:
        links["next"] = f"{house.base}/{type_}?{urlencode({'_page': page.next})}"
    entries: list[tuple[str, bytes, Literal["match", "include", "outcome"]]] = [
        (f"{served.type}/{served.id}", served.body, "match") for served in page.served
    ]
    nothing = None if page.total else outcome.ok("api.nothing-visible", language_of(request))
    total = None if page.query.total == "none" else page.total
    return bundle.searchset(house.base, entries, total, links, nothing)


def _shown(page: Page) -> list[tuple[str, str]]:
    """Give the pairs of the self link; who was searched by a trait is left out of every address."""
    return [] if page.query.type == "Patient" else page.query.to_pairs()


async def _written(request: Request, house: House, asking: Asking, written: Written) -> Response:
    """Answer a write with the stored resource, or as `Prefer` asks."""
    headers = version_headers(written.version, written.updated)
    headers["location"] = f"{house.base}/{written.type}/{written.id}/_history/{written.version}"
    status = 201 if written.created else 200
    if "return=minimal" in request.headers.get("prefer", ""):
        return answer(b"", status, headers)
    return answer(written.body, status, headers)


def _resource(served: Served) -> Response:
    if served.deleted:
        raise RequestError("record.gone")
    return answer(served.body, 200, version_headers(served.version, served.updated))


def _who(request: Request) -> tuple[House, Asking]:
    house = house_of(request)
    formats = request.query_params.get("_format", "json")
    accept = request.headers.get("accept", "*/*")
    if formats not in _FORMATS or not re.search(r"json|\*/\*", accept):
        raise NotSupportedError("api.not-acceptable")
    return house, asking_of(request, house)


def served_types() -> list[str]:
    """List the types that this server keeps: those that have a patient owner or stand in the directory."""
    return sorted(type_ for type_, rule in owner_rules().items() if rule.rule != "none")


def _type(request: Request) -> str:
    type_ = str(request.path_params["type"])
    if type_ not in owner_rules() or owner_rules()[type_].rule == "none":
        raise NotSupportedError("api.unknown-type")
    return type_


def _named(request: Request) -> tuple[str, str]:
    return _type(request), str(request.path_params["id"])


async def _body(request: Request) -> bytes:
    """Read the body, never more than the limit."""
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > LIMIT:
            break
    return bytes(raw)


def _if_match(request: Request) -> int | None:
    said = request.headers.get("if-match")
    if said is None:
        return None
    match = _IF_MATCH.fullmatch(said.strip())
    if match is None:
        raise MalformedError("api.malformed-if-match")
    return int(match[1])


def _method(served: Served) -> Literal["POST", "PUT", "DELETE"]:
    if served.deleted:
        return "DELETE"
    return "POST" if served.version == 1 else "PUT"


def _http_date(updated: int) -> str:
    return formatdate(updated / 1000, usegmt=True)
