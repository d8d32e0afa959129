"""Where a trace goes when the ledger takes none: the sealed spool; for an emergency alone, memory.

Once a trace waits, all that follow wait behind it, until `recovery` has given each its place: the
order of a record's traces is never turned round. No content is written meanwhile.

What is owed lives in memory only. Its count stands in two small preallocated files, one beside the
database and one beside the spool, written over in place (a full disk takes that): a process that
finds the count of one that died says the loss in the ledger.

Order: what is asked of the files, the count of what is owed, the spooling itself.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from serment.errors import ConflictError, DependencyError, IntegrityError, SermentError
from serment.keys.installation import Installation
from serment.ledger.append import Pending, Trail
from serment.ledger.checkpoint import Remembered
from serment.ledger.entry import Decision
from serment.ledger.spool import Owed, SpoolHead, Waiting, head_from, waiting, waiting_from
from serment.model import EmergencyReason, Instant, Purpose, Receipt

PLACE = 0
"""Every slot is sealed for the same place: which index it gets is known once it is written."""

_OWED = struct.Struct(">QQQ")
_DOORS = frozenset({"G5.emergency", "G5.regulation"})
_PURPOSES = frozenset({Purpose.EMERGENCY.value, Purpose.BREAK_GLASS.value})
_REASONS = frozenset(reason.value for reason in EmergencyReason)


class Slots(Protocol):
    """A preallocated file with a header and slots; each write is durable when its call returns."""

    @property
    def count(self) -> int: ...
    def header(self) -> bytes: ...
    def put_header(self, content: bytes) -> None: ...
    def append(self, entry: bytes) -> int: ...
    def entries(self) -> list[bytes]: ...
    def clear(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lost:
    """What a process that died owed: how many traces, and since when (ms)."""

    count: int
    since: Instant


class OwedNotes:
    """The count of what a process owes, in every file that takes it."""

    def __init__(self, files: Sequence[Slots], strays: Sequence[Slots] = ()) -> None:
        """Take the files of this process, and those of processes that are not started any more."""
        self._files = files
        self._strays = strays

    def put(self, count: int, since: Instant) -> None:
        """Write the count over the one before; a file that does not take it is passed over."""
        content = _OWED.pack(count, since, os.getpid()) if count else b""
        for file in (*self._files, *(() if count else self._strays)):
            with suppress(SermentError):
                file.put_header(content)

    def left(self) -> Lost | None:
        """Give what processes left that are no more, the largest count of each; None: nothing was lost."""
        found = [_OWED.unpack(note) for note in self._notes() if len(note) == _OWED.size]
        dead: dict[int, tuple[int, int]] = {}
        for count, since, pid in found:
            if pid == os.getpid() or not _lives(pid):
                dead[pid] = max(dead.get(pid, (0, 0)), (count, since))
        if not dead:
            return None
        counts, times = zip(*dead.values(), strict=True)
        return Lost(sum(counts), Instant(min(times)))

    def close(self) -> None:
        """Let go of the files."""
        for file in (*self._files, *self._strays):
            file.close()

    def _notes(self) -> list[bytes]:
        notes: list[bytes] = []
        for file in (*self._files, *self._strays):
            with suppress(DependencyError, IntegrityError):
                notes.append(file.header())
        return notes


class Spooling:
    """The second and the last place of a trace. Calls may come from any thread."""

    def __init__(self, slots: Slots, notes: OwedNotes, installation: Installation) -> None:
        """Take the spool. Raises `LedgerError` when it is another installation's."""
        self._slots = slots
        self._notes = notes
        self._installation = installation
        self._owed = Owed()
        self._trails: dict[bytes, Trail] = {}
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting = self._closed = False
        self._remembered: Remembered | None = None
        with suppress(DependencyError):
            head = head_from(slots.header(), installation.store)
            self._remembered = Remembered(head.size, head.root) if head.size else None
            self._waiting = slots.count > 0

    @property
    def waiting(self) -> bool:
        """Whether a trace waits for its place: then every other one waits behind it."""
        return self._waiting

    @property
    def owed(self) -> int:
        """Traces of emergency accesses that are owed."""
        return self._owed.count

    def submit(self, entries: Sequence[Pending]) -> Future[list[Receipt]]:
        """Keep the traces of one access; the future is done once they are durable, or owed.

        It carries `DependencyError` when no disk takes them and the access is not an emergency.
        """
        return self._thread.submit(self.keep, entries)

    def keep(self, entries: Sequence[Pending]) -> list[Receipt]:
        """Do what `submit` says, in this thread."""
        with self._lock:
            self._waiting = True
            receipts: list[Receipt] = []
            try:
                for pending in entries:
                    receipts.append(self._spooled(pending))  # noqa: PERF401 - what stands counts when one fails
            except (DependencyError, IntegrityError):
                receipts += self._owing(entries, entries[len(receipts) :])
            return receipts

    def remember(self, size: int, root: bytes, note: bytes) -> None:
        """Keep a checkpoint outside the database. A spool that is away never stops care."""
        head = SpoolHead(self._installation.store, size, root, note)
        with suppress(DependencyError, IntegrityError):
            self._slots.put_header(head.to_bytes())

    def remembered(self) -> Remembered | None:
        """Give the checkpoint that the spool remembered when it was opened."""
        return self._remembered

    # For `recovery`.

    def lost(self) -> Lost | None:
        """Give what another process owed and took with it."""
        return None if self._owed.count else self._notes.left()

    def owing(self) -> list[Pending]:
        """Give what is owed, oldest first."""
        with self._lock:
            return self._owed.entries()

    def spooled(self) -> list[Waiting]:
        """Give what stands in the spool, oldest first. Raises `IntegrityError` on a damaged slot."""
        return [waiting_from(self._installation.open_spooled(PLACE, slot)) for slot in self._slots.entries()]

    def trail(self, entry: Waiting) -> Trail | None:
        """Give the keys of a trace that this process spooled."""
        return self._trails.get(entry.commitment)

    def settle(self, paid: int) -> None:
        """Forget what has its place in the ledger now, durably: `paid` owed traces and the slots read.

        Goes on waiting when others have come meanwhile.
        """
        with self._lock:
            self._owed.paid(paid)
            self._notes.put(self._owed.count, self._owed.since)
            try:
                self._slots.clear()
            except ConflictError:
                return
            except DependencyError:
                # The spool's disk is away: it was empty for us, or its merged slots are known by their mark.
                pass
            self._waiting = self._owed.count > 0
            if not self._waiting:
                self._trails.clear()

    def look(self) -> None:
        """See what another process has spooled or merged meanwhile."""
        with self._lock, suppress(DependencyError):
            self._waiting = self._slots.count > 0 or self._owed.count > 0

    def close(self) -> None:
        """Let go of the files. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._thread.shutdown()
        self._slots.close()
        self._notes.close()

    def _spooled(self, pending: Pending) -> Receipt:
        entry = waiting(pending)
        self._slots.append(self._installation.seal_spooled(PLACE, entry.to_bytes()))
        self._trails[entry.commitment] = pending.trail
        return entry.receipt

    def _owing(self, act: Sequence[Pending], left: Sequence[Pending]) -> list[Receipt]:
        if not is_emergency(act):
            self._waiting = self._owed.count > 0 or self._stands()
            raise DependencyError("record.no-trace")
        receipts = [self._owed.owe(pending) for pending in left]
        self._notes.put(self._owed.count, self._owed.since)
        return receipts

    def _stands(self) -> bool:
        try:
            return self._slots.count > 0
        except (DependencyError, IntegrityError):
            return False


def is_emergency(act: Sequence[Pending]) -> bool:
    """Say whether an act opened by an emergency door, with purpose and coded reason (CSP R1111-48)."""
    declared = all(
        pending.event.decision is Decision.PERMIT
        and pending.event.purpose in _PURPOSES
        and not _REASONS.isdisjoint(pending.event.reason.split(","))
        for pending in act
    )
    return declared and any(pending.event.rule in _DOORS for pending in act)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
