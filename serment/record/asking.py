"""Who asks, why, and when: the part of a request that every passage needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from serment.model import Actor, EmergencyReason, Instant, Purpose, RequestId
from serment.words import Language


@dataclass(frozen=True, slots=True)
class Asking:
    """One act of one signed-in person. `now` is read once at the door and is a fact from there on."""

    actor: Actor
    purpose: Purpose
    request: RequestId
    now: Instant
    reasons: frozenset[EmergencyReason] = field(default=frozenset())
    language: Language = Language.FR
