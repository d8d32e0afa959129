"""Checkpoints, verification, and the patient's own list: reading the ledger back.

Order: checkpoints (each second or 1 000 entries, signed by custody), the verification of the whole
ledger, the list of who did what that the holder reads.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from serment.errors import IntegrityError, NotFoundError
from serment.keys.custody.contract import Custody, State
from serment.keys.trace_keys import TraceKeys
from serment.ledger.chains import Chain, HeadMark, head_hash
from serment.ledger.checkpoint import Growing, LogKey, due, keep
from serment.ledger.checkpoint import Remembered as Kept
from serment.ledger.entry import Body, Interaction
from serment.ledger.follow import follow
from serment.ledger.verify import FaultKind, Progress, RecordTrail, Report, verify
from serment.model import Act, Category, Denial, Instant, ItemClass, RecordToken
from serment.record import trace
from serment.record.asking import Asking
from serment.record.incoming import TIMER
from serment.record.passage import Passage
from serment.record.reading import settled, warm
from serment.record.scrub import Scrub, every_record, some_records
from serment.store.contract import Snapshot

TRACE_UNIT = ItemClass(Category.CHOICES, "trace")
"""The trace is the patient's, as their choices are: for professionals it does not exist (HOUSE section 5)."""


@dataclass(frozen=True, slots=True)
class Leave:
    """What somebody may follow of one record: its chains, and the deferred one up to an instant (ms)."""

    record: RecordToken = field(repr=False)
    chains: tuple[Chain, ...]
    quiet: float

    def shows(self, body: Body) -> bool:
        """Say whether an entry is told; a birth is one act, whatever chains repeat it."""
        if body.event.interaction is Interaction.BIRTH and body.chain is not Chain.ORDINARY:
            return False
        return body.chain in self.chains and self.announced(body)

    def announced(self, body: Body) -> bool:
        """Say whether an entry is of nothing that still waits to be announced."""
        return body.chain is not Chain.DEFERRED or body.event.t < self.quiet


@dataclass(slots=True)
class _Last:
    size: int = 0
    time: Instant = Instant(0)  # noqa: RUF009 - a NewType over int


