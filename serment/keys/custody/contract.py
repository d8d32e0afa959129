"""What the house asks of custody. The socket client and the fake of the tests both keep this contract.

Order: the values, then the calls. Until somebody unlocks, every call that needs a key raises
`LockedError`; every call raises `CustodyError` when custody does not answer.

Rotation and shredding as products (a new generation of the root key, certificates, key backups) come
with the backup work. Their place: each wrapped row carries `generation`, and `destroy` already leaves
no byte of a row in the key file. Ledger years end one by one by the same means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from serment.keys.material import RecordKind, Secrets, TraceMaterial, Unwrapped
from serment.model import RecordToken, RequestId

MOST_MADE = 1000
"""Records whose keys are made in one step: as many as one lot of an import begins."""


class Phase(StrEnum):
    """Where custody stands."""

    NEW = "new"
    LOCKED = "locked"
    OPEN = "open"


class StoreKind(StrEnum):
    """What the store is for, sealed at `init` for ever."""

    DEMO = "demo"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class State:
    """What custody says of itself; nothing secret. Counters run since the process started.

    `store` is the 16-byte id of the installation and `public_key` the raw Ed25519 key of its
    checkpoints, both empty while `phase` is new. `spent` openings were asked in the last minute:
    above `soft` each is slowed and an alarm is counted, above `hard` refused. `traced` counts the
    traces opened, `widest` is the largest number of records that one request has opened.
    """

    phase: Phase
    kind: StoreKind | None = None
    store: bytes = field(default=b"", repr=False)
    public_key: bytes = b""
    generation: int = 0
    records: int = 0
    unwrapped: int = 0
    traced: int = 0
    spent: int = 0
    soft: int = 0
    hard: int = 0
    slowed: int = 0
    refused: int = 0
    alarms: int = 0
    widest: int = 0
    wrong_passphrases: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """One passphrase slot. `name` is the label that the operator chose."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last checkpoint that custody signed: a database behind it was rolled back."""

    size: int
    root: bytes
    origin: str


class Custody(Protocol):
    """The keeper of the keys."""

    def state(self) -> State:
        """Say where custody stands; answers in every phase."""
        ...

    def init(self, passphrase: str, kind: StoreKind) -> State:
        """Make the installation's keys, once, and stay open. Raises `ConflictError` when already made."""
        ...

    def unlock(self, passphrase: str, store: bytes | None = None) -> State:
        """Open custody. `store` is the id that the database carries, when there is one.

        Raises `SignInError` (wrong passphrase) and `IntegrityError` (key file of another installation).
        """
        ...

    def lock(self) -> None:
        """Forget every unwrapped key."""
        ...

    def add_slot(self, passphrase: str, name: str, new: str) -> Slot:
        """Let a second passphrase open custody; asks for a first one. Raises `SignInError`."""
        ...

    def remove_slot(self, passphrase: str, slot: int) -> None:
        """Remove a slot, never the last one. Raises `SignInError`, `NotFoundError`, `ConflictError`."""
        ...

    def list_slots(self) -> tuple[Slot, ...]:
        """List the slots in order of their ids."""
        ...

    def make(self, record: RecordToken, kind: RecordKind, year: int) -> Unwrapped:
        """Make the keys of a new record and of one ledger year, durable before they are returned.

        Raises `ConflictError` when this token has, or had, keys.
        """
        ...

    def make_all(self, records: Sequence[RecordToken], kind: RecordKind, year: int) -> tuple[Unwrapped, ...]:
        """Make the keys of several new records in one durable step: all of them, or none.

        Raises `ConflictError` when one of them has, or had, keys, or comes twice, `RequestError` for more
        than `MOST_MADE`.
        """
        ...

    def unwrap(self, record: RecordToken, request: RequestId, year: int) -> Unwrapped:
        """Give the keys of one record; makes the ledger key of `year` when it is missing.

        Raises `GoneError` (destroyed), `IntegrityError` (never made, altered), `TooManyError`.
        """
        ...

    def year_keys(self, record: RecordToken) -> TraceMaterial:
        """Give what opens the record's trace, every year kept; works after `destroy`."""
        ...

    def destroy(self, record: RecordToken) -> None:
        """Destroy the content keys of a record for ever; its trace keys stay. A second call does nothing."""
        ...

    def sweep(self, known: Callable[[RecordToken], bool], before_hour: int) -> int:
        """Forget keys made before `before_hour` (hours since 1970) whose record was never stored.

        Gives how many. Raises `IntegrityError` when so many are unknown that the database must be
        another one: nothing is forgotten then.
        """
        ...

    def installation(self) -> Secrets:
        """Give the installation's own secrets."""
        ...

    def sign(self, size: int, root: bytes, origin: str) -> bytes:
        """Sign a checkpoint (C2SP tlog-checkpoint) and remember it, durably, before giving the whole note.

        Raises `IntegrityError` when `size` is smaller than the one remembered, or equal with another root.
        """
        ...

    def remembered(self) -> Remembered | None:
        """Give the last checkpoint signed."""
        ...

    def close(self) -> None:
        """Let go of connections; custody itself goes on."""
        ...
