"""ClamAV behind the port of `record.scanning`: clamd's INSTREAM over a Unix socket.

The protocol is that of clamd(8): `zINSTREAM` and a zero byte, then pieces, each with its length in four
bytes, network order; a length of zero ends them. clamd answers one line: `stream: OK`, `stream: <name>
FOUND`, or an error; over its StreamMaxLength it says so and hangs up. Nothing is written to any file, and
nothing of the content or the name of what was found goes into an error.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Final, NoReturn

from serment.errors import DependencyError, InvalidResourceError, TooLargeError

SECONDS: Final = 30.0
"""How long clamd may take to answer or to take a piece."""
_MOST: Final = 4096
"""Bytes of an answer."""


class Clamd:
    """A clamd that listens on a Unix socket (`LocalSocket` in clamd.conf)."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self._path, self._seconds = path, seconds

    def begin(self) -> ClamdScan:
        """Begin one examination on a connection of its own. Raises `DependencyError`."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(self._seconds)
            line.connect(str(self._path))
            line.sendall(b"zINSTREAM\0")
        except OSError:
            line.close()
            raise DependencyError("scanning.away") from None
        return ClamdScan(line)


class ClamdScan:
    """One content that goes to clamd."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._said = line, b""

    def feed(self, piece: bytes) -> None:
        """Send the next bytes; none is sent for none, which would end the stream."""
        if not piece:
            return
        try:
            self._line.sendall(len(piece).to_bytes(4, "big"))
            self._line.sendall(piece)
        except OSError:
            self._judge(self._answer())  # clamd hung up: it has said why, or it is away

    def verdict(self) -> None:
        """End the stream and read what clamd says."""
        with contextlib.suppress(OSError):  # it may have hung up with an answer
            self._line.sendall(bytes(4))
        if self._answer() != b"stream: OK":
            self._judge(self._said)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _answer(self) -> bytes:
        """Read the line that clamd says, "" when it says none."""
        said = bytearray()
        with contextlib.suppress(OSError):
            while len(said) < _MOST and (piece := self._line.recv(_MOST)):
                said += piece
                if b"\0" in piece:
                    break
        self._said = bytes(said.partition(b"\0")[0])
        return self._said

    def _judge(self, said: bytes) -> NoReturn:
        if said.endswith(b" FOUND"):
            raise InvalidResourceError("scanning.found")
        if b"size limit exceeded" in said:
            raise TooLargeError("scanning.too-large")
        raise DependencyError("scanning.away")
