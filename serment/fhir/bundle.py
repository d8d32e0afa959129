"""Bundles that the server gives, put together as bytes (R4 bundle.html).

A resource goes in as the bytes that are stored and is never decoded: what stands around it is written
here. Empty lists are left out, as FHIR asks. Order: what goes in, searchset, history, responses, pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from serment.fhir.dates import instant_text

_text = msgspec.json.encode


class SearchEntry(NamedTuple):
    """One answer of a search. `full_url` is absolute, or `Type/id` below the server's address."""

    full_url: str
    resource: bytes
    mode: Literal["match", "include", "outcome"] = "match"


class HistoryEntry(NamedTuple):
    """One version. `full_url` is `Type/id`; `resource` None for a deletion; `updated_ms` when it was made."""

    full_url: str
    resource: bytes | None
    method: Literal["POST", "PUT", "DELETE"]
    version: int
    updated_ms: int


class ResponseItem(NamedTuple):
    """What became of one entry of a batch or transaction. `status` is an HTTP status code.

    `location` is the address of the version made, "" when there is none.
    """

    status: int
    location: str = ""
    version: int | None = None
    updated_ms: int | None = None
    resource: bytes | None = None
    outcome: bytes | None = None


def searchset(
    base: str,
    entries: Sequence[tuple[str, bytes, Literal["match", "include", "outcome"]]],
    total: int | None,
    links: Mapping[str, str],
    outcome: bytes | None = None,
) -> bytes:
    """Put a search's answer together.

    `base` is the server's FHIR address without a slash at the end; `total` counts the matches of all
    pages, None leaves it out; `links` are relation → address, `self` among them; `outcome` is an
    OperationOutcome put last, in mode `outcome`.
    """
    rows = [_search_entry(base, *entry) for entry in entries]
    if outcome is not None:
        rows.append(_object([(b"resource", outcome), (b"search", b'{"mode":"outcome"}')]))
    return _bundle("searchset", total, links, rows)


def history(base: str, entries: Sequence[HistoryEntry], total: int | None, links: Mapping[str, str]) -> bytes:
    """Put a history together, newest first as given; each entry says its request and response."""
    return _bundle("history", total, links, [_history_entry(base, entry) for entry in entries])


def response(kind: Literal["batch", "transaction"], items: Sequence[ResponseItem]) -> bytes:
    """Put the answer to a batch or transaction together, one entry for each sent, in the same order."""
    return _bundle(f"{kind}-response", None, {}, [_response_entry(item) for item in items])


def _search_entry(base: str, full_url: str, resource: bytes, mode: str) -> bytes:
    members = [(b"fullUrl", _text(_absolute(base, full_url))), (b"resource", resource)]
    return _object([*members, (b"search", b'{"mode":' + _text(mode) + b"}")])


def _history_entry(base: str, entry: HistoryEntry) -> bytes:
    status = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}[entry.method]
    url = entry.full_url.partition("/")[0] if entry.method == "POST" else entry.full_url
    answer = {
        "status": status,
        "etag": etag(entry.version),
        "lastModified": instant_text(entry.updated_ms),
    }
    members = [(b"fullUrl", _text(_absolute(base, entry.full_url)))]
    if entry.resource is not None:
        members.append((b"resource", entry.resource))
    members.append((b"request", _text({"method": entry.method, "url": url})))
    return _object([*members, (b"response", _text(answer))])


def _response_entry(item: ResponseItem) -> bytes:
    said = [(b"status", _text(str(item.status)))]
    if item.location:
        said.append((b"location", _text(item.location)))
    if item.version is not None:
        said.append((b"etag", _text(etag(item.version))))
    if item.updated_ms is not None:
        said.append((b"lastModified", _text(instant_text(item.updated_ms))))
    if item.outcome is not None:
        said.append((b"outcome", item.outcome))
    members = [] if item.resource is None else [(b"resource", item.resource)]
    return _object([*members, (b"response", _object(said))])


def etag(version: int) -> str:
    """Write a version as a weak ETag (R4 http.html#versioning)."""
    return f'W/"{version}"'


def _absolute(base: str, url: str) -> str:
    return url if ":" in url else f"{base}/{url}"


def _bundle(kind: str, total: int | None, links: Mapping[str, str], entries: Sequence[bytes]) -> bytes:
    members = [(b"resourceType", b'"Bundle"'), (b"type", _text(kind))]
    if total is not None:
        members.append((b"total", _text(total)))
    if links:
        rows = [{"relation": relation, "url": url} for relation, url in links.items()]
        members.append((b"link", _text(rows)))
    if entries:
        members.append((b"entry", b"[" + b",".join(entries) + b"]"))
    return _object(members)


def _object(members: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write an object whose values are JSON already."""
    return b"{" + b",".join(b'"' + name + b'":' + value for name, value in members) + b"}"
