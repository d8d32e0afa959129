"""Frames on custody's socket: a big-endian u32 length, then that many bytes.

A frame longer than a mebibyte is refused before it is read: no call needs more.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from serment.errors import MalformedError

LONGEST = 1 << 20
SOCKET = "custody.sock"
_LONGEST_ADDRESS = 100


def send(connection: socket.socket, payload: bytes) -> None:
    """Send one frame."""
    connection.sendall(len(payload).to_bytes(4, "big") + payload)


def receive(connection: socket.socket) -> bytes | None:
    """Read one frame; None when the other side has closed between frames.

    Raises `MalformedError`: truncated, or longer than `LONGEST`.
    """
    header = _exactly(connection, 4)
    if not header:
        return None
    size = int.from_bytes(header, "big")
    if len(header) < 4 or size > LONGEST:
        raise MalformedError("custody.bad-frame")
    payload = _exactly(connection, size)
    if len(payload) < size:
        raise MalformedError("custody.bad-frame")
    return payload


def address(directory: Path, folder: int) -> str:
    """Give the socket's address; a path too long for `sun_path` goes through the open `folder`."""
    plain = str(directory / SOCKET)
    return plain if len(os.fsencode(plain)) <= _LONGEST_ADDRESS else f"/proc/self/fd/{folder}/{SOCKET}"


def _exactly(connection: socket.socket, size: int) -> bytes:
    """Read `size` bytes, fewer when the other side closes."""
    parts: list[bytes] = []
    while size and (part := connection.recv(min(size, 65_536))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
