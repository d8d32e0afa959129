"""Who asks, why, and when: the part of a request that every passage needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from serment.access.scopes import Scope
from serment.model import Actor, Instant, Purpose, Reason, RequestId
from serment.words import Language


@dataclass(frozen=True, slots=True)
class Retry:
    """That a request may come twice: `token` of its author and key, `digest` (SHA-256) of all it asks."""

    token: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def of_entry(self, place: int) -> Retry:
        """Give that of one entry of a batch, which stands or falls alone."""
        return Retry(sha256(self.token + place.to_bytes(4, "big")).digest()[: len(self.token)], self.digest)

    def over(self, content: bytes) -> Retry:
        """Give that of the same request once the digest of what it streams is known."""
        return Retry(self.token, sha256(self.digest + content).digest())


@dataclass(frozen=True, slots=True)
class Asking:
    """One act of one signed-in person. `now` is read once at the door and is a fact from there on.

    `scope` is what a program may do of it; None for the person themselves, at our pages.
    """

    actor: Actor
    purpose: Purpose
    request: RequestId
    now: Instant
    reasons: frozenset[Reason] = field(default=frozenset())
    language: Language = Language.FR
    retry: Retry | None = None
    scope: Scope | None = None
