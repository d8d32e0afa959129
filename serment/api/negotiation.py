"""What a request may look like: formats asked and sent, its query, its body, its conditions (R4 http.html).

What is not understood is refused here, before anything is looked up: an answer never depends on a
header or parameter that was silently dropped. No error repeats what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from serment.errors import (
    MalformedError,
    MediaTypeError,
    NotAcceptableError,
    NotSupportedError,
    TooLargeError,
)
from serment.fhir.freshness import fresh, http_date
from serment.fhir.json import MAX_BYTES
from serment.fhir.patch import MEDIA_TYPE
from serment.fhir.query import DEFAULT_COUNT, MAX_COUNT
from serment.fhir.query_values import MAX_VALUES

JSON = "application/fhir+json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
FORMS = frozenset({FORM})
PATCHES = frozenset({MEDIA_TYPE})
UNREAD = {FORMS: "api.form", PATCHES: "patch.media-type"}
JSON_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
ANY = frozenset({"*/*", "application/*"})
FORMATS = frozenset({"json", "application/json", "application/fhir+json", "application/fhir json"})
LAYOUT = frozenset({"_format", "_pretty"})
"""Parameters that every address takes. `_pretty` is a hint: bytes go out as they came in."""

MOST_FORM = 256 * 1024
VERSION = "4.0"
RETURNS = frozenset({"minimal", "representation", "OperationOutcome"})
_IF_MATCH = re.compile(r'W/"(\d{1,9})"')

Pairs = list[tuple[str, str]]


def acceptable(request: Request) -> None:
    """Refuse to answer in a format that the caller does not take. Raises `NotAcceptableError`."""
    formats = request.query_params.getlist("_format") if request.scope.get("query_string") else []
    if formats:
        if len(formats) > 1 or formats[0].partition(";")[0].strip().lower() not in FORMATS:
            raise NotAcceptableError("api.not-acceptable")
        return
    if not _taken(",".join(request.headers.getlist("accept"))):
        raise NotAcceptableError("api.not-acceptable")


@lru_cache(maxsize=256)
def _taken(asked: str) -> bool:
    """Say whether an Accept header takes our answers; the same few come at each request."""
    return not asked.strip() or any(_spoken(one) for one in asked.split(","))


def _spoken(accepted: str) -> bool:
    """Say whether one media range of an Accept header lets FHIR R4 in JSON through."""
    kind, parameters = _media_type(accepted)
    if parameters.get("fhirversion", VERSION) != VERSION:
        return False
    return kind in JSON_TYPES | ANY and not re.fullmatch(r"0(\.0*)?", parameters.get("q", "1"))


def _media_type(text: str) -> tuple[str, dict[str, str]]:
    kind, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest)
    parameters = {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs}
    return kind.strip().lower(), parameters


def readable(request: Request, allowed: frozenset[str]) -> None:
    """Refuse a body in another format. Raises `MediaTypeError`."""
    kind, parameters = _media_type(request.headers.get("content-type", ""))
    plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    utf8 = parameters.get("charset", "utf-8") in {"utf-8", "utf8"}
    version = parameters.get("fhirversion", VERSION) == VERSION
    if kind not in allowed or not (plain and utf8 and version):
        raise MediaTypeError(UNREAD.get(allowed, "api.media-type"))


async def body(request: Request, most: int = MAX_BYTES) -> bytes:
    """Read the body, never more than `most` bytes. Raises `TooLargeError`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise TooLargeError("fhir.too-large", limit=most)
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > most:
            raise TooLargeError("fhir.too-large", limit=most)
    return bytes(raw)


async def resource(request: Request) -> bytes:
    """Read the body of a write: FHIR in JSON. Raises `MediaTypeError`, `TooLargeError`."""
    readable(request, JSON_TYPES)
    return await body(request)


async def patch(request: Request) -> bytes:
    """Read the body of a PATCH: a JSON Patch. Raises `MediaTypeError`, `TooLargeError`."""
    readable(request, PATCHES)
    return await body(request)


def condition(request: Request) -> str:
    """Read the criteria of a conditional write. Raises `MalformedError` when there is none."""
    asked = query(request)
    if not asked:
        raise MalformedError("record.empty-condition")
    return urlencode(asked)


