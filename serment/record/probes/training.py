"""Who here has followed the five-minute training, and until when: a dated proof for each (capability 1-09).

Six questions with one right answer each; the proof is written once all are right, as a file of the register
and an entry of its chain under the name of whoever answered. It counts for twelve months. What was answered
wrong is told at once to that person and kept nowhere: the register says who is trained, not who hesitated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from serment.errors import IntegrityError
from serment.ledger.entry import Interaction
from serment.model import Instant
from serment.record.asking import Asking
from serment.record.registry import Registry

DRAWER: Final = "training"
COURSE: Final = "2026-11"
"""The text and questions that were followed; other ones have another date."""

DAY: Final = 24 * 3600 * 1000
LASTS: Final = 365 * DAY
REMINDED: Final = 30 * DAY
"""For how long (ms) a proof counts, and for how long before its end its person is reminded."""

ANSWERS: Final[Mapping[str, str]] = {
    "screen": "b",
    "curious": "c",
    "emergency": "a",
    "caller": "b",
    "access": "c",
    "hacked": "a",
}
"""The six questions, and the letter of the right answer to each."""


class Proof(msgspec.Struct, array_like=True, frozen=True):
    """That somebody answered all questions of a course. `at` in ms; `request` numbers the ledger's entry."""

    at: int
    course: str
    request: str

    @property
    def until(self) -> Instant:
        """The instant from which it counts no more."""
        return Instant(self.at + LASTS)

    def counts(self, now: Instant) -> bool:
        """Say whether it counts; one from the future does not."""
        return self.at <= now < self.until

    def ends_soon(self, now: Instant) -> bool:
        """Say whether its person is to be reminded."""
        return self.counts(now) and now >= self.until - REMINDED

    def __repr__(self) -> str:
        return f"Proof({self.course})"


class Trained(StrEnum):
    """Where somebody stands."""

    COUNTS = "counts"
    SOON = "soon"
    OVER = "over"
    MISSING = "missing"


def state_of(proof: Proof | None, now: Instant) -> Trained:
    """Say where somebody with this proof stands at `now`; it stops nothing (capability 3-10 is another's)."""
    if proof is None:
        return Trained.MISSING
    if not proof.counts(now):
        return Trained.OVER
    return Trained.SOON if proof.ends_soon(now) else Trained.COUNTS


@dataclass(frozen=True, slots=True)
class Graded:
    """What became of the answers: the questions that were not answered right, and the proof when none."""

    wrong: tuple[str, ...]
    proof: Proof | None = None


class Training:
    """The proofs. Calls block. `person` names an account, or an actor who has none."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(self, asking: Asking, person: str) -> Proof | None:
        """Give the last proof of a person, whether it still counts or not."""
        value = self._registry.get(asking, DRAWER, person)
        return None if value is None else _read(value)

    def all(self, asking: Asking) -> dict[str, Proof]:
        """Give the last proof of each person who has one."""
        return {person: _read(value) for person, value in self._registry.all(asking, DRAWER).items()}

    def answered(self, asking: Asking, person: str, answers: Mapping[str, str]) -> Graded:
        """Grade the answers of the person who asks; write a proof when all are right."""
        wrong = tuple(name for name, right in ANSWERS.items() if answers.get(name) != right)
        if wrong:
            return Graded(wrong)
        proof = Proof(asking.now, COURSE, asking.request)
        value = msgspec.msgpack.encode(proof)
        self._registry.change(asking, DRAWER, person, lambda _: value, interaction=Interaction.TRAINING)
        return Graded((), proof)


def _read(value: bytes) -> Proof:
    try:
        return msgspec.msgpack.decode(value, type=Proof)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
