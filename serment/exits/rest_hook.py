"""A notice over HTTP: one POST without a body, and the first line of its answer (R4 rest-hook).

What is carried is an id in a header and the address's own secret as a bearer token. The address was
registered by the installation; what its name leads to is looked up for each sending, once, and the
connection goes to exactly what was looked at, so that a name that changes its mind reaches nothing inside.
No proxy, no redirect, no cookie, no second try: 2xx means taken, everything else not.

Order: which addresses are outside, the sending, reading the answer. Nothing received is kept or logged.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

from serment.record.subscriptions.notifying import Departure

SECONDS: Final = 5.0
"""How long a receiver has, from the first packet to the first line of its answer."""
_MOST: Final = 4096
"""Bytes of an answer that are read; its body is not."""
_INSIDE: Final = (
    ipaddress.ip_network("192.0.0.0/24"),  # RFC 6890: protocol assignments; some clouds answer there
    ipaddress.ip_network("192.88.99.0/24"),  # RFC 7526: 6to4 relays
    ipaddress.ip_network("fec0::/10"),  # RFC 3879: what was site-local is routed inside, if at all
    ipaddress.ip_network("3fff::/20"),  # RFC 9637: documentation
    ipaddress.ip_network("64:ff9b::/96"),  # RFC 6052: an IPv4 address inside an IPv6 one
    ipaddress.ip_network("64:ff9b:1::/48"),  # RFC 8215
    ipaddress.ip_network("2002::/16"),  # RFC 3056
    ipaddress.ip_network("2001::/32"),  # RFC 4380
)
"""Networks that lead inside, or nowhere, whatever `is_global` of this Python says of them."""


def outside(address: str) -> bool:
    """Say whether an IP address is of the public network: not private, local, multicast or reserved."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return outside(str(found.ipv4_mapped))
    if any(found in network for network in _INSIDE):
        return False
    reserved = found.is_multicast or found.is_reserved or found.is_unspecified or found.is_link_local
    return found.is_global and not reserved


class RestHook:
    """Carries notices. Holds no connection between two of them."""

    def __init__(self, trusted: ssl.SSLContext | None = None, seconds: float = SECONDS) -> None:
        self._trusted = trusted
        self._seconds = seconds

    def carry(self, departure: Departure) -> bool:
        """Send one notice. `True` when the receiver answered 2xx in time."""
        try:
            return self._carried(departure)
        except (OSError, ValueError):
            return False  # unreachable, refused, not its certificate, too slow, no HTTP

    def _carried(self, departure: Departure) -> bool:
        parts = urlsplit(departure.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        until = time.monotonic() + self._seconds
        address = address_of(host, port, private=departure.private)
        with contextlib.ExitStack() as opened:
            plain = opened.enter_context(socket.create_connection((address, port), self._seconds))
            plain.settimeout(max(0.1, until - time.monotonic()))
            line = opened.enter_context(self._line(plain, parts.scheme, host))
            line.settimeout(max(0.1, until - time.monotonic()))
            line.sendall(_request(departure, parts.netloc, parts.path or "/"))
            return 200 <= _status(line, until) < 300

    def _line(self, plain: socket.socket, scheme: str, host: str) -> socket.socket:
        if scheme != "https":
            return plain
        trusted = self._trusted or ssl.create_default_context()
        return trusted.wrap_socket(plain, server_hostname=host)


def address_of(host: str, port: int, *, private: bool) -> str:
    """Look a name up, once: its first address. Raises `ValueError` when one is inside and may not be."""
    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(outside(one.partition("%")[0]) for one in found):
        raise ValueError("not outside")
    return found[0]


def _request(departure: Departure, host: str, path: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {departure.secret}",
        f"Serment-Subscription: {departure.subscription}",
        "User-Agent: Serment",
        "Content-Length: 0",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _status(line: socket.socket, until: float) -> int:
    """Read the status of an answer: `_MOST` bytes at most, not beyond `until`. Raises `ValueError`."""
    read = b""
    while b"\r\n" not in read and len(read) < _MOST:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        piece = line.recv(_MOST - len(read))
        if not piece:
            break
        read += piece
    version, code, *_ = read.split(b"\r\n", 1)[0].decode("ascii").split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError("not HTTP")
    return int(code)
