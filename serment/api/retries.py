"""The `Idempotency-Key` of a write (draft-ietf-httpapi-idempotency-key-header-07), tied to its request.

What tells two requests apart is all that a write is ruled by: method, address, conditions, purpose, body.
What becomes of a retry is told in `record.retrying`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Final, TypeVar

from starlette.requests import Request

from serment.door.asking import house_of
from serment.errors import MalformedError
from serment.record.asking import Asking, Retry

T = TypeVar("T")

HEADER: Final = "idempotency-key"
RULING: Final = (
    "content-type",
    "if-match",
    "if-none-exist",
    "serment-purpose",
    "serment-reason",
    "serment-relabel-reason",
    "x-security-context",
)
"""Headers that a write is ruled by."""
_KEY = re.compile(r'"?([\x21\x23-\x5b\x5d-\x7e]{1,128})"?')


def keyed(request: Request, asking: Asking, body: bytes = b"") -> Asking:
    """Say in an `Asking` that the request may come twice, when it has a key. Raises `MalformedError`."""
    said = request.headers.getlist(HEADER)
    if not said:
        return asking
    match = _KEY.fullmatch(said[0].strip())
    if len(said) > 1 or match is None or said[0].count('"') == 1:
        raise MalformedError("api.malformed-key")
    token = house_of(request).passage.installation.retry_token(asking.actor.id, match[1])
    return replace(asking, retry=Retry(token, _digest(request, body)))


async def once(request: Request, asking: Asking, act: Callable[[], Awaitable[T]]) -> T:
    """Do a write once, however often its request comes. Raises `ConflictError`, `KeyReusedError`."""
    return await house_of(request).retrying.once(asking, act)


def _digest(request: Request, body: bytes) -> bytes:
    """Give the SHA-256 of what a request asks, each part behind its length."""
    parts = [request.method, request.url.path, request.url.query]
    parts += [",".join(request.headers.getlist(name)) for name in RULING]
    whole = sha256()
    for part in (*(part.encode() for part in parts), body):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()
