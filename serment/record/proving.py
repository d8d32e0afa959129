"""Checkpoints, verification, and the patient's own list: reading the ledger back.

Order: checkpoints (each second or 1 000 entries, signed by custody), the verification of the whole
ledger, the list of who did what that the holder reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from serment.errors import NotFoundError
from serment.keys.custody.contract import Custody, State
from serment.keys.trace_keys import TraceKeys
from serment.ledger.append import TOKEN_LABEL
from serment.ledger.chains import Chain, HeadMark, head_hash
from serment.ledger.checkpoint import Growing, LogKey, due, keep
from serment.ledger.entry import Body, Interaction, body_data, body_from, entry_bytes, unboxed
from serment.ledger.verify import Progress, RecordTrail, Report, verify
from serment.ledger.verify import Remembered as Kept
from serment.model import Act, Category, Denial, Instant, ItemClass, RecordToken
from serment.record import trace
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.reading import settled, warm
from serment.store.contract import Snapshot

TRACE_UNIT = ItemClass(Category.CHOICES, "trace")
"""The trace is the patient's, as their choices are: for professionals it does not exist (HOUSE section 5)."""

_PAGE = 1000


@dataclass(slots=True)
class _Last:
    size: int = 0
    time: Instant = Instant(0)


class Proving:
    """What proves that the trace is whole."""

    def __init__(self, passage: Passage, custody: Custody) -> None:
        self._passage = passage
        self._custody = custody
        self._growing = Growing()
        self._last = _Last()
        state = custody.state()
        self.origin = origin_of(state)
        self.key = LogKey(self.origin, state.public_key)

    def checkpoint(self) -> int:
        """Sign the tree as it stands, and keep the note. Gives its size."""
        with self._passage.store.snapshot() as snapshot:
            size, root = self._growing.catch_up(snapshot)
        if size > self._last.size:
            note = self._custody.sign(size, root, self.origin)
            self._passage.store.submit(lambda txn: keep(txn, size, root, note)).result()
            self._last = _Last(size, self._passage.clock())
        return size

    def checkpoint_if_due(self) -> None:
        """Make a checkpoint when a second has passed or 1 000 entries stand since the last one."""
        with self._passage.store.snapshot() as snapshot:
            size = snapshot.ledger_size()
        if due(size, self._last.size, self._passage.clock(), self._last.time):
            self.checkpoint()

    def verify(self, *, unlocked: bool = True, progress: Progress | None = None) -> Report:
        """Verify every row against the tree, the checkpoints and custody; unlocked, every body too."""
        remembered = self._custody.remembered()
        known = [Kept(remembered.size, remembered.root)] if remembered else []
        with self._passage.store.snapshot() as snapshot:
            trails = self._trails(snapshot) if unlocked else None
            return verify(snapshot, self.key, remembered=known, trails=trails, progress=progress)

    async def trail(self, asking: Asking, patient: str) -> list[Body]:
        """Give the entries of a record that its holder or representative may read, newest first."""
        passage = self._passage
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
        hidden = {Chain.DEFERRED} | ({Chain.PROTECTED} if verdict.rule != "G1.holder" else set())
        if not any(unit.timer_end and unit.timer_end > asking.now for unit in view.head.classes()):
            hidden -= {Chain.DEFERRED} if verdict.rule == "G1.holder" else set()
        keys = TraceKeys(self._custody.year_keys(located.record))
        with passage.store.snapshot() as snapshot:
            bodies = [
                body for body in _bodies(snapshot, keys) if body.chain not in hidden and not _repeated(body)
            ]
        return bodies[::-1]

    def _trails(self, snapshot: Snapshot) -> Iterator[RecordTrail]:
        """Give the keys and the head of every record, one at a time."""
        after = b""
        while page := snapshot.records(after, _PAGE):
            for record in page:
                keys = TraceKeys(self._custody.year_keys(record))
                yield RecordTrail(record, keys.trail, list(keys.years.values()), head=_mark(snapshot, record))
            after = page[-1]


def origin_of(state: State) -> str:
    """Name the log in its checkpoints: by the installation, under a domain that nobody owns (RFC 2606)."""
    return f"serment.invalid/{state.store.hex()}"


def _repeated(body: Body) -> bool:
    """Say whether the entry is a birth told again by another chain."""
    return body.event.interaction is Interaction.BIRTH and body.chain is not Chain.ORDINARY


def _mark(snapshot: Snapshot, record: RecordToken) -> HeadMark | None:
    row = snapshot.record(record)
    return None if row is None else HeadMark(head_hash(row.head), row.epoch)


def _bodies(snapshot: Snapshot, keys: TraceKeys) -> Iterator[Body]:
    for year in keys.years.values():
        for row in snapshot.entries_of(year.token(TOKEN_LABEL)):
            data = body_data(entry_bytes(row.kind, row.commitment))
            yield body_from(unboxed(year.open(row.body, data)))
