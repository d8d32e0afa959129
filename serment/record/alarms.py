"""What somebody has to look at: the alarms that stand, by the ids of their sentences.

The officer's page says them, `/readyz` counts them; neither names anybody. An alarm of integrity stands
until the process ends: somebody restarts once they have looked. The others stand as long as their cause.

Order: the ids, those that are rung, all that stand, their number for whoever asks often.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from serment.errors import CustodyError, LockedError, SermentError
from serment.keys.custody.contract import Phase
from serment.model import Instant

if TYPE_CHECKING:
    from serment.record.passage import Passage

INTEGRITY: Final = "record.alarm-integrity"
UNIT_LIST_BROKEN: Final = "record.alarm-unit-list"
OUTBOX_BROKEN: Final = "record.alarm-outbox"
REGISTER_BROKEN: Final = "record.alarm-register"
NOTICE_FAILED: Final = "record.alarm-notice"
STOLEN_SESSION: Final = "record.alarm-stolen-session"
CLONED_PASSKEY: Final = "record.alarm-cloned-passkey"
HACKED_ACCOUNT: Final = "record.alarm-hacked-account"
SPOOL: Final = "record.alarm-spool"
OWED: Final = "record.alarm-owed"
DECLARED_OFTEN: Final = "record.alarm-declared"
REQUEST_LATE: Final = "record.alarm-request-late"
LOW_ON_SPACE: Final = "store.low-on-space"
CUSTODY_AWAY: Final = "custody.unreachable"
CUSTODY_LOCKED: Final = "custody.locked"

FRESH: Final = 1000
"""Milliseconds for which a number of alarms holds."""


class Alarms:
    """Alarms that were rung in this process. Calls may come from any thread."""

    def __init__(self) -> None:
        self._rung: frozenset[str] = frozenset()
        self._lock = Lock()

    def ring(self, alarm: str) -> None:
        """Ring an alarm; once is enough."""
        with self._lock:
            self._rung |= {alarm}

    def hush(self, alarm: str) -> None:
        """Let an alarm go whose cause is over."""
        with self._lock:
            self._rung -= {alarm}

    @property
    def rung(self) -> frozenset[str]:
        """The sentence ids of those rung so far."""
        return self._rung


def standing(passage: Passage) -> list[str]:
    """Give the sentence ids of every alarm that stands, sorted. Asks custody: not for an event loop."""
    found = {*passage.alarms.rung, *passage.store.alarms}
    if passage.store.low_on_space:
        found.add(LOW_ON_SPACE)
    if passage.spooling.waiting:
        found.add(SPOOL)
    if passage.spooling.owed:
        found.add(OWED)
    return sorted(found | _of_custody(passage))


class Lookout:
    """Counts the alarms for whoever asks often: looks at most once in `FRESH` ms, one look at a time."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._looking = Lock()
        self._seen = 0
        self._at = Instant(0)

    def count(self) -> int:
        """Give how many alarms stand. While another look waits for custody: as many as before, or one."""
        now = self._passage.clock()
        if self._at <= now < self._at + FRESH:
            return self._seen
        if not self._looking.acquire(blocking=False):
            return max(1, self._seen)
        try:
            self._seen, self._at = len(standing(self._passage)), now
        finally:
            self._looking.release()
        return self._seen


def _of_custody(passage: Passage) -> set[str]:
    try:
        phase = passage.keyring.custody.state().phase
    except LockedError:
        return {CUSTODY_LOCKED}
    except CustodyError:
        return {CUSTODY_AWAY}
    except SermentError as error:
        return {error.sentence}
    return set() if phase is Phase.OPEN else {CUSTODY_LOCKED}
