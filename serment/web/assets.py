"""What pages are made with besides their text: style, mark, scripts. None comes from outside.

Each file is in the table or is not served. Its address carries the beginning of its SHA-256, so that a
browser keeps it for ever and never an old one. `static/vendor` holds others' files as they were published.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.errors import NotFoundError

FILES: Final = {
    "serment.css": ("serment.css", "text/css; charset=utf-8"),
    "serment.svg": ("serment.svg", "image/svg+xml"),
    "serment.js": ("serment.js", "text/javascript; charset=utf-8"),
    "passkey.js": ("passkey.js", "text/javascript; charset=utf-8"),
    "htmx.js": ("vendor/htmx-4.0.1.min.js", "text/javascript; charset=utf-8"),
    "hx-csp.js": ("vendor/hx-csp-4.0.1.min.js", "text/javascript; charset=utf-8"),
}
"""Name in an address → file below `static`, media type."""

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@cache
def content(name: str) -> bytes:
    """Give the bytes of a file of the table. Raises `KeyError`."""
    return files(__package__).joinpath("static", FILES[name][0]).read_bytes()


@cache
def address(name: str) -> str:
    """Give the address of a file of the table, its version in it. Raises `KeyError`."""
    return f"/static/{name}?v={sha256(content(name)).hexdigest()[:16]}"


async def static(request: Request) -> Response:
    """Give one file of the table. Raises `NotFoundError`."""
    name = request.path_params["name"]
    if name not in FILES:
        raise NotFoundError("api.unknown-route")
    asked = f"{request.url.path}?{request.url.query}"
    kept = "public, max-age=31536000, immutable" if asked == address(name) else "no-cache"
    return Response(content(name), media_type=FILES[name][1], headers={**HEADERS, "cache-control": kept})
