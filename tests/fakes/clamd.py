"""A clamd in memory: INSTREAM on a Unix socket, and nothing else of ClamAV.

It passes the contract suite of the real one (`tests/unit/intake/test_scan.py`): it knows one harmful
content, the EICAR test file, takes `most` bytes, and says what clamd(8) says. `seen` can be looked at;
`broken` makes it hang up without a word.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-" + b"FILE!$H+H*"
"""The harmless file that every scanner calls harmful (eicar.org), in two halves so that none does here."""


class FakeClamd:
    """Listens until `stop`."""

    def __init__(self, path: Path, most: int = 25 * 1024 * 1024) -> None:
        self.path, self.most = path, most
        self.seen: list[int] = []
        self.broken = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and leave no socket behind."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                with line, suppress(OSError):
                    line.settimeout(5)
                    self._examine(line)

    def _examine(self, line: socket.socket) -> None:
        if self.broken or _exactly(line, 10) != b"zINSTREAM\0":
            return
        content = bytearray()
        while length := int.from_bytes(_exactly(line, 4), "big"):
            if len(content) + length > self.most:
                line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
            content += _exactly(line, length)
        self.seen.append(len(content))
        found = EICAR in content
        line.sendall(b"stream: Eicar-Test-Signature FOUND\0" if found else b"stream: OK\0")


def _exactly(line: socket.socket, count: int) -> bytes:
    read = bytearray()
    while len(read) < count:
        piece = line.recv(count - len(read))
        if not piece:
            raise OSError
        read += piece
    return bytes(read)
