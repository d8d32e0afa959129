"""How many records the server may open in a minute: slowed above one bar, refused above another.

A server that has been taken over asks for every record; the budget turns minutes into hours and
leaves a counter that somebody sees. Time is passed in (milliseconds of a monotonic clock).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

from serment.errors import TooManyError

WINDOW_MS = 60_000
DELAY_MS = 100
_REQUESTS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """Openings for each minute: above `soft` each waits `DELAY_MS`, above `hard` none is given."""

    soft: int = 1_200
    hard: int = 2_400


class Budget:
    """The openings of the last minute. Not thread-safe: the vault holds its lock."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.opened = self.slowed = self.refused = self.alarms = self.widest = 0
        self._times: deque[int] = deque()
        self._requests: OrderedDict[str, set[bytes]] = OrderedDict()
        self._alarmed = False

    def spent(self, now: int) -> int:
        """Count the openings of the last minute."""
        while self._times and self._times[0] <= now - WINDOW_MS:
            self._times.popleft()
        return len(self._times)

    def spend(self, record: bytes, request: str, now: int) -> int:
        """Take one opening and give how long to wait first, in milliseconds. Raises `TooManyError`."""
        spent = self.spent(now)
        self._ring(spent >= self.limits.soft)
        if spent >= self.limits.hard:
            self.refused += 1
            raise TooManyError("custody.too-many", seconds=self._seconds_left(now))
        self._times.append(now)
        self.opened += 1
        self._widen(record, request)
        if spent < self.limits.soft:
            return 0
        self.slowed += 1
        return DELAY_MS

    def _ring(self, over: bool) -> None:
        """Count one alarm each time the soft bar is passed, not one for each opening above it."""
        if over and not self._alarmed:
            self.alarms += 1
        self._alarmed = over

    def _seconds_left(self, now: int) -> int:
        return (self._times[0] + WINDOW_MS - now) // 1000 + 1

    def _widen(self, record: bytes, request: str) -> None:
        records = self._requests.setdefault(request, set())
        records.add(record)
        self._requests.move_to_end(request)
        self.widest = max(self.widest, len(records))
        if len(self._requests) > _REQUESTS_KEPT:
            self._requests.popitem(last=False)
