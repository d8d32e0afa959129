"""What pages are made with besides their text: style, mark, the one script. None comes from outside."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from serment.web.pages import HEADERS

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="16" cy="16" r="14" fill="#0b4f6c"/>'
    '<path d="M10 17l4 4 8-9" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>'
)


async def style(_request: Request) -> Response:
    """Give the style sheet."""
    text = (Path(__file__).parent / "static" / "serment.css").read_bytes()
    return Response(text, media_type="text/css", headers={**HEADERS, "cache-control": "max-age=3600"})


async def passkey_script(_request: Request) -> Response:
    """Give the one script: it hands a question to a passkey and the answer to a form."""
    text = (Path(__file__).parent / "static" / "passkey.js").read_bytes()
    return Response(text, media_type="text/javascript", headers={**HEADERS, "cache-control": "max-age=3600"})


async def icon(_request: Request) -> Response:
    """Give the mark that stands beside the title: a closed seal."""
    return Response(ICON, media_type="image/svg+xml", headers={**HEADERS, "cache-control": "max-age=3600"})
