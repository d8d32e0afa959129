"""One call to an identity provider over HTTP: what is sent is a form or nothing, what comes back is small.

Only addresses of a registered provider are asked (`people/providers` says which); the name is looked up once
for each call and the connection goes to exactly what was looked at. No proxy, no redirect, no cookie, no
second try, no connection that is kept. An answer has a few seconds from the first packet to the last byte
and `MOST` bytes: a provider that is slow, endless or leads elsewhere is one that does not answer.

Order: what is asked and answered, the calling, reading the answer. Nothing received is logged.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httptools

from serment.errors import DependencyError
from serment.exits.rest_hook import address_of

SECONDS: Final = 5.0
"""How long a provider has for one answer."""
MOST: Final = 64 * 1024
"""Bytes of an answer, head included."""
AT_ONCE: Final = 8
"""Calls under way in one process: a provider that hangs holds up signing in, and nothing else."""
_PIECE: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `form` is posted unless it is None; `authorization` is a header; `private`: may be inside.

    `content` of another type (`content_type`) is posted in place of a form.
    """

    url: str
    form: str | None = field(default=None, repr=False)
    authorization: str = field(default="", repr=False)
    private: bool = False
    content: bytes = field(default=b"", repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, media type in small letters without its parameters, body."""

    status: int
    media_type: str
    body: bytes = field(repr=False)


class IdentityProviders:
    """Carries calls to identity providers. Holds no connection between two of them."""

    def __init__(self, trusted: ssl.SSLContext | None = None, seconds: float = SECONDS) -> None:
        self._trusted = trusted
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, call: Call) -> Answer:
        """Make one call. Raises `DependencyError` when no whole answer of HTTP came in time."""
        if not self._places.acquire(blocking=False):
            raise DependencyError("people.provider-away")
        try:
            return self._asked(call)
        except (OSError, ValueError, httptools.HttpParserError):
            raise DependencyError("people.provider-away") from None
        finally:
            self._places.release()

    def _asked(self, call: Call) -> Answer:
        parts = urlsplit(call.url)
        host = parts.hostname or ""
        until = time.monotonic() + self._seconds
        port = parts.port or (443 if parts.scheme == "https" else 80)
        request = _request(call, parts.netloc, parts.path or "/")
        address = address_of(host, port, private=call.private)
        with contextlib.ExitStack() as opened:
            plain = opened.enter_context(socket.create_connection((address, port), self._seconds))
            plain.settimeout(_left(until))
            line = opened.enter_context(self._line(plain, parts.scheme, host))
            line.settimeout(_left(until))
            line.sendall(request)
            return _answer(line, until)

    def _line(self, plain: socket.socket, scheme: str, host: str) -> socket.socket:
        if scheme != "https":
            return plain
        trusted = self._trusted or ssl.create_default_context()
        return trusted.wrap_socket(plain, server_hostname=host)


def _request(call: Call, host: str, path: str) -> bytes:
    body = call.content or (call.form or "").encode("ascii")
    posted = call.form is not None or bool(call.content)
    lines = [
        f"{'POST' if posted else 'GET'} {path} HTTP/1.1",
        f"Host: {host}",
        f"Accept: {'*/*' if call.content else 'application/json'}",
        "User-Agent: Serment",
        "Connection: close",
    ]
    if posted:
        kind = call.content_type or "application/x-www-form-urlencoded"
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    if call.authorization:
        lines.append(f"Authorization: {call.authorization}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line in a header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


class _Reading:
    """What the parser has told of one answer (callbacks of httptools)."""

    def __init__(self) -> None:
        self.media_type = ""
        self.body = bytearray()
        self.whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.media_type = value.decode("ascii").partition(";")[0].strip().lower()

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.whole = True


def _answer(line: socket.socket, until: float) -> Answer:
    """Read one whole answer: `MOST` bytes at most, not beyond `until`. Raises `ValueError`, `OSError`."""
    reading = _Reading()
    parser = httptools.HttpResponseParser(reading)
    size = 0
    while not reading.whole:
        line.settimeout(_left(until))
        piece = line.recv(_PIECE)
        size += len(piece)
        if size > MOST or not piece:
            # Without a length an answer would end with its connection: a cut one would pass for whole.
            raise ValueError("too long, or cut short")
        parser.feed_data(piece)
    return Answer(parser.get_status_code(), reading.media_type, bytes(reading.body))


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
