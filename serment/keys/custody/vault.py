"""The vault: what custody does, between the key file and the socket.

Order: what surrounds it, the calls of the contract in its order, then what they share. One lock
guards the file and the open keys; waiting (after a wrong passphrase, above the budget) happens
outside it, and so does the work of a passphrase.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
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
from serment.keys.custody.budget import Budget, Limits
from serment.keys.custody.contract import MOST_MADE, Phase, Remembered, Slot, State, StoreKind
from serment.keys.custody.keyfile import KeyFile
from serment.keys.custody.note import checkpoint_text, signed_checkpoint
from serment.keys.custody.passphrase import Cost, acceptable, unwrap_root, wrap_root
from serment.keys.custody.wraps import GENERATION, Roots, Trail, Wraps
from serment.keys.envelope import KEY_SIZE
from serment.keys.material import RecordKind, Secrets, TraceMaterial, Unwrapped, YearMaterial
from serment.model import RecordToken, RequestId

_SECRETS = ("locator", "person", "session", "imported", "page", "spool")
_SIGNING = "signing"
_REMEMBERED = "remembered"
_KIND = "kind"
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 30.0
"""Seconds that a wrong passphrase costs; each one in a row costs twice the one before."""

PAGE = 10_000
"""Most records in one page of the sweep."""


_NOTHING = Remembered(0, bytes(32), "")
"""Written by `init`: a row that is missing later was deleted, never just not written yet."""


def _milliseconds() -> int:
    return time.monotonic_ns() // 1_000_000


def _hours() -> int:
    return int(time.time()) // 3600


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the vault takes from outside: two clocks, a way to wait, the cost of a slot, the budget."""

    milliseconds: Callable[[], int] = _milliseconds
    hours: Callable[[], int] = _hours
    wait: Callable[[float], None] = time.sleep
    cost: Cost = field(default_factory=Cost)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class _Open:
    """The keys in memory while custody is open. Not wiped at `lock`: Python cannot promise it."""

    wraps: Wraps = field(repr=False)
    secrets: Secrets = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)


