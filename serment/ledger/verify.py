"""Read the whole ledger again and say what does not agree.

Locked, without a key:

1. rows run from 1 without a hole;
2. each stored checkpoint is ours, agrees with its columns, and has the root of its first rows;
3. the ledger is not behind, nor other than, what custody and the spool remember.

Unlocked, with the keys of the records, one record at a time:

4. each body opens beside its own kind and commitment, is canonical and gives that commitment;
5. hour, kind, key and record in clear are those of the body;
6. each chain counts from 1 and names the entry before it, and no late trace was entered twice;
7. the chain row says where the chains end, and carries the mark of the record's head as it stands;
8. no row is left that no record claims.

Hour, yearly token, key id and body are not in the tree: only the unlocked verification sees them
changed. Faults are collected, never raised; what the rows cannot even give (a malformed file) is
raised by the store.

Places left: a year that was made to expire is named in `RecordTrail.expired`, its rows are counted
and not opened; a witness's cosignature and the map of heads join rule 2; the patient's own verifier
runs rules 4 to 6 on an export, with inclusion proofs instead of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from serment.errors import IntegrityError, LedgerError
from serment.ledger.append import chain_state
from serment.ledger.chains import Chain, HeadMark, Link
from serment.ledger.checkpoint import LogKey, Remembered
from serment.ledger.checkpoint import verify as verify_checkpoint
from serment.ledger.entry import Body, Interaction, entry_leaf
from serment.ledger.follow import follows, is_clear_true, is_committed, open_row, rows_of
from serment.ledger.port import Entry, Rows, TrailKey, YearKey
from serment.ledger.tree import Frontier
from serment.model import RecordToken
from serment.words import Language, say

__all__ = ["Fault", "FaultKind", "Notice", "RecordTrail", "Remembered", "Report", "verify"]

MOST_FAULTS = 1_000
_PROGRESS_EVERY = 1_000

Stored = tuple[int, bytes, bytes]
Progress = Callable[[int, int], None]


class FaultKind(StrEnum):
    """What does not agree; `ledger.fault-<kind>` says it to a person."""

    SEQUENCE = "sequence"
    ENTRY = "entry"
    CHECKPOINT = "checkpoint"
    NO_CHECKPOINT = "no-checkpoint"
    ROOT = "root"
    BEHIND = "behind"
    REMEMBERED = "remembered"
    BODY = "body"
    COMMITMENT = "commitment"
    CLEAR = "clear"
    CHAIN = "chain"
    REPEATED = "repeated"
    CHAIN_ROW = "chain-row"
    HEAD = "head"
    UNCLAIMED = "unclaimed"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not agree, at one sequence (or tree size, for a checkpoint)."""

    kind: FaultKind
    sequence: int

    def said(self, language: Language) -> str:
        """Say it to a person."""
        return say(f"ledger.fault-{self.kind.value}", language, sequence=self.sequence)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader must know and that is no fault."""

    sentence: str
    parameters: dict[str, object] = field(default_factory=dict)

    def said(self, language: Language) -> str:
        """Say it to a person."""
        return say(self.sentence, language, **self.parameters)


@dataclass(frozen=True, slots=True)
class RecordTrail:
    """The keys of one record, for as long as its rows are read.

    `years` are its living year keys, `expired` the ids of those destroyed on purpose. `head` is the
    mark of the record's row as it stands now, or None when the caller does not ask about it.
    """

    record: RecordToken = field(repr=False)
    key: TrailKey = field(repr=False)
    years: Sequence[YearKey] = field(repr=False)
    expired: Sequence[bytes] = field(default=(), repr=False)
    head: HeadMark | None = field(default=None, repr=False)


@dataclass(slots=True)
class Report:
    """What was read and what did not agree. `opened` and `expired` count bodies of the ledger.

    `rows` counts sealed rows of records that the caller checked beside the ledger.
    """

    size: int = 0
    root: bytes = b""
    unlocked: bool = False
    opened: int = 0
    expired: int = 0
    late: int = 0
    rows: int = 0
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything that was read agrees."""
        return not self.faults

    def blame(self, kind: FaultKind, sequence: int) -> None:
        """Add a fault; after `MOST_FAULTS` the rest adds nothing."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(kind, sequence))


@dataclass(slots=True)
class _Claims:
    """Which rows some record claimed, and the keys of rows that nobody can claim any more."""

    sequences: set[int] = field(default_factory=set)
    expired: set[bytes] = field(default_factory=set)


def verify(
    rows: Rows,
    key: LogKey,
    *,
    checkpoints: Sequence[Stored] = (),
    remembered: Sequence[Remembered] = (),
    trails: Iterable[RecordTrail] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Verify the ledger; with `trails` (every record, the pseudo-records too) the bodies as well.

    `checkpoints` are (size, root, note) kept beside the last one, which the rows give. `trails` is
    read once, one record at a time. `progress` is told (rows done, rows to do).
    """
    report = Report(size=rows.ledger_size(), unlocked=trails is not None)
    claims: _Claims | None = None
    if trails is not None:
        claims = _verify_records(rows, trails, report)
    last = rows.checkpoint()
    stored = [*checkpoints, *([last] if last else [])]
    wanted = _wanted_roots(stored, key, remembered, report)
    _walk(rows, wanted, claims, report, progress)
    _judge_coverage(stored, report)
    return report