class Proving:
    """What proves that the trace is whole."""

    def __init__(self, passage: Passage, custody: Custody) -> None:
        self._passage = passage
        self._custody = custody
        self._growing = Growing()
        self._last = _Last()
        self._one = Lock()
        self._scrub = Scrub(passage, custody)
        state = custody.state()
        self.origin = origin_of(state)
        self.key = LogKey(self.origin, state.public_key)

    def trust(self) -> None:
        """Hold the ledger against what custody and the spool remember, before anything is served.

        Raises `IntegrityError` when the database is behind one of them, or other: it was put back.
        """
        with self._passage.store.snapshot() as snapshot, self._one:
            self._growing.catch_up(snapshot, self._remembered())

    def checkpoint(self) -> int:
        """Sign the tree as it stands, and keep the note. Gives its size.

        Size and root go to custody's file before the note is given, then to the spool's header and to the
        database (HOUSE promise 8). Raises `IntegrityError` when the ledger is not what was signed.
        """
        with self._one:
            with self._passage.store.snapshot() as snapshot:
                size, root = self._growing.catch_up(snapshot)
            if size > self._last.size:
                note = self._signed(size, root)
                if note is not None:
                    self._passage.spooling.remember(size, root, note)
                    self._passage.store.submit(lambda txn: keep(txn, size, root, note)).result()
                self._last = _Last(size, self._passage.clock())
            return size

    def _signed(self, size: int, root: bytes) -> bytes | None:
        """Have custody sign; None when another process of ours has just signed a longer tree of this one."""
        try:
            return self._custody.sign(size, root, self.origin)
        except IntegrityError:
            with self._passage.store.snapshot() as snapshot:
                remembered = self._custody.remembered()
                now, _ = Growing().catch_up(
                    snapshot, [Kept(remembered.size, remembered.root)] if remembered else []
                )
            if now == size:
                raise
            return None

    def checkpoint_if_due(self) -> None:
        """Make a checkpoint when a second has passed or 1 000 entries stand since the last one."""
        with self._passage.store.snapshot() as snapshot:
            size = snapshot.ledger_size()
        if due(size, self._last.size, self._passage.clock(), self._last.time):
            self.checkpoint()

    def verify(self, *, unlocked: bool = True, progress: Progress | None = None) -> Report:
        """Verify every row against the tree, the checkpoints, custody and the spool.

        Unlocked, every body of the ledger too, and every row of every record from its head down: the
        probe is traced in the system record.
        """
        if unlocked:
            self._scrub.trace()
        return self.examine(unlocked=unlocked, progress=progress)

    def examine(self, *, unlocked: bool = True, progress: Progress | None = None) -> Report:
        """Do what `verify` says, under a trace that its caller has already written."""
        with self._passage.store.snapshot() as snapshot:
            strangers: list[RecordToken] = []
            trails = self._trails(snapshot, strangers) if unlocked else None
            remembered = self._remembered()
            report = verify(snapshot, self.key, remembered=remembered, trails=trails, progress=progress)
            if unlocked:
                self._scrub.run(snapshot, report)
            for _ in strangers:
                report.blame(FaultKind.RECORD, report.size)
            return report

    def probe(self, records: int) -> tuple[Report, Report]:
        """Hold the ledger's rows against the tree and what was signed, and check some records whole.

        Gives the report of each. No body of the ledger is opened; the probe is traced in the system record.
        """
        self._scrub.trace()
        with self._passage.store.snapshot() as snapshot:
            ledger = verify(snapshot, self.key, remembered=self._remembered())
            sample = Report(ledger.size, ledger.root)
            self._scrub.run(snapshot, sample, some_records(snapshot, records))
        return ledger, sample

    def _remembered(self) -> list[Kept]:
        """Give what stands outside the database: custody's last signature, the spool's header."""
        custody = self._custody.remembered()
        known = [Kept(custody.size, custody.root)] if custody else []
        spool = self._passage.spooling.remembered()
        return [*known, spool] if spool else known

    async def trail(self, asking: Asking, patient: str) -> list[Body]:
        """Give the entries of a record that its holder or representative may read, newest first."""
        leave = await leave_to_follow(self._passage, asking, patient)
        keys = TraceKeys(await asyncio.to_thread(self._custody.year_keys, leave.record))
        with self._passage.store.snapshot() as snapshot:
            found = follow(snapshot, leave.record, keys.trail, list(keys.years.values()), leave.chains)
        return [entry.body for entry in reversed(found) if leave.shows(entry.body)]

    def _trails(self, snapshot: Snapshot, strangers: list[RecordToken]) -> Iterator[RecordTrail]:
        """Give the keys and the head of every record, one at a time; keep those unknown to custody."""
        for record in every_record(snapshot):
            try:
                keys = TraceKeys(self._custody.year_keys(record))
            except IntegrityError:
                strangers.append(record)
                continue
            yield RecordTrail(record, keys.trail, list(keys.years.values()), head=_mark(snapshot, record))


async def leave_to_follow(passage: Passage, asking: Asking, patient: str) -> Leave:
    """Decide that the asker reads the trace of a record, and trace that. Raises `NotFoundError`."""
    await warm(passage, asking, [f"Patient/{patient}"])
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{patient}")
        view = passage.view(snapshot, asking, located.record)
        verdict = view.decide(TRACE_UNIT, Act.READ)
        if isinstance(verdict, Denial):
            entries = trace.of_refusal(passage, view, Interaction.TRACE_READ, verdict)
        else:
            entries = trace.of_access(passage, view, Interaction.TRACE_READ, [], verdict.rule)
    await settled(passage, entries)
    if isinstance(verdict, Denial):
        raise NotFoundError("record.not-found")
    shown = tuple(Chain) if verdict.rule == "G1.holder" else (Chain.ORDINARY,)
    return Leave(located.record, shown, _announcing_since(view.head.classes(), asking.now))


def origin_of(state: State) -> str:
    """Name the log in its checkpoints: by the installation, under a domain that nobody owns (RFC 2606)."""
    return f"serment.invalid/{state.store.hex()}"


def _announcing_since(units: Sequence[ItemClass], now: Instant) -> float:
    """Say since when something waits to be announced; never, when nothing does.

    What the holder could read of earlier announcements stays: a line that vanished would tell of a new one.
    """
    ends = [unit.timer_end for unit in units if unit.timer_end is not None and unit.timer_end > now]
    return min(ends, default=math.inf) - TIMER


def _mark(snapshot: Snapshot, record: RecordToken) -> HeadMark | None:
    row = snapshot.record(record)
    return None if row is None else HeadMark(head_hash(row.head), row.epoch)
