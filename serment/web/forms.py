"""What a person sends: the fields of a form of ours, and files with them. Nothing of it touches the disk.

A form of a signed-in page carries that session's key; without it nothing is done (`MalformedError`).
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serment.door.asking import cookie_secret
from serment.errors import MalformedError, TooLargeError
from serment.record.house import House

MOST_FORM: Final = 16 * 1024
MOST_FILE: Final = 25 * 1024 * 1024
MOST_FIELDS: Final = 200


class Form(dict[str, str]):
    """The fields of a form: the first value of each name, and `every` one of a name that repeats."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        super().__init__({name: said[0] for name, said in values.items()})
        self._values = values

    def every(self, name: str) -> list[str]:
        """Give all values of a name, in order."""
        return self._values.get(name, [])


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form: its name and type as the browser said them, and its bytes."""

    name: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)


async def page_form(request: Request, house: House, *, most: int = MOST_FORM) -> Form:
    """Read a form of ours, at most `most` bytes.

    Raises `MalformedError` for one that does not carry this session's key, `TooLargeError`.
    """
    form = await form_of(request, most=most)
    _ours(request, house, form)
    return form


async def form_of(request: Request, *, most: int = MOST_FORM) -> Form:
    """Read the fields of a form that nobody is signed in for. Raises `TooLargeError`."""
    raw = bytearray()
    async for piece in _within(request, most):
        raw += piece
    return Form(parse_qs(raw.decode("ascii", "replace"), keep_blank_values=True))


async def upload_of(request: Request, house: House, *, most: int = MOST_FILE) -> tuple[Form, list[Upload]]:
    """Read a form with files (RFC 7578), all of it in memory, at most `most` bytes.

    Raises `MalformedError` for what is no such form or does not carry this session's key, `TooLargeError`.
    """
    form, files = await unsigned_upload(request, most=most)
    _ours(request, house, form)
    return form, files


async def unsigned_upload(request: Request, *, most: int = MOST_FILE) -> tuple[Form, list[Upload]]:
    """Read a form with files that nobody is signed in for. Raises `MalformedError`, `TooLargeError`."""
    parser = _InMemory(
        request.headers, _within(request, most), max_files=20, max_fields=MOST_FIELDS, max_part_size=most
    )
    try:
        parsed = await parser.parse()
    except (MultiPartException, KeyError):
        raise MalformedError("web.form-unreadable") from None
    fields: dict[str, list[str]] = {}
    files: list[Upload] = []
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            files.append(Upload(value.filename or "", value.content_type or "", await value.read()))
        else:
            fields.setdefault(name, []).append(value)
    await parsed.close()
    return Form(fields), [one for one in files if one.content]


class _InMemory(MultiPartParser):
    """A parser that writes no part to the disk: what a patient's scan says is not for a temporary file."""

    spool_max_size = MOST_FILE + 1


async def _within(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """Give the pieces of a body while they are within what is allowed."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most:
        raise TooLargeError("fhir.too-large", limit=most)
    taken = 0
    async for piece in request.stream():
        taken += len(piece)
        if taken > most:
            raise TooLargeError("fhir.too-large", limit=most)
        yield piece


def _ours(request: Request, house: House, form: Form) -> None:
    expected = house.sessions.form_key(cookie_secret(request))
    if not hmac.compare_digest(form.get("csrf", "").encode(), expected.encode()):
        raise MalformedError("web.form-stale")


Page = Callable[[Request], Awaitable[Response]]


def form_at(path: str, shown: Page, sent: Page) -> Route:
    """Make the one address of a form: what it shows, and what it takes."""

    async def page(request: Request) -> Response:
        return await (sent if request.method == "POST" else shown)(request)

    return Route(path, page, methods=["GET", "POST"])
