"""How often one actor may do a thing that teaches by repetition: search for people, be refused.

Counts are kept in memory, for this process, and forgotten when the window has passed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from threading import Lock

from serment.errors import TooManyError
from serment.model import ActorId, Instant

MOST_ACTORS = 10_000


class Budget:
    """At most `most` times in `window` milliseconds for each actor; `sentence` says that it is spent."""

    def __init__(self, most: int, window: int, sentence: str) -> None:
        self._most, self._window, self._sentence = most, window, sentence
        self._made: OrderedDict[ActorId, list[Instant]] = OrderedDict()
        self._lock = Lock()

    def spent(self, actor: ActorId, now: Instant) -> bool:
        """Say whether nothing is left to spend; counts nothing."""
        with self._lock:
            return sum(now - made < self._window for made in self._made.get(actor, ())) >= self._most

    def spend(self, actor: ActorId, now: Instant) -> None:
        """Count one. Raises `TooManyError` when the budget is spent; what is refused so is not counted."""
        with self._lock:
            recent = [made for made in self._made.pop(actor, []) if now - made < self._window]
            self._made[actor] = recent
            if len(recent) >= self._most:
                seconds = (recent[0] + self._window - now) // 1000 + 1
                raise TooManyError(self._sentence, seconds=seconds)
            recent.append(now)
            while len(self._made) > MOST_ACTORS:
                self._made.popitem(last=False)


class Quota:
    """At most `most` different things shown to each actor in `window` milliseconds; again is free."""

    def __init__(self, most: int, window: int, sentence: str) -> None:
        self._most, self._window, self._sentence = most, window, sentence
        self._shown: OrderedDict[ActorId, dict[str, Instant]] = OrderedDict()
        self._lock = Lock()

    def spend(self, actor: ActorId, things: Collection[str], now: Instant) -> None:
        """Count what is about to be shown. Raises `TooManyError` when it is too much: it is not counted."""
        with self._lock:
            before = self._shown.pop(actor, {})
            kept = {thing: at for thing, at in before.items() if now - at < self._window}
            self._shown[actor] = kept
            new = [thing for thing in things if thing not in kept]
            if new and len(kept) + len(new) > self._most:
                oldest = min(kept.values(), default=now)
                raise TooManyError(self._sentence, seconds=(oldest + self._window - now) // 1000 + 1)
            kept.update(dict.fromkeys(new, now))
            while len(self._shown) > MOST_ACTORS:
                self._shown.popitem(last=False)
