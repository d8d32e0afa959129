"""What an import says of itself: while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Where an import stands. Bytes are of the files as they lie on the disk, `seconds` since it began."""

    done: int
    total: int
    resources: int
    seconds: float

    @property
    def rate(self) -> float:
        """Resources a second."""
        return self.resources / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds left at the pace so far, None while it cannot be said."""
        if not self.done or self.seconds <= 0:
            return None
        return max(0.0, (self.total - self.done) * self.seconds / self.done)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a source: `received` = `created` + `updated` + `already` + `quarantined`.

    `reasons` counts the quarantined by sentence id; `unresolved` counts the links kept as received;
    `aside` counts the people whose matricule another system says: kept aside, their identity is provisional;
    `resumed` says that an import which had been cut was gone on with. `suspected` counts the pairs of
    records on the structure's worklist that may be one person: these, and those of before.
    """

    source: str
    files: int
    received: int
    created: int
    updated: int
    already: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    unresolved: int = 0
    aside: int = 0
    seconds: float = 0.0
    resumed: bool = False
    suspected: int = 0

    @property
    def stored(self) -> int:
        """How many stand in a record or in the directory."""
        return self.created + self.updated + self.already
