"""Bulk reads on a standby: sealed bodies and chunks, where it is proven to hold what a view sees.

What decides is never asked here: session, epoch, head, facts, packs and ledger are read on the primary, in
the view that decides. A view gives a `Proof` of its state; the standby answers only when, in recovery, it has
replayed at least the primary's flushed log of that moment and holds the newest ledger entry of the view: so
it is neither behind nor of another history (a standby of another primary, or restored before a fail-over).
Bodies and chunks are written once and never changed, so that being ahead does no harm; one that is gone
there is asked on the primary. Anything else than a whole answer hands over to the primary.

The bytes are sealed, and what opens them holds their tags from the view: a standby cannot lie. Connections
are made in a thread of their own, so that a standby that is away keeps nobody waiting for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Final, TypeVar

from serment.errors import DependencyError, SermentError
from serment.store import pg_statements as sql
from serment.store.pg_snapshot import PgSnapshot, Proof
from serment.store.pg_start import Sessions
from serment.store.pg_wire import Wire

T = TypeVar("T")

BEHIND: Final = "store.pg-behind"
"""Sentence of a standby that does not hold what the view sees, or is none of this primary."""
PATIENCE: Final = 0.25
"""Seconds that a standby has for one exchange: longer, and the primary is asked."""
REST: Final = 10.0
"""Seconds for which a standby that failed is left alone; one that is behind, for a tenth of that."""
_IDLE: Final = 8


class Replica:
    """The standby at the end of `sessions`; `served` and `handed_over` count bulk reads."""

    def __init__(self, sessions: Sessions, rest: float = REST) -> None:
        self._sessions = sessions
        self._rest = rest
        self._rests_until = 0.0
        self._idle: deque[Wire] = deque()
        self._lock = Lock()
        self._connecting = self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-replica")
        self.served = self.handed_over = 0
        self._call()

    def ready(self) -> bool:
        """Say whether a connection waits and the standby does not rest; have one made when none waits."""
        if self._closed or monotonic() < self._rests_until:
            return False
        if not self._idle:
            self._call()
        return bool(self._idle)

    def read(self, proof: Proof, look: Callable[[PgSnapshot], T | None]) -> T | None:
        """Give what `look` reads on the standby; None hands over to the primary."""
        wire = self._lent()
        found = None if wire is None else self._proven(wire, proof, look)
        if found is None:
            self.handed_over += 1
        else:
            self.served += 1
        return found

    def close(self) -> None:
        """Close every connection. A second call does nothing."""
        self._closed = True
        self._thread.shutdown()
        while self._idle:
            self._idle.pop().close()

    def _proven(self, wire: Wire, proof: Proof, look: Callable[[PgSnapshot], T | None]) -> T | None:
        """Send the proof with what is read: each statement sees at least what the one before it saw."""
        view = PgSnapshot(wire)
        try:
            wire.later(sql.HOLDS, *proof, check=_holds)
            found = look(view)
        except SermentError as error:
            behind, found = error.sentence == BEHIND, None
            self._rests_until = monotonic() + (self._rest / 10 if behind else self._rest)
            if not behind:
                wire.close()
        finally:
            view.close()
        if not wire.closed:
            self._idle.append(wire)
        return found

    def _lent(self) -> Wire | None:
        """Give a connection that waits and is still good, if any."""
        while self._idle:
            with suppress(IndexError):
                wire = self._idle.pop()
                if wire.idle():
                    return wire
                wire.close()
        return None

    def _call(self) -> None:
        """Have a connection made, one at a time."""
        with self._lock:
            if not self._connecting and not self._closed and len(self._idle) < _IDLE:
                self._connecting = True
                self._thread.submit(self._connect)

    def _connect(self) -> None:
        try:
            self._idle.append(self._sessions.reader())
        except SermentError:
            self._rests_until = monotonic() + self._rest
        finally:
            self._connecting = False


def _holds(touched: int) -> SermentError | None:
    return None if touched == 1 else DependencyError(BEHIND)
