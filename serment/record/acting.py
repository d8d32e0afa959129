"""What each professional did lately: their own list, which nobody else reads (capability 0-06).

The ledger is what counts: an act stands there before it is answered, under the keys of the patient whom it
touched, so that no key opens the acts of one actor across patients. This list is for the person who acted, so
that they find again what they did, and what somebody else did under their name. It is noted in memory as acts
are traced, put into the register once a minute, and kept for thirty days. A machine that dies loses a minute
of it and nothing of the ledger.

"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from serment.errors import IntegrityError
from serment.ledger.entry import Interaction
from serment.model import Instant, Purpose, RequestId
from serment.record.acts import Line
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.registry import Registry, edited
from serment.record.today import KEEPER
from serment.record.writing import new_id

if TYPE_CHECKING:
    from serment.record.pen import Pen

DRAWER: Final = "act"
KEPT_DAYS: Final = 30
DAY: Final = 24 * 3600 * 1000
EACH: Final = 60_000
"""Milliseconds between two times that the lists are put away."""

MOST_A_DAY: Final = 2_000
"""Lines of one person and day: older ones of that day go, and their number is kept."""


class Day(msgspec.Struct, array_like=True, frozen=True):
    """The lines of one person and day, oldest first; `dropped` were more than a day holds."""

    lines: tuple[Line, ...] = ()
    dropped: int = 0


class Acting:
    """The lists: put away in turns that one thread takes, and read by whom they are about."""

    def __init__(self, passage: Passage) -> None:
        self._passage, self._registry = passage, Registry(passage)
        self._next = 0

    def turn(self, *, ending: bool = False) -> int:
        """Put away what waits, once a minute; give of how many people it was. Raises as a change does."""
        asking = Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), self._passage.clock())
        if asking.now < self._next and not ending:
            return 0
        self._next = asking.now + EACH
        taken = self._passage.acts.take()
        if taken:
            self._registry.act(asking, lambda pen: _put_away(pen, taken, asking.now))
        return len(taken)

    def of(self, asking: Asking) -> list[Line]:
        """List what the asker did in the last thirty days, newest first. Nobody reads somebody else's."""
        actor, found = asking.actor.id, self._passage.acts.of(asking.actor.id)
        for back in range(KEPT_DAYS):
            found += _read(
                self._registry.get(asking, DRAWER, f"{actor}/{day_of(asking.now - back * DAY)}")
            ).lines
        return sorted(found, key=lambda line: line.t, reverse=True)


def _put_away(pen: Pen, taken: dict[str, list[Line]], now: Instant) -> None:
    """Add to the lists of several people in one transaction, with one entry of the ledger for all of them."""
    old = day_of(now - KEPT_DAYS * DAY)
    for actor, lines in taken.items():
        for day in sorted({day_of(line.t) for line in lines}):
            new = [line for line in lines if day_of(line.t) == day]
            edited(pen, DRAWER, f"{actor}/{day}", partial(_longer, new), interaction=Interaction.ACTS)
        edited(pen, DRAWER, f"{actor}/{old}", lambda _: None, interaction=Interaction.ACTS)


def _longer(new: list[Line], value: bytes | None) -> bytes:
    before = _read(value)
    together = sorted((*before.lines, *new), key=lambda line: line.t)
    over = max(0, len(together) - MOST_A_DAY)
    return msgspec.msgpack.encode(Day(tuple(together[over:]), before.dropped + over))


def day_of(at: int) -> str:
    """Name the UTC day of an instant (ms)."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()


def _read(value: bytes | None) -> Day:
    if value is None:
        return Day()
    try:
        return msgspec.msgpack.decode(value, type=Day)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
