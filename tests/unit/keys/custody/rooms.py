"""Where the tests of custody run it: a vault in a directory, a server in a thread, and their clocks."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from serment.keys.custody.budget import Limits
from serment.keys.custody.client import CustodyClient
from serment.keys.custody.keyfile import KEY_FILE, KeyFile
from serment.keys.custody.passphrase import Cost
from serment.keys.custody.server import Server
from serment.keys.custody.vault import Surroundings, Vault
from serment.model import RecordToken, RequestId

PASSPHRASE = "quatre mots de passe"
SECOND = "une autre phrase secrète"
CHEAP = Cost(passes=1, lanes=1, memory=8)
REQUEST = RequestId("act-1")
ALICE, BRUNO, CHLOE = (RecordToken(letter * 16) for letter in (b"A", b"B", b"C"))
ROOT_1, ROOT_2 = b"1" * 32, b"2" * 32


@dataclass
class Clock:
    """Time that a test moves by hand; waiting is noted, never done."""

    now: int = 0
    hour: int = 500_000
    waits: list[float] = field(default_factory=list)

    def surroundings(self, limits: Limits | None = None) -> Surroundings:
        return Surroundings(lambda: self.now, lambda: self.hour, self.waits.append, CHEAP, limits or Limits())


@contextmanager
def vault_in(directory: Path, clock: Clock | None = None, limits: Limits | None = None) -> Iterator[Vault]:
    """Open the vault of a directory; closed at the end, so that it can be opened again."""
    file = KeyFile(directory / KEY_FILE)
    try:
        yield Vault(file, (clock or Clock()).surroundings(limits))
    finally:
        file.close()


@contextmanager
def served(vault: Vault, directory: Path) -> Iterator[CustodyClient]:
    """Serve a vault on a real socket, from a thread of this process."""
    server = Server(directory, vault, frozenset({os.getuid()}))
    thread = threading.Thread(target=server.serve)
    thread.start()
    client = CustodyClient(directory)
    try:
        yield client
    finally:
        client.close()
        server.stop()
        thread.join()
        server.close()