def _wanted_roots(
    stored: Sequence[Stored], key: LogKey, remembered: Sequence[Remembered], report: Report
) -> dict[int, list[tuple[FaultKind, bytes]]]:
    """Check the checkpoints by themselves (rule 2) and list the roots to meet on the way."""
    wanted: dict[int, list[tuple[FaultKind, bytes]]] = {}
    for size, root, raw in stored:
        try:
            checkpoint = verify_checkpoint(raw, key)
        except LedgerError:
            report.blame(FaultKind.CHECKPOINT, size)
            continue
        if (checkpoint.size, checkpoint.root) != (size, root):
            report.blame(FaultKind.CHECKPOINT, size)
        wanted.setdefault(checkpoint.size, []).append((FaultKind.ROOT, checkpoint.root))
    for head in remembered:
        wanted.setdefault(head.size, []).append((FaultKind.REMEMBERED, head.root))
    return wanted


def _walk(
    rows: Rows,
    wanted: dict[int, list[tuple[FaultKind, bytes]]],
    claims: _Claims | None,
    report: Report,
    progress: Progress | None,
) -> None:
    """Read every row once, in order: rules 1, 2, 3 and 8."""
    frontier = Frontier()
    clock = _Clock()
    _meet(wanted, frontier, report)
    for place, row in enumerate(rows.ledger_entries(1, report.size + 1), 1):
        if row.sequence != place:
            report.blame(FaultKind.SEQUENCE, place)
        try:
            frontier.append([entry_leaf(row.kind, row.commitment)])
        except LedgerError:
            report.blame(FaultKind.ENTRY, place)
        if place in wanted:
            _meet(wanted, frontier, report)
        if claims is not None:
            _claim(row, claims, report)
        clock.see(row)
        if progress is not None and place % _PROGRESS_EVERY == 0:
            progress(place, report.size)
    _end_walk(frontier, wanted, clock, report)


def _meet(wanted: dict[int, list[tuple[FaultKind, bytes]]], frontier: Frontier, report: Report) -> None:
    """Compare the roots that were promised for this size."""
    for kind, root in wanted.pop(frontier.size, ()):
        if frontier.root() != root:
            report.blame(kind, frontier.size)


def _claim(row: Entry, claims: _Claims, report: Report) -> None:
    """Rule 8: a row that no record claimed is a stranger, unless its year was made to expire."""
    if row.sequence in claims.sequences:
        return
    if row.key_id in claims.expired:
        report.expired += 1
    else:
        report.blame(FaultKind.UNCLAIMED, row.sequence)


def _end_walk(
    frontier: Frontier, wanted: dict[int, list[tuple[FaultKind, bytes]]], clock: _Clock, report: Report
) -> None:
    """Say what was promised beyond the last row."""
    report.root = frontier.root()
    if frontier.size != report.size:
        report.blame(FaultKind.SEQUENCE, frontier.size + 1)
    for size in wanted:
        report.blame(FaultKind.BEHIND, size)
    if clock.backwards:
        report.notices.append(
            Notice("ledger.notice-clock", {"count": clock.backwards, "sequence": clock.first})
        )


