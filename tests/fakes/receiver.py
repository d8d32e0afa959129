"""A receiver of notices: a real server on this machine that keeps what it is sent and answers as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Receiver:
    """What came in, whole, and the answers that go out: the last one stays."""

    url: str
    answers: list[bytes]
    received: list[bytes] = field(default_factory=list)
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0), repr=False)

    def headers(self, place: int = -1) -> dict[str, str]:
        """Give the headers of one request, names in small letters."""
        head = self.received[place].split(b"\r\n\r\n")[0].decode()
        pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
        return {name.lower(): value for name, _, value in pairs}

    def says(self, *answers: bytes) -> None:
        """Answer so from now on."""
        self.answers[:] = answers


TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"


@contextmanager
def receiver(*answers: bytes) -> Iterator[Receiver]:
    """Listen on a free port until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
        made = Receiver(url, list(answers or (TAKEN,)))
        threading.Thread(target=_serve, args=(listening, made), daemon=True).start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, made: Receiver) -> None:
    with suppress(OSError):
        while True:
            line, _ = listening.accept()
            with line, suppress(OSError):
                made.received.append(line.recv(65_536))
                made.came.release()
                line.sendall(made.answers.pop(0) if len(made.answers) > 1 else made.answers[0])
