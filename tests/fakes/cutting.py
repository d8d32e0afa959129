"""A line that is cut, or falls silent, at any byte: a proxy between a client and a server's Unix socket.

`arm` says where: after so many bytes of one direction, counted from then over all connections; once it has
struck, new connections pass again, or none does until `back` when it was armed to `stay` away. A cut closes
both ends; silence forwards nothing more and closes nothing.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from threading import Lock, Thread
from typing import Self


class Fault(Enum):
    CUT = "cut"
    SILENCE = "silence"


@dataclass
class _Armed:
    from_server: bool
    left: int
    fault: Fault
    stays: bool = False


class CuttingLine:
    """Listens on `folder`/`name` and passes every connection on to `server`."""

    def __init__(self, folder: Path, server: Path) -> None:
        self._server = server
        self._armed: _Armed | None = None
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self.struck = 0
        self._away = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / server.name))
        self._listener.listen(64)
        Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()
        with self._lock:
            for one in self._open:
                one.close()

    def arm(self, fault: Fault, *, from_server: bool, after: int, stay: bool = False) -> None:
        with self._lock:
            self._armed = _Armed(from_server, after, fault, stay)

    def back(self) -> None:
        """Let new connections pass again."""
        self._away = False

    def disarm(self) -> bool:
        """Let everything pass; whether the fault had not struck yet."""
        with self._lock:
            waiting, self._armed = self._armed is not None, None
        return waiting

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._away:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._server))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open += [client, server]
            Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        fault: Fault | None = None
        with suppress(OSError):
            while fault is None and (data := source.recv(65_536)):
                passes, fault = self._passes(len(data), from_server)
                if passes:
                    sink.sendall(data[:passes])
        if fault is not Fault.SILENCE:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _passes(self, length: int, from_server: bool) -> tuple[int, Fault | None]:
        """Say how many bytes pass, and the fault that follows them."""
        with self._lock:
            armed = self._armed
            if armed is None or armed.from_server is not from_server:
                return length, None
            if length < armed.left:
                armed.left -= length
                return length, None
            self._armed, self._away = None, armed.stays
            self.struck += 1
            return armed.left, armed.fault
