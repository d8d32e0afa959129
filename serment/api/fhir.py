"""The FHIR R4 door: one function for each interaction (HL7 FHIR R4 http.html).

A handler reads the request, asks `record`, and joins bytes; no rule and no decision is written here.
Order: answers, the statement, reads, searches, writes, bundles.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from email.utils import formatdate
from functools import cache, lru_cache
from typing import Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from serment import __version__
from serment.api import negotiation, retries
from serment.api.abilities import served_types, statement
from serment.door.asking import bearer_of, house_of, language_of
from serment.errors import GoneError, NotFoundError, NotSupportedError, RequestError
from serment.fhir import bundle, outcome
from serment.fhir import patch as json_patch
from serment.fhir.query import known, parse
from serment.model import Instant
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.bundling import answered
from serment.record.house import House
from serment.record.incoming import Incoming
from serment.record.patching import Change
from serment.record.reading import Served
from serment.record.write import Written


def answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer FHIR bytes. The server adds the headers that every answer has."""
    return Response(body, status, headers, negotiation.JSON if body else None)


def version_headers(version: int, updated: int) -> dict[str, str]:
    """Give ETag and Last-Modified of one version."""
    return {"etag": bundle.etag(version), "last-modified": _http_date(updated // 1000)}


@lru_cache(maxsize=4096)
def _http_date(second: int) -> str:
    """Write a second as HTTP does; a record that was imported holds few different ones."""
    return formatdate(second, usegmt=True)


async def metadata(request: Request) -> Response:
    """Say exactly what works: the CapabilityStatement. Needs no sign-in."""
    house = house_of(request)
    negotiation.acceptable(request)
    negotiation.nothing_else(request)
    return answer(_statement(house.started, house.base))


@cache
def _statement(started: Instant, base: str) -> bytes:
    return statement(__version__, started, base)


async def read(request: Request) -> Response:
    """GET [type]/[id]."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    type_, id_ = _named(request)
    return _resource(request, await house.reading.read(asking, type_, id_))


async def vread(request: Request) -> Response:
    """GET [type]/[id]/_history/[version]."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    type_, id_ = _named(request)
    version = int(request.path_params["version"])
    return _resource(request, await house.reading.vread(asking, type_, id_, version))


async def history(request: Request) -> Response:
    """GET [type]/[id]/_history: the versions that the caller may see, newest first, in pages."""
    house, asking = who(request)
    type_, id_ = _named(request)
    count, token = negotiation.slice_of(request)
    page = await house.reading.history(asking, type_, id_, count=count, page=token)
    entries = versions(page.served)
    address = f"{house.base}/{type_}/{id_}/_history"
    links = {"self": address}
    if page.next:
        links["next"] = f"{address}?{urlencode({'_page': page.next})}"
    # How many versions there are in all is known of a history that fits in one page; else nobody walks it.
    total = len(entries) if page.first and not page.next else None
    return answer(bundle.history(house.base, entries, total, links))


async def search_get(request: Request) -> Response:
    """GET [type]: a search in the address."""
    house, asking = who(request)
    return await _search(request, house, asking, negotiation.query(request))


async def search_post(request: Request) -> Response:
    """POST [type]/_search: the same search, out of the address."""
    house, asking = who(request)
    return await _search(request, house, asking, await negotiation.form(request))


async def create(request: Request) -> Response:
    """POST [type], with If-None-Exist for a conditional create."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    type_ = _type(request)
    sent, asking = await _sent(request, house, asking, type_)
    condition = request.headers.get("if-none-exist")
    if condition is not None and not condition.strip("? "):
        raise RequestError("record.empty-condition")
    written = await retries.once(request, asking, lambda: house.writing.create(asking, sent, condition))
    return await _written(request, house, asking, sent, written)


async def update(request: Request) -> Response:
    """PUT [type]/[id] with If-Match. An id that is unknown is not created: ids are the server's."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    type_, id_ = _named(request)
    sent, asking = await _sent(request, house, asking, type_)
    reason, version = negotiation.relabel(request), negotiation.if_match(request)
    written = await retries.once(
        request, asking, lambda: house.writing.update(asking, sent, id_, version, reason)
    )
    return await _written(request, house, asking, sent, written)


async def update_where(request: Request) -> Response:
    """PUT [type]?criteria: update the one visible item that meets them, create it when none does."""
    house, asking = who(request)
    type_, condition = _type(request), negotiation.condition(request)
    sent, asking = await _sent(request, house, asking, type_)
    reason, version = negotiation.relabel(request), negotiation.if_match(request)
    written = await retries.once(
        request, asking, lambda: house.writing.upsert(asking, sent, condition, version, reason)
    )
    return await _written(request, house, asking, sent, written)


async def _sent(request: Request, house: House, asking: Asking, type_: str) -> tuple[Incoming, Asking]:
    """Read the resource of a write, and whether it is sent again."""
    raw = await negotiation.resource(request)
    return incoming.read(raw, type_, house.base), retries.keyed(request, asking, raw)


async def patch(request: Request) -> Response:
    """PATCH [type]/[id]: JSON Patch, with or without If-Match."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    type_, id_ = _named(request)
    asking, change = await _change(request, house, asking)
    return await _patched(request, house, asking, lambda: house.patching.patch(asking, type_, id_, change))


async def patch_where(request: Request) -> Response:
    """PATCH [type]?criteria: JSON Patch on the one visible item that meets them."""
    house, asking = who(request)
    type_, condition = _type(request), negotiation.condition(request)
    asking, change = await _change(request, house, asking)
    return await _patched(
        request, house, asking, lambda: house.patching.patch_where(asking, type_, condition, change)
    )


async def _change(request: Request, house: House, asking: Asking) -> tuple[Asking, Change]:
    raw = await negotiation.patch(request)
    reason, version = negotiation.relabel(request), negotiation.if_match(request)
    change = Change(json_patch.read(raw), version, reason, house.base)
    return retries.keyed(request, asking, raw), change


async def _patched(
    request: Request, house: House, asking: Asking, act: Callable[[], Awaitable[tuple[Incoming, Written]]]
) -> Response:
    """Do a patch once, and answer it: what came of it is known to the first request only."""
    outcomes: list[Incoming] = []

    async def patched() -> Written:
        sent, written = await act()
        outcomes.append(sent)
        return written

    written = await retries.once(request, asking, patched)
    return await _written(request, house, asking, outcomes[0] if outcomes else None, written)


async def delete_where(request: Request) -> Response:
    """DELETE [type]?criteria: the one visible item that meets them."""
    house, asking = who(request)
    type_, condition = _type(request), negotiation.condition(request)
    asking, version = retries.keyed(request, asking), negotiation.if_match(request)
    written = await retries.once(
        request, asking, lambda: house.patching.delete_where(asking, type_, condition, house.base, version)
    )
    return _deleted(request, written)


async def delete(request: Request) -> Response:
    """DELETE [type]/[id]: a tombstone; the versions before stay in the history."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    type_, id_ = _named(request)
    asking, version = retries.keyed(request, asking), negotiation.if_match(request)
    written = await retries.once(request, asking, lambda: house.writing.delete(asking, type_, id_, version))
    return _deleted(request, written)


def _waiting(request: Request, written: Written) -> Response:
    """Say that a change waits for a second professional: nothing was changed (202, ADR 60)."""
    headers = version_headers(written.version, written.updated) if written.version else {}
    return answer(outcome.ok("record.waits-for-a-second", language_of(request)), 202, headers)


def _deleted(request: Request, written: Written) -> Response:
    if written.waiting:
        return _waiting(request, written)
    body = outcome.ok("api.deleted", language_of(request))
    return answer(body, 200, version_headers(written.version, written.updated))


async def transaction(request: Request) -> Response:
    """POST [base]: a batch or a transaction."""
    house, asking = who(request)
    negotiation.nothing_else(request)
    raw = await negotiation.resource(request)
    asking = retries.keyed(request, asking, raw)
    with house.retrying.alone(asking):
        kind, items = await house.bundling.run(asking, raw, house.base)
    return answer(bundle.response(kind, items))


def who(request: Request) -> tuple[House, Asking]:
    """Say who asks, and check that they take our answers. Programs carry a bearer token, never a cookie."""
    house = house_of(request)
    asking = bearer_of(request, house)
    negotiation.acceptable(request)
    return house, asking


async def _search(request: Request, house: House, asking: Asking, pairs: negotiation.Pairs) -> Response:
    type_ = _type(request)
    if any(name == "_page" for name, _ in pairs):
        if len(pairs) > 1:
            raise NotSupportedError("api.page-alone")
        page = await house.searching.go_on(asking, type_, pairs[0][1])
        return answer(answered(page, house.base, asking.language))
    asked = [one for one in pairs if known(type_, one[0])] if negotiation.lenient(request) else pairs
    page = await house.finding.search(asking, parse(type_, asked, house.base))
    return answer(answered(page, house.base, asking.language, aside=len(pairs) - len(asked)))


async def _written(
    request: Request, house: House, asking: Asking, sent: Incoming | None, written: Written
) -> Response:
    """Answer a write as `Prefer` asks: by default with the stored bytes, which are those that were sent.

    Without `sent` (a patch that was done before) and when a condition was met, they are read like anything
    else: the version that the ETag names.
    """
    if written.waiting:
        return _waiting(request, written)
    headers = version_headers(written.version, written.updated)
    headers["location"] = f"{house.base}/{written.type}/{written.id}/_history/{written.version}"
    status = 201 if written.created else 200
    wish = negotiation.preferred(request)
    if wish == "minimal":
        return answer(b"", status, headers)
    if wish == "OperationOutcome":
        said = "record.suspected" if written.suspected else "api.written"
        return answer(outcome.ok(said, language_of(request)), status, headers)
    if sent is None or (request.method == "POST" and not written.created):
        return answer(await _made(house, asking, written), status, headers)
    body = sent.whole(written.id, written.version, Instant(written.updated))
    return answer(body, status, headers)


async def _made(house: House, asking: Asking, written: Written) -> bytes:
    """Give the version that was made or met: nothing for who may not read it, as for a person only found."""
    try:
        return (await house.reading.vread(asking, written.type, written.id, written.version)).body
    except NotFoundError:
        return b""


def _resource(request: Request, served: Served) -> Response:
    """Answer an item that was read and traced: 304 to who has this version already."""
    if served.deleted:
        raise GoneError("record.gone")
    headers = version_headers(served.version, served.updated)
    if negotiation.unchanged(request, served.version, served.updated):
        return answer(b"", 304, headers)
    return answer(served.body, 200, headers)


def _type(request: Request) -> str:
    type_ = str(request.path_params["type"])
    if type_ not in served_types():
        raise NotFoundError("api.unknown-type")
    return type_


def _named(request: Request) -> tuple[str, str]:
    return _type(request), str(request.path_params["id"])


def versions(served: Iterable[Served]) -> list[bundle.HistoryEntry]:
    """Write versions as the entries of a history."""
    return [
        bundle.HistoryEntry(
            f"{one.type}/{one.id}",
            None if one.deleted else one.body,
            _method_of(one),
            one.version,
            one.updated,
        )
        for one in served
    ]


def _method_of(served: Served) -> Literal["POST", "PUT", "DELETE"]:
    """Say by which request a version was made."""
    if served.deleted:
        return "DELETE"
    return "POST" if served.version == 1 else "PUT"
