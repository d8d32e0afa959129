"""How many sessions last now, by kind and function. Nobody is named, and nothing of what they look at."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Final

from serment.errors import IntegrityError
from serment.model import ActorKind, Function, Instant
from serment.record.entrance.sessions import Sessions
from serment.record.passage import Passage

PAGE: Final = 256

Counts = Counter[tuple[ActorKind, Function]]

PROGRAM: Final = (ActorKind.SERVICE, Function.NONE)
"""As what the session of a program counts, whoever let it in."""


def census(passage: Passage, sessions: Sessions, now: Instant) -> Counts:
    """Count the sessions that last at `now`; a row that does not open counts as none."""
    found: Counts = Counter()
    after = b""
    while True:
        with passage.store.snapshot() as snapshot:
            tokens = [token for token, _ in snapshot.sessions(after, PAGE)]
        for token in tokens:
            with contextlib.suppress(IntegrityError):
                standing = sessions.of_token(token, now)
                if standing is not None:
                    session = standing[0]
                    who = session.actor
                    found[PROGRAM if session.program else (who.kind, who.function)] += 1
        if len(tokens) < PAGE:
            return found
        after = tokens[-1]
