"""A custody in memory: no process, no file, no wrapping, the same contract.

It passes the contract suite of the real one (`tests/unit/keys/custody/test_contract.py`). `records`,
`trails`, `years` and `unwrapped` can be looked at. It has no budget: nothing is slowed or refused.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serment.errors import (
    ConflictError,
    CustodyError,
    GoneError,
    IntegrityError,
    LockedError,
    NotFoundError,
    RequestError,
    SignInError,
)
from serment.keys.custody.contract import MOST_MADE, Phase, Remembered, Slot, State, StoreKind
from serment.keys.custody.note import checkpoint_text, signed_checkpoint
from serment.keys.custody.passphrase import acceptable
from serment.keys.material import RecordKind, Secrets, TraceMaterial, Unwrapped, YearMaterial
from serment.model import RecordToken, RequestId


def _hour() -> int:
    return int(time.time()) // 3600


@dataclass
class FakeCustody:
    """The contract `Custody`, in memory. `hour` gives the hours since 1970."""

    hour: Callable[[], int] = _hour
    phase: Phase = Phase.NEW
    kind: StoreKind | None = None
    reachable: bool = True
    records: dict[RecordToken, tuple[RecordKind, bytes, bytes, int]] = field(default_factory=dict, repr=False)
    trails: dict[RecordToken, bytes] = field(default_factory=dict, repr=False)
    years: dict[tuple[RecordToken, int], YearMaterial] = field(default_factory=dict, repr=False)
    slots: dict[int, tuple[str, str]] = field(default_factory=dict, repr=False)
    unwrapped: list[tuple[RecordToken, RequestId]] = field(default_factory=list, repr=False)
    _secrets: Secrets | None = field(default=None, repr=False)
    _signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)
    _remembered: Remembered | None = None

    def state(self) -> State:
        self._reached()
        if self._secrets is None:
            return State(Phase.NEW)
        public = self._signing.public_key().public_bytes_raw()
        return State(
            self.phase,
            self.kind,
            self._secrets.store,
            public,
            1,
            records=len(self.records),
            unwrapped=len(self.unwrapped),
        )

    def init(self, passphrase: str, kind: StoreKind) -> State:
        self._reached()
        if self._secrets is not None:
            raise ConflictError("custody.already-made")
        self.slots[1] = ("init", acceptable(passphrase))
        self._secrets = Secrets(os.urandom(16), *[os.urandom(32) for _ in range(6)])
        self.kind, self.phase = kind, Phase.OPEN
        return self.state()

    def unlock(self, passphrase: str, store: bytes | None = None) -> State:
        self._reached()
        if store is not None and store != self._made().store:
            raise IntegrityError("custody.other-installation")
        self._admitted(passphrase)
        self.phase = Phase.OPEN
        return self.state()

    def close(self) -> None:
        """There is no connection to let go of."""

    def lock(self) -> None:
        self._reached()
        self.phase = Phase.LOCKED if self._secrets else Phase.NEW

    def add_slot(self, passphrase: str, name: str, new: str) -> Slot:
        normal = acceptable(new)
        self._admitted(passphrase)
        slot = max(self.slots) + 1
        self.slots[slot] = (name, normal)
        return Slot(slot, name)

    def remove_slot(self, passphrase: str, slot: int) -> None:
        self._admitted(passphrase)
        if slot not in self.slots:
            raise NotFoundError("custody.no-such-slot")
        if len(self.slots) == 1:
            raise ConflictError("custody.last-slot")
        del self.slots[slot]

    def list_slots(self) -> tuple[Slot, ...]:
        self._reached()
        return tuple(Slot(slot, name) for slot, (name, _) in sorted(self.slots.items()))

    def make(self, record: RecordToken, kind: RecordKind, year: int) -> Unwrapped:
        _checked(record, year)
        self._open()
        if record in self.trails:
            raise ConflictError("custody.record-exists")
        self.records[record] = (kind, os.urandom(32), os.urandom(32), self.hour())
        self.trails[record] = os.urandom(32)
        return self._whole(record, year)

    def make_all(self, records: Sequence[RecordToken], kind: RecordKind, year: int) -> tuple[Unwrapped, ...]:
        if len(records) > MOST_MADE:
            raise RequestError("custody.bad-call")
        for record in records:
            _checked(record, year)
        self._open()
        if len(set(records)) < len(records) or any(record in self.trails for record in records):
            raise ConflictError("custody.record-exists")
        return tuple(self.make(record, kind, year) for record in records)

    def unwrap(self, record: RecordToken, request: RequestId, year: int) -> Unwrapped:
        _checked(record, year)
        self._open()
        self.unwrapped.append((record, request))
        if record not in self.records:
            if record in self.trails:
                raise GoneError("custody.destroyed")
            raise IntegrityError("custody.unknown-record")
        return self._whole(record, year)

    def year_keys(self, record: RecordToken) -> TraceMaterial:
        secrets = self._open()
        if record not in self.trails:
            raise IntegrityError("custody.unknown-record")
        years = sorted((y for r, y in self.years if r == record))
        return TraceMaterial(
            secrets.store, record, self.trails[record], tuple(self.years[record, y] for y in years)
        )

    def destroy(self, record: RecordToken) -> None:
        self._open()
        if record not in self.trails:
            raise IntegrityError("custody.unknown-record")
        self.records.pop(record, None)

    def sweep(self, known: Callable[[RecordToken], bool], before_hour: int) -> int:
        self._open()
        before = min(before_hour, self.hour())
        old = [record for record, (_, _, _, hour) in self.records.items() if hour < before]
        orphans = [record for record in old if not known(record)]
        if len(orphans) > max(16, len(old) // 10):
            raise IntegrityError("custody.too-many-orphans", orphans=len(orphans), records=len(old))
        for record in orphans:
            del self.records[record], self.trails[record]
            self.years = {at: key for at, key in self.years.items() if at[0] != record}
        return len(orphans)

    def installation(self) -> Secrets:
        return self._open()

    def sign(self, size: int, root: bytes, origin: str) -> bytes:
        self._open()
        checkpoint_text(origin, size, root)
        now, before = Remembered(size, root, origin), self._remembered
        if before is not None and (
            (size == before.size and now != before) or size < before.size or origin != before.origin
        ):
            raise IntegrityError("custody.rolled-back")
        self._remembered = now
        return signed_checkpoint(self._signing, origin, size, root)

    def remembered(self) -> Remembered | None:
        self._open()
        return self._remembered

    def _whole(self, record: RecordToken, year: int) -> Unwrapped:
        kind, identity, care, _ = self.records[record]
        ledger = self.years.setdefault((record, year), YearMaterial(year, os.urandom(16), os.urandom(32)))
        return Unwrapped(self._made().store, record, kind, 1, identity, care, self.trails[record], ledger)

    def _reached(self) -> None:
        if not self.reachable:
            raise CustodyError("custody.unreachable")

    def _made(self) -> Secrets:
        self._reached()
        if self._secrets is None:
            raise CustodyError("custody.not-made")
        return self._secrets

    def _open(self) -> Secrets:
        secrets = self._made()
        if self.phase is not Phase.OPEN:
            raise LockedError("custody.locked")
        return secrets

    def _admitted(self, passphrase: str) -> None:
        self._made()
        if passphrase not in {kept for _, kept in self.slots.values()}:
            raise SignInError("custody.wrong-passphrase")


def _checked(record: RecordToken, year: int) -> None:
    if len(record) != 16 or not 2000 <= year <= 9999:
        raise RequestError("custody.bad-call")
