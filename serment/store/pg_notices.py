"""What other processes say that they changed: a hint to let go early of what is kept of a record, no more.

A commit that wrote a record's row says its token and epoch on the channel (NOTIFY); a thread hears it and
tells whoever asked. Notices come late, twice or never, and nobody waits for one: what is true is read in the
snapshot that decides. A connection that is lost is made again after a while; what was said meanwhile is lost.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Final

from serment.errors import SermentError
from serment.model import RecordToken
from serment.store import pg_statements as sql
from serment.store.pg_start import Sessions
from serment.store.pg_wire import Wire

Changed = Callable[[RecordToken, int], None]

PAUSE: Final = 5.0
"""Seconds after which a lost connection is made again."""


class Notices:
    """A thread that hears what is said, until it is closed."""

    def __init__(self, sessions: Sessions, changed: Changed, pause: float = PAUSE) -> None:
        self._sessions = sessions
        self._changed = changed
        self._pause = pause
        self._stops, self._stop = os.pipe()
        self._thread = Thread(target=self._hear, name="store-notices", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and its connection."""
        os.write(self._stop, b".")
        self._thread.join()
        os.close(self._stop)
        os.close(self._stops)

    def _hear(self) -> None:
        while True:
            with suppress(SermentError):
                wire = self._sessions.scanner()
                try:
                    wire.ask(sql.LISTEN)
                    if self._listen(wire):
                        return
                finally:
                    wire.close()
            if self._stopped(self._pause):
                return

    def _listen(self, wire: Wire) -> bool:
        """Tell what is heard; True when it is time to stop. Raises `DependencyError`."""
        waiting = select.poll()
        waiting.register(self._stops, select.POLLIN)
        waiting.register(wire.socket, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if self._stops in ready:
                return True
            for said in wire.heard():
                with suppress(ValueError):
                    record, _, epoch = said.partition(" ")
                    self._changed(RecordToken(bytes.fromhex(record)), int(epoch))

    def _stopped(self, seconds: float) -> bool:
        waiting = select.poll()
        waiting.register(self._stops, select.POLLIN)
        return bool(waiting.poll(seconds * 1_000))
