"""What was done, noted as it is traced and not put away yet: one line for each act of whoever works here.

Cheap, because it is on the way of every read. `acting` puts the lines away and says what they are for.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

import msgspec

from serment.ledger.entry import Decision, Event
from serment.model import ActorKind

MOST_WAITING: Final = 20_000

WORKING: Final = frozenset(
    {ActorKind.PROFESSIONAL, ActorKind.STAFF, ActorKind.OFFICER, ActorKind.OPERATOR, ActorKind.RESEARCHER}
)
"""Who has such a list; a patient reads the ledger of their own record."""


class Line(msgspec.Struct, array_like=True, frozen=True):
    """One act: when (ms), what, why, on which rule, refused or not, how many items and the first of them."""

    t: int
    request: str
    interaction: str
    purpose: str
    rule: str
    denied: bool
    count: int
    first: str

    def __repr__(self) -> str:
        return f"Line({self.interaction})"


class Acts:
    """What was done and not put away yet. Calls may come from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: deque[tuple[str, Line]] = deque(maxlen=MOST_WAITING)

    def note(self, kind: ActorKind, what: Event) -> None:
        """Note an act as it is traced; the same act of the same request once."""
        if kind not in WORKING:
            return
        first = what.resources[0] if what.resources else ""
        line = Line(
            what.t,
            what.request,
            what.interaction.value,
            what.purpose,
            what.rule,
            what.decision is Decision.DENIAL,
            what.count,
            first,
        )
        with self._lock:
            if not self._lines or self._lines[-1] != (what.actor, line):
                self._lines.append((what.actor, line))

    def take(self) -> dict[str, list[Line]]:
        """Take what waits, by actor."""
        with self._lock:
            taken, self._lines = self._lines, deque(maxlen=MOST_WAITING)
        found: dict[str, list[Line]] = {}
        for actor, line in taken:
            found.setdefault(actor, []).append(line)
        return found

    def of(self, actor: str) -> list[Line]:
        """Give what waits of one actor."""
        with self._lock:
            return [line for whose, line in self._lines if whose == actor]