def one(request: Request, name: str) -> str:
    """Read the one parameter that an operation takes in the address. Raises `NotSupportedError`."""
    asked = query(request)
    if len(asked) != 1 or asked[0][0] != name or not asked[0][1]:
        raise NotSupportedError("operations.one-parameter", name=name)
    return asked[0][1]


def query(request: Request) -> Pairs:
    """Read the query of the address, without the parameters of layout. Raises `MalformedError`."""
    return list(_asked(pairs(request.url.query))) if request.scope.get("query_string") else []


async def form(request: Request) -> Pairs:
    """Read the form of a POST _search after the query. Raises `MediaTypeError`, `MalformedError`."""
    readable(request, FORMS)
    raw = await body(request, MOST_FORM)
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("api.malformed-query") from None
    return [*query(request), *_asked(pairs(text))]


def pairs(text: str) -> Pairs:
    """Read `name=value` pairs, empty values included. Raises `MalformedError`, `TooLargeError`."""
    if text.count("&") > 2 * MAX_VALUES:
        raise TooLargeError("search.too-many-values", limit=MAX_VALUES, length=MOST_FORM)
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise MalformedError("api.malformed-query") from None


def _asked(found: Pairs) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in found if name not in LAYOUT)


def nothing_else(request: Request) -> None:
    """Refuse any parameter beside those of layout. Raises `NotSupportedError`."""
    if query(request):
        raise NotSupportedError("api.no-parameter")


def slice_of(request: Request) -> tuple[int, str]:
    """Read which part of a history is asked for: `_count` versions a page, or the page of a token, alone.

    Raises `NotSupportedError` for any other parameter, `MalformedError`.
    """
    asked = query(request)
    if not asked:
        return DEFAULT_COUNT, ""
    name, value = asked[0]
    if name not in {"_count", "_page"}:
        raise NotSupportedError("api.history-parameter")
    if len(asked) > 1:
        raise NotSupportedError("api.page-alone" if name == "_page" else "api.history-parameter")
    if name == "_page":
        return DEFAULT_COUNT, value
    if not re.fullmatch(r"0{0,8}[1-9][0-9]{0,8}", value):
        raise MalformedError("search.malformed-count")
    return min(int(value), MAX_COUNT), ""


def if_match(request: Request) -> int | None:
    """Read the version that a change replaces, None when it says none. Raises `MalformedError`."""
    said = request.headers.get("if-match")
    if said is None:
        return None
    match = _IF_MATCH.fullmatch(said.strip())
    if match is None:
        raise MalformedError("api.malformed-if-match")
    return int(match[1])


def relabel(request: Request) -> str:
    """Read why a change protects an item less than before, "" when it does not say."""
    return request.headers.get("serment-relabel-reason", "")


def unchanged(request: Request, version: int, updated: int) -> bool:
    """Say whether the caller has this version already, by If-None-Match or If-Modified-Since."""
    headers = request.headers
    if "if-none-match" not in headers and "if-modified-since" not in headers:
        return False
    known = ",".join(headers.getlist("if-none-match"))
    return fresh(version, updated, known, http_date(headers.get("if-modified-since", "")))


def preferred(request: Request) -> str:
    """Say what a write answers (R4 http.html#ops): `minimal`, `representation` or `OperationOutcome`."""
    known = [one for one in _wishes(request, "return") if one in RETURNS]
    return known[0] if known else "representation"


def lenient(request: Request) -> bool:
    """Say whether a search leaves aside the parameters that it does not know (R4 search.html#errors).

    Strict unless `Prefer: handling=lenient` asks otherwise: a filter left out shows more than was asked.
    """
    return _wishes(request, "handling")[:1] == ["lenient"]


def _wishes(request: Request, name: str) -> list[str]:
    """Read the values of one preference (RFC 7240), in their order."""
    if "prefer" not in request.headers:
        return []
    said = re.split(r"[,;]", ",".join(request.headers.getlist("prefer")))
    pairs = (wish.strip().partition("=") for wish in said)
    return [value.strip().strip('"') for key, _, value in pairs if key.strip().lower() == name]
