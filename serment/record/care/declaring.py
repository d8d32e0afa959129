"""Acts of care that professionals declared for themselves: counted, for whoever has to ask (ADR 6, 40).

One file of the register for each professional, changed in the transaction that opens the record: when and
for which coded reason, never whose record. Past `QUESTIONED` in `WINDOW` the professional is told that the
officer is, and an alarm says so: care is never stopped by a count. The patient's own list has the act itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from serment.access.declare import may_review
from serment.errors import IntegrityError, RefusedError
from serment.ledger.entry import Interaction
from serment.model import ActorId, Instant
from serment.record import registry
from serment.record.alarms import DECLARED_OFTEN
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.registry import Registry

DRAWER: Final = "declared"
WINDOW: Final = 30 * 24 * 3600 * 1000
"""What is counted: the last 30 days, in milliseconds."""

QUESTIONED: Final = 60
"""Declared acts in `WINDOW` from which somebody is asked why: three for each working day."""

MOST_KEPT: Final = 500
"""Acts that a file holds: whoever declares more is asked long before."""


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """What a file holds: the professional's name, and for each act when (ms) and the coded reason."""

    name: str
    acts: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """How many acts one professional declared in `WINDOW`, the last one's instant, how many by reason."""

    actor: ActorId = field(repr=False)
    name: str = field(repr=False)
    count: int
    last: Instant
    reasons: dict[str, int]

    @property
    def questioned(self) -> bool:
        """Tell whether somebody should ask why."""
        return self.count >= QUESTIONED


def note(pen: Pen, reason: str) -> int:
    """Count one act of who asks, in their own transaction. Give how many they declared in `WINDOW`."""
    actor, now = pen.asking.actor, pen.asking.now

    def edit(before: bytes | None) -> bytes:
        acts = () if before is None else _recent(_read(before), now)
        return msgspec.msgpack.encode(_Kept(actor.name, (*acts, (now, reason))[-MOST_KEPT:]))

    value = registry.edited(pen, DRAWER, actor.id, edit, interaction=Interaction.TEAM)
    count = 0 if value is None else len(_read(value).acts)
    if count >= QUESTIONED:
        pen.passage.alarms.ring(DECLARED_OFTEN)
    return count


class Declaring:
    """The passage to the counts, for an officer."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._registry = Registry(passage)

    def counted(self, asking: Asking) -> list[Declared]:
        """Say how many acts each professional declared, the most first; traced before it is told.

        Raises `RefusedError` for anybody but an officer. Waits: not for an event loop.
        """
        if not may_review(asking.actor, asking.purpose, self._passage.policy):
            raise RefusedError("record.officers-only")
        files = self._registry.all(asking, DRAWER)
        self._registry.traced(asking, Interaction.TEAM, [f"{registry.TYPE}/{DRAWER}"])
        found = [_declared(ActorId(id_), _read(value), asking.now) for id_, value in files.items()]
        return sorted((one for one in found if one.count), key=lambda one: (-one.count, one.actor))


def _declared(actor: ActorId, kept: _Kept, now: Instant) -> Declared:
    acts = _recent(kept, now)
    reasons = [reason for _, reason in acts]
    last = Instant(max((at for at, _ in acts), default=0))
    return Declared(
        actor, kept.name, len(acts), last, {one: reasons.count(one) for one in sorted(set(reasons))}
    )


def _recent(kept: _Kept, now: Instant) -> tuple[tuple[int, str], ...]:
    return tuple(act for act in kept.acts if act[0] > now - WINDOW)


def _read(value: bytes) -> _Kept:
    try:
        return msgspec.msgpack.decode(value, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
