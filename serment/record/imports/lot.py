"""What an import takes in at once: the resources made ready, the place reached, and what became of them.

A lot is one transaction of `importing`. Order: a resource made ready, a lot, the counts. Nothing is
decided, sealed or stored here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from serment.fhir import document as documents
from serment.fhir.dates import instant_text
from serment.fhir.halves import HALF_OF, cut
from serment.model import Instant
from serment.record.choices import ACTS_OF_CARE
from serment.record.incoming import Incoming, Part

SPEAKING = ACTS_OF_CARE | {"Binary", "Consent", "DocumentReference"}
"""Types whose content is looked at again when they are written; of all others the parts are enough."""


@dataclass(frozen=True, slots=True)
class Prepared(Incoming):
    """A resource made ready: its parts are cut and indexed already, for its first version.

    `document.value` holds what the facts are read from (`SPEAKING`), and may hold nothing else; its
    members may be unknown.
    """

    ready: tuple[Part, ...] = field(default=(), repr=False)

    @property
    def has_half(self) -> bool:
        """Whether there is a cut half."""
        return len(self.ready) > 1

    def parts(self, id_: str, version: int, updated: Instant) -> list[Part]:
        """Give the parts; those of a later version are spliced again."""
        if version == 1:
            return list(self.ready)
        document = documents.read(self.document.text.encode())
        body = document.spliced(id_, version, instant_text(updated))
        if self.type not in HALF_OF:
            return [replace(self.ready[0], body=body)]
        left, half = cut(documents.read(body))
        bodies = (left, half or b"")
        return [replace(part, body=whole) for part, whole in zip(self.ready, bodies, strict=False)]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One resource of a source. `key` names it in the source for ever; `digest` is of its bytes.

    A resource that could not be made ready has no `prepared` and says why in `reason`.
    """

    type: str
    key: str = field(repr=False)
    id: str
    raw: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    prepared: Prepared | None = field(default=None, repr=False)
    reason: str = ""
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """The place in one part of a source: `mark` names the part, places count its resources from 0."""

    mark: str = field(repr=False)
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What one transaction takes in. `people` are professionals met before it: reference → actor id.

    They are read while the lot waits for its turn, and never changed.
    """

    source: str
    now: Instant
    arrivals: Sequence[Arrival] = field(repr=False)
    progress: Progress
    people: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Tally:
    """What became of resources. `reasons` counts those in quarantine by sentence id."""

    created: int = 0
    updated: int = 0
    already: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, numbers: Sequence[int]) -> Tally:
        """Count from numbers in the order of the fields."""
        created, updated, already, quarantined = numbers
        return cls(created, updated, already, quarantined)

    @property
    def stored(self) -> int:
        """How many stand in a record or in the directory."""
        return self.created + self.updated + self.already

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """The counts in the order of the fields."""
        return self.created, self.updated, self.already, self.quarantined

    @property
    def total(self) -> int:
        """How many were taken in, one way or the other."""
        return self.stored + self.quarantined

    def add(self, other: Tally) -> None:
        """Count what another tally counted."""
        self.created += other.created
        self.updated += other.updated
        self.already += other.already
        self.quarantined += other.quarantined
        self.reasons.update(other.reasons)
