"""Key material as custody hands it out: plain holders, no logic.

Nothing here shows a key in its `repr`. How long the server keeps these is decided in `record`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from serment.model import RecordToken


class RecordKind(StrEnum):
    """What a record is. Only `PATIENT` has a holder; the others are made once, by `init`."""

    PATIENT = "patient"
    DIRECTORY = "directory"
    DECOY = "decoy"
    QUARANTINE = "quarantine"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class YearMaterial:
    """The ledger key of one record for one year: `id` is 16 random bytes, `key` 32."""

    year: int
    id: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The keys of one record: two roots, the trail key and one ledger year, 32 bytes each."""

    store: bytes = field(repr=False)
    record: RecordToken = field(repr=False)
    kind: RecordKind
    generation: int
    identity: bytes = field(repr=False)
    care: bytes = field(repr=False)
    trail: bytes = field(repr=False)
    year: YearMaterial


@dataclass(frozen=True, slots=True)
class TraceMaterial:
    """What opens the trace of one record: the trail key and every ledger year kept."""

    store: bytes = field(repr=False)
    record: RecordToken = field(repr=False)
    trail: bytes = field(repr=False)
    years: tuple[YearMaterial, ...]


@dataclass(frozen=True, slots=True)
class Secrets:
    """The installation's own secrets, 32 random bytes each, and the id of the store (16)."""

    store: bytes = field(repr=False)
    locator: bytes = field(repr=False)
    person: bytes = field(repr=False)
    session: bytes = field(repr=False)
    imported: bytes = field(repr=False)
    page: bytes = field(repr=False)
    spool: bytes = field(repr=False)