@dataclass(slots=True)
class _Clock:
    """Counts the places where the hours in clear step back by more than one."""

    hour: int = 0
    backwards: int = 0
    first: int = 0

    def see(self, row: Entry) -> None:
        """Take in the next row."""
        if row.hour < self.hour - 1:
            self.backwards += 1
            self.first = self.first or row.sequence
        self.hour = row.hour


def _judge_coverage(stored: Sequence[Stored], report: Report) -> None:
    """Say how far signatures reach, and who could still rewrite history."""
    reached = max((size for size, _, _ in stored), default=0)
    if report.size and not stored:
        report.blame(FaultKind.NO_CHECKPOINT, report.size)
    if stored and report.size > reached:
        report.notices.append(Notice("ledger.notice-unsigned", {"count": report.size - reached}))
    if report.late:
        report.notices.append(Notice("ledger.notice-late", {"count": report.late}))
    report.notices.append(Notice("ledger.notice-no-witness"))


def _verify_records(rows: Rows, trails: Iterable[RecordTrail], report: Report) -> _Claims:
    """Open the bodies of every record, one record at a time (rules 4 to 7)."""
    claims = _Claims()
    for trail in trails:
        claims.expired.update(trail.expired)
        ends = _verify_bodies(rows, trail, claims, report)
        _verify_chain_row(rows, trail, ends, report)
    return claims


def _verify_bodies(rows: Rows, trail: RecordTrail, claims: _Claims, report: Report) -> dict[Chain, Link]:
    """Follow the three chains of one record and give their ends."""
    ends = dict.fromkeys(Chain, Link())
    late: set[bytes] = set()
    for row, year in rows_of(rows, trail.years):
        claims.sequences.add(row.sequence)
        body = _open_row(row, year, trail.record, report)
        if body is None:
            continue
        report.opened += 1
        if not follows(body, ends[body.chain], first_may_be_gone=bool(trail.expired)):
            report.blame(FaultKind.CHAIN, row.sequence)
        ends[body.chain] = Link(body.p_seq, row.commitment, row.sequence)
        if body.late in late:
            report.blame(FaultKind.REPEATED, row.sequence)
        late.update({body.late} - {b""})
        _notice(body, report)
    return ends


def _open_row(row: Entry, year: YearKey, record: RecordToken, report: Report) -> Body | None:
    """Open one body and compare it with what stands in clear (rules 4 and 5)."""
    try:
        body, raw = open_row(row, year)
    except IntegrityError:
        report.blame(FaultKind.BODY, row.sequence)
        return None
    if not is_committed(row, raw):
        report.blame(FaultKind.COMMITMENT, row.sequence)
    if not is_clear_true(row, body, year, record):
        report.blame(FaultKind.CLEAR, row.sequence)
    return body


def _verify_chain_row(rows: Rows, trail: RecordTrail, ends: dict[Chain, Link], report: Report) -> None:
    """Rule 7. Chains whose every entry expired are taken from the row itself."""
    newest = max(link.sequence for link in ends.values())
    try:
        state = chain_state(rows, trail.record, trail.key)
    except IntegrityError:
        report.blame(FaultKind.CHAIN_ROW, newest)
        return
    for chain, end in ends.items():
        if state.link(chain) != end and not (end.count == 0 and trail.expired):
            report.blame(FaultKind.CHAIN_ROW, end.sequence)
    if trail.head is not None and trail.head != state.head:
        report.blame(FaultKind.HEAD, newest)


def _notice(body: Body, report: Report) -> None:
    """Say the gaps that the ledger itself owns to, and count what was entered late."""
    event = body.event
    report.late += bool(body.late)
    if event.interaction is Interaction.GAP:
        sentence = "ledger.notice-gap" if event.count else "ledger.notice-gap-uncounted"
        parameters: dict[str, object] = {"count": event.count, "since": event.t, "until": event.until}
        report.notices.append(Notice(sentence, parameters))