class Vault:
    """One key file, locked or open."""

    def __init__(self, file: KeyFile, around: Surroundings | None = None) -> None:
        self._file = file
        self._around = around or Surroundings()
        self._budget = Budget(self._around.limits)
        self._open: _Open | None = None
        self._records = file.count()
        self._wrong = self._wrong_in_a_row = self._traced = 0
        self._lock = threading.RLock()
        self._guessing = threading.Lock()

    # State and passphrases.

    def state(self) -> State:
        """Say where custody stands."""
        with self._lock:
            store = self._file.meta("store")
            if not store:
                return State(Phase.NEW)
            budget, limits = self._budget, self._around.limits
            return State(
                Phase.OPEN if self._open else Phase.LOCKED,
                self._kind(),
                store,
                self._file.meta("public-key"),
                GENERATION,
                records=self._records,
                unwrapped=budget.opened,
                traced=self._traced,
                spent=budget.spent(self._around.milliseconds()),
                soft=limits.soft,
                hard=limits.hard,
                slowed=budget.slowed,
                refused=budget.refused,
                alarms=budget.alarms,
                widest=budget.widest,
                wrong_passphrases=self._wrong,
            )

    def init(self, passphrase: str, kind: StoreKind) -> State:
        """Make the installation's keys in one transaction, and stay open."""
        with self._lock:
            if self._file.meta("store"):
                raise ConflictError("custody.already-made")
            store, root, signing = os.urandom(16), os.urandom(KEY_SIZE), Ed25519PrivateKey.generate()
            slot = wrap_root(root, passphrase, 1, "init", GENERATION, store, self._around.cost)
            wraps = Wraps(self._file, store, root)
            with self._file.transaction():
                self._file.put_meta("store", store)
                self._file.put_meta("kind", kind.encode())
                self._file.put_meta("public-key", signing.public_key().public_bytes_raw())
                self._file.put_slot(slot)
                wraps.put_secret(_SIGNING, signing.private_bytes_raw())
                wraps.put_secret(_KIND, kind.encode())
                wraps.put_secret(_REMEMBERED, _written(_NOTHING))
                for name in _SECRETS:
                    wraps.put_secret(name, os.urandom(KEY_SIZE))
            self._open = self._opened(wraps)
            return self.state()

    def unlock(self, passphrase: str, store: bytes | None = None) -> State:
        """Open custody with a passphrase, for the database that carries `store`."""
        with self._lock:
            ours = self._made()
        if store is not None and store != ours:
            raise IntegrityError("custody.other-installation")
        root = self._root(passphrase)
        with self._lock:
            self._open = self._opened(Wraps(self._file, ours, root))
            return self.state()

    def lock(self) -> None:
        """Forget every unwrapped key."""
        with self._lock:
            self._open = None

    def add_slot(self, passphrase: str, name: str, new: str) -> Slot:
        """Let a second passphrase open custody."""
        acceptable(new)
        root = self._root(passphrase)
        with self._lock:
            id_ = max(slot.id for slot in self._file.slots()) + 1
            slot = wrap_root(root, new, id_, name, GENERATION, self._made(), self._around.cost)
            with self._file.transaction():
                self._file.put_slot(slot)
        return Slot(id_, name)

    def remove_slot(self, passphrase: str, slot: int) -> None:
        """Remove a slot and its bytes, never the last one."""
        self._root(passphrase)
        with self._lock:
            ids = {kept.id for kept in self._file.slots()}
            if slot not in ids:
                raise NotFoundError("custody.no-such-slot")
            if len(ids) == 1:
                raise ConflictError("custody.last-slot")
            with self._file.transaction():
                self._file.drop_slot(slot)
            self._file.truncate()

    def list_slots(self) -> tuple[Slot, ...]:
        """List the slots."""
        with self._lock:
            return tuple(Slot(slot.id, slot.name) for slot in self._file.slots())

    # Records.

    def make(self, record: RecordToken, kind: RecordKind, year: int) -> Unwrapped:
        """Make the keys of a record, durable before they are given."""
        return self.make_all([record], kind, year)[0]

    def make_all(self, records: Sequence[RecordToken], kind: RecordKind, year: int) -> tuple[Unwrapped, ...]:
        """Make the keys of several records in one transaction, durable before they are given."""
        if len(records) > MOST_MADE:
            raise RequestError("custody.bad-call")
        with self._lock:
            for record in records:
                _checked(record, year)
            wraps = self._keys().wraps
            known = any(self._file.record(record) or self._file.trail(record) for record in records)
            if known or len(set(records)) < len(records):
                raise ConflictError("custody.record-exists")
            with self._file.transaction():
                made = tuple(self._made_one(wraps, record, kind, year) for record in records)
            self._records += len(made)
            return made

    def _made_one(self, wraps: Wraps, record: RecordToken, kind: RecordKind, year: int) -> Unwrapped:
        roots = wraps.put_roots(record, kind, self._around.hours())
        trail = Trail(os.urandom(KEY_SIZE), destroyed=False, years={})
        return _unwrapped(wraps.store, record, roots, trail, wraps.add_year(record, trail, year))

    def unwrap(self, record: RecordToken, request: RequestId, year: int) -> Unwrapped:
        """Give the keys of one record, counted, slowed or refused by the budget."""
        _checked(record, year)
        self._spend(record, request)
        with self._lock:
            wraps = self._keys().wraps
            trail, roots = wraps.trail(record), wraps.roots(record)
            if trail.destroyed:
                raise GoneError("custody.destroyed")
            if roots is None:
                raise IntegrityError("custody.unknown-record")
            return _unwrapped(wraps.store, record, roots, trail, self._year(wraps, record, trail, year))

    def year_keys(self, record: RecordToken) -> TraceMaterial:
        """Give what opens the trace of a record, alive or destroyed.

        Counted apart and never refused: it opens no content, and a verification asks for every record.
        """
        with self._lock:
            wraps = self._keys().wraps
            self._traced += 1
            trail = wraps.trail(record)
            years = tuple(wraps.year(record, trail, year) for year in sorted(trail.years))
            return TraceMaterial(wraps.store, record, trail.key, years)

    def destroy(self, record: RecordToken) -> None:
        """Destroy the content keys of a record, in the file and in its WAL."""
        with self._lock:
            wraps = self._keys().wraps
            trail = wraps.trail(record)
            with self._file.transaction():
                wraps.put_trail(record, msgspec.structs.replace(trail, destroyed=True))
                self._file.drop_record(record)
            self._emptied()

    def candidates(self, after: bytes, before_hour: int, limit: int) -> list[bytes]:
        """Give one page of records made before an hour, never in the current one."""
        with self._lock:
            self._keys()
            before = min(before_hour, self._around.hours())
            return self._file.made_before(after, before, min(limit, PAGE))

    def forget(self, records: list[bytes], before_hour: int) -> int:
        """Forget every key of records that were never stored, and give how many. Fresh ones are kept."""
        with self._lock:
            self._keys()
            before = min(before_hour, self._around.hours())
            old = [RecordToken(record) for record in records if self._file.is_made_before(record, before)]
            with self._file.transaction():
                for record in old:
                    self._file.drop_record(record)
                    self._file.drop_trace(record)
            self._emptied()
            return len(old)

    # The installation and its checkpoints.

    def installation(self) -> Secrets:
        """Give the installation's own secrets."""
        with self._lock:
            return self._keys().secrets

    def sign(self, size: int, root: bytes, origin: str) -> bytes:
        """Sign a checkpoint after having remembered it."""
        with self._lock:
            keys = self._keys()
            checkpoint_text(origin, size, root)
            before, now = self.remembered(), Remembered(size, root, origin)
            if before is not None:
                _refuse_rollback(before, now)
            with self._file.transaction():
                keys.wraps.put_secret(_REMEMBERED, _written(now))
            return signed_checkpoint(keys.signing, origin, size, root)

    def remembered(self) -> Remembered | None:
        """Give the last checkpoint signed."""
        with self._lock:
            last = _read(_whole(self._keys().wraps.secret(_REMEMBERED)))
            return None if last == _NOTHING else last

    # What the calls share.

    def _kind(self) -> StoreKind:
        try:
            return StoreKind(self._file.meta("kind").decode())
        except ValueError:
            raise IntegrityError("custody.file-broken") from None

    def _made(self) -> bytes:
        store = self._file.meta("store")
        if not store:
            raise CustodyError("custody.not-made")
        return store

    def _root(self, passphrase: str) -> bytes:
        """Give the root key. One guess at a time; each wrong one waits longer than the one before."""
        with self._guessing:
            with self._lock:
                store, slots = self._made(), self._file.slots()
            root = unwrap_root(slots, passphrase, store)
            if root is None:
                self._wrong += 1
                self._around.wait(min(_FIRST_WAIT * 2**self._wrong_in_a_row, _LONGEST_WAIT))
                self._wrong_in_a_row = min(self._wrong_in_a_row + 1, 10)
                raise SignInError("custody.wrong-passphrase")
            self._wrong_in_a_row = 0
            return root

    def _opened(self, wraps: Wraps) -> _Open:
        """Unwrap the installation's keys. Raises `IntegrityError` when the file disagrees with itself."""
        secrets = [_whole(wraps.secret(name)) for name in _SECRETS]
        signing = Ed25519PrivateKey.from_private_bytes(_whole(wraps.secret(_SIGNING)))
        # What stands in clear for the locked state was sealed too: edited by hand, custody stays locked.
        public, kind = signing.public_key().public_bytes_raw(), _whole(wraps.secret(_KIND))
        if (public, kind) != (self._file.meta("public-key"), self._file.meta("kind")):
            raise IntegrityError("custody.file-broken")
        return _Open(wraps, Secrets(wraps.store, *secrets), signing)

    def _keys(self) -> _Open:
        if self._open is None:
            self._made()
            raise LockedError("custody.locked")
        return self._open

    def _spend(self, record: RecordToken, request: RequestId) -> None:
        with self._lock:
            self._keys()
            delay = self._budget.spend(record, request, self._around.milliseconds())
        if delay:
            self._around.wait(delay / 1000)

    def _year(self, wraps: Wraps, record: RecordToken, trail: Trail, year: int) -> YearMaterial:
        """Give the ledger key of a year, made and durable when the record had none."""
        if year in trail.years:
            return wraps.year(record, trail, year)
        with self._file.transaction():
            return wraps.add_year(record, trail, year)

    def _emptied(self) -> None:
        self._file.truncate()
        self._records = self._file.count()


def _unwrapped(
    store: bytes, record: RecordToken, roots: Roots, trail: Trail, ledger: YearMaterial
) -> Unwrapped:
    return Unwrapped(
        store, record, roots.kind, roots.generation, roots.identity, roots.care, trail.key, ledger
    )


def _whole(secret: bytes | None) -> bytes:
    if secret is None:
        raise IntegrityError("custody.file-broken")
    return secret


def _written(checkpoint: Remembered) -> bytes:
    return checkpoint.size.to_bytes(8, "big") + checkpoint.root + checkpoint.origin.encode()


def _read(plain: bytes) -> Remembered:
    return Remembered(int.from_bytes(plain[:8], "big"), plain[8:40], plain[40:].decode())


def _checked(record: RecordToken, year: int) -> None:
    if len(record) != 16 or not 2000 <= year <= 9999:
        raise RequestError("custody.bad-call")


def _refuse_rollback(before: Remembered, now: Remembered) -> None:
    same = now.size == before.size and now.root != before.root
    if now.size < before.size or same or now.origin != before.origin:
        raise IntegrityError("custody.rolled-back")
