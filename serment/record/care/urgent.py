"""Emergency access that lasts: opened for a coded reason, for an hour, for one professional and one record.

The opening is that of `emergency`: decided, traced and told to the patient at once. What is kept is that it
was opened, until when and why, so that each page of the record asks in an emergency until it ends, and is
decided and traced as such each time: it opens nothing by itself. One file of the register for each
professional: whose record, reasons, instants. When no disk takes it (an emergency opens all the same) it is
kept in memory, for this process.

The ground that an heir or a partner names (CSP L1110-4 V) is kept in the same way, for the same hour: naming
it opens nothing and reads nothing, so that it may be named of any record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

import msgspec

from serment.errors import DependencyError, IntegrityError
from serment.ledger.entry import Interaction
from serment.model import ActorKind, EmergencyReason, HeirGround, Instant, PatientId, Purpose
from serment.record.asking import Asking
from serment.record.care.emergency import Emergency, Opened
from serment.record.passage import Passage
from serment.record.registry import Registry

DRAWER: Final = "urgent"
LASTS: Final = 60 * 60 * 1000
"""Milliseconds for which an emergency access stays open; it is opened again by the same two gestures."""

KINDS: Final = frozenset({ActorKind.PROFESSIONAL, ActorKind.PROXY})
"""Who opens a record in an emergency, or on a ground of their own."""

MOST: Final = 64
"""Emergency accesses of one professional that run at once."""


class Episode(msgspec.Struct, array_like=True, frozen=True):
    """One emergency access: whose record, for which coded reasons, from when and until when (ms)."""

    patient: str
    reasons: tuple[str, ...]
    start: int
    until: int

    def runs(self, now: Instant) -> bool:
        """Say whether it lasts; a clock that went backwards ends it."""
        return self.start <= now < self.until

    def __repr__(self) -> str:
        return f"Episode({','.join(self.reasons)})"


@dataclass(frozen=True, slots=True)
class Begun:
    """What an emergency access opened, and until when."""

    opened: Opened
    episode: Episode = field(repr=False)


class Urgent:
    """The passage to the emergency accesses that run."""

    def __init__(self, passage: Passage, emergency: Emergency) -> None:
        self._registry, self._emergency = Registry(passage), emergency
        self._lock = Lock()
        self._held: dict[tuple[str, str], Episode] = {}

    async def begin(self, asking: Asking, patient: PatientId, reasons: Collection[EmergencyReason]) -> Begun:
        """Open a record in an emergency, for `LASTS`.

        Raises `NotFoundError` when it opens nothing, `RequestError` without a reason: then nothing is kept.
        """
        opened = await self._emergency.open(asking, patient, reasons)
        codes = tuple(sorted(reason.value for reason in reasons))
        episode = Episode(patient, codes, asking.now, asking.now + LASTS)
        await asyncio.to_thread(self._keep, asking, patient, episode)
        return Begun(opened, episode)

    async def name_ground(self, asking: Asking, patient: str, ground: HeirGround) -> None:
        """Keep on which ground somebody near a dead person asks for their record, for `LASTS`."""
        episode = Episode(patient, (ground.value,), asking.now, asking.now + LASTS)
        await asyncio.to_thread(self._keep, asking, patient, episode)

    async def end(self, asking: Asking, patient: str) -> None:
        """End an emergency access, or a ground that was named, before its time; ended twice is no error."""
        await asyncio.to_thread(self._keep, asking, patient, None)

    async def of(self, asking: Asking, patient: str) -> Episode | None:
        """Give the asker's own emergency access to a record that runs now, None when there is none."""
        if asking.actor.kind not in KINDS:
            return None
        with self._lock:
            held = self._held.get((asking.actor.id, patient))
        if held is not None:
            return held if held.runs(asking.now) else None
        value = await asyncio.to_thread(self._registry.get, asking, DRAWER, asking.actor.id)
        return next((one for one in _read(value) if one.patient == patient and one.runs(asking.now)), None)

    async def asking(self, asking: Asking, patient: str) -> tuple[Asking, Episode | None]:
        """Give how the asker asks of a record: in the emergency, or on the ground, that runs."""
        episode = await self.of(asking, patient)
        if episode is None:
            return asking, None
        grounds = frozenset(HeirGround(code) for code in episode.reasons if code in set(HeirGround))
        if grounds:
            return replace(asking, reasons=grounds), episode
        reasons = frozenset(EmergencyReason(code) for code in episode.reasons)
        return replace(asking, purpose=Purpose.EMERGENCY, reasons=reasons), episode

    def _keep(self, asking: Asking, patient: str, episode: Episode | None) -> None:
        """Put an emergency access in the place of the one on the same record; None to take it away."""

        def edit(value: bytes | None) -> bytes | None:
            kept = [one for one in _read(value) if one.patient != patient and one.runs(asking.now)]
            kept += [] if episode is None else [episode]
            return msgspec.msgpack.encode(kept[-MOST:]) if kept else None

        name = (asking.actor.id, patient)
        with self._lock:
            self._held.pop(name, None)
        try:
            self._registry.change(asking, DRAWER, asking.actor.id, edit, interaction=Interaction.ACTS)
        except DependencyError:
            if episode is not None:
                self._hold(name, episode, asking.now)

    def _hold(self, name: tuple[str, str], episode: Episode, now: Instant) -> None:
        with self._lock:
            self._held = {one: held for one, held in self._held.items() if held.runs(now)}
            self._held[name] = episode


def _read(value: bytes | None) -> list[Episode]:
    if value is None:
        return []
    try:
        return msgspec.msgpack.decode(value, type=list[Episode])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
