"""The import: portions to lots, lots to transactions, and the report.

received = stored + quarantined, always: what was read is counted apart from what became of it, and an
import whose counts differ ends in an error, not in a report. An import that was cut goes on at the
place that its last lot committed; one that ended begins again and meets itself.

Order: who imports, progress, report, the run. Lots are written by `record/importing`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from serment.errors import ConflictError, IntegrityError, TooManyError
from serment.intake.import_ import prepare, quarantine
from serment.intake.import_.prepare import Known, Made
from serment.intake.import_.report import ImportProgress, ImportReport
from serment.intake.import_.sources import Broken, Count, Phase, Portion, chunks_of, plan, whole_of
from serment.model import Actor, ActorId, ActorKind, Instant, Purpose, RequestId
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.importing import (
    OWNER_MISSING,
    Arrival,
    Births,
    Deposited,
    Importing,
    Lot,
    Progress,
    Tally,
)
from serment.record.writing import new_id

T = TypeVar("T")

IMPORTER = "service:import"
LOT = 1000
"""Resources in one transaction, at most: a bundle of no more is one transaction, a chunk of lines too."""

IN_FLIGHT = 2
PATIENCE = 30
"""Times that a lot is tried again when custody asks to wait."""

DONE = 1 << 62
"""The place that is reached when a bundle was taken in whole."""


def service(house: House, structure: str) -> Asking:
    """Ask as the importing service of a structure; every lot is a request of its own, at its own instant."""
    actor = Actor(ActorId(IMPORTER), ActorKind.SERVICE, "Import", structure=structure)
    return Asking(actor, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), house.passage.clock())


def run(
    house: House,
    source: Path,
    asking: Asking,
    *,
    name: str = "",
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> ImportReport:
    """Import a file or a folder, or go on with an import that was cut.

    `asking` is that of `service`; `name` names the system that the data come from (default: the
    folder's or file's name): the same source imported again meets itself. Raises `RequestError`
    (nothing to import, may not), `IntegrityError` (counts differ) and what custody and store raise.
    """
    importing = Importing(house.passage)
    importing.check(asking)
    portions = plan(source)
    importer = _Run(house, importing, asking, name or source.resolve().name, progress)
    importer.total = sum(portion.size for portion in portions)
    return importer.run(portions)


@dataclass(frozen=True, slots=True)
class _Flying:
    """A lot that the writer has, and what it needs to be given again."""

    asking: Asking
    lot: Lot
    births: Births
    future: Future[Deposited]


@dataclass(slots=True)
class _Run:
    """One import in progress."""

    house: House
    importing: Importing
    asking: Asking
    name: str
    progress: Callable[[ImportProgress], None]
    known: Known = field(init=False)
    tally: Tally = field(default_factory=Tally)
    total: int = 0
    passed: int = 0
    here: int = 0
    received: int = 0
    resumed: bool = False
    began: float = field(default_factory=time.monotonic)
    flying: deque[_Flying] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.known = Known(lambda type_, key: self.importing.id_of(self.name, type_, key))

    def run(self, portions: Sequence[Portion]) -> ImportReport:
        """Take in every portion, file what was waiting for its owner, check the counts, and finish."""
        for portion in portions:
            self._portion(portion)
            self.passed += portion.size
            self.here = 0
        self._drain()
        self._tell()
        self._file_what_waited()
        if self.received != self.tally.total:
            raise IntegrityError(
                "importing.counts-differ",
                received=self.received,
                stored=self.tally.stored,
                quarantined=self.tally.quarantined,
            )
        self.importing.finish(self.name, [portion.mark for portion in portions])
        return self._report(len({portion.path for portion in portions}))

    def _portion(self, portion: Portion) -> None:
        place, before = self.importing.reached(self.name, portion.mark)
        self.tally.add(before)
        self.resumed = self.resumed or place > 0
        if portion.phase in {Phase.FIRST_LINES, Phase.OTHER_LINES}:
            self._lines(portion, place)
        else:
            self._bundle(portion, place, before)

    def _bundle(self, portion: Portion, place: int, before: Tally) -> None:
        if place == DONE and portion.phase is Phase.BUNDLES:
            self.received += before.total
            return
        whole, now = whole_of(portion.path), self.house.passage.clock()
        if isinstance(whole, Broken):
            made = prepare.broken(portion.path, whole.reason, self.known)
        else:
            made = prepare.of_bundle(whole, self.known, now)
        self.received += made.count
        if place != DONE:
            self._lots(portion, made, now, place, 0, DONE)

    def _lines(self, portion: Portion, place: int) -> None:
        """Take in the lines of one pass; the last pass counts all lines of the file."""
        start, count = 0, Count()
        for chunk in chunks_of(portion.path, portion.phase, count):
            self.here = count.at
            now, stop = self.house.passage.clock(), start + 1
            if isinstance(chunk, Broken):
                made = prepare.broken(portion.path, chunk.reason, self.known)
                if portion.phase is Phase.FIRST_LINES:
                    break
                count.lines += 1
            else:
                stop = start + len(chunk)
                if stop <= place and portion.phase is not Phase.FIRST_LINES:
                    start = stop
                    continue
                made = prepare.of_lines(chunk, portion.phase, self.known, now)
            if stop > place:
                self._lots(portion, made, now, place, start, stop)
            start = stop
        if portion.phase is Phase.OTHER_LINES:
            self.received += count.lines

    def _lots(self, portion: Portion, made: Made, now: Instant, place: int, start: int, stop: int) -> None:
        """Write what was made ready in lots; what a cut import had reached is left out."""
        left = made.arrivals[max(0, place - start) :]
        begin = max(place, start)
        groups = list(_groups(left))
        for number, group in enumerate(groups):
            end = stop if number == len(groups) - 1 else begin + len(group)
            progress = Progress(portion.mark, begin, end)
            self._write(Lot(self.name, now, group, progress, self.known.people))
            begin = end

    def _write(self, lot: Lot) -> None:
        asking = replace(self.asking, request=RequestId(new_id()), now=lot.now)
        births = self._patiently(lambda: self.importing.births(asking, lot))
        self._patiently(lambda: self.importing.warm(asking, lot, births))
        future = self.importing.deposit(asking, lot, births)
        self.flying.append(_Flying(asking, lot, births, future))
        while len(self.flying) > IN_FLIGHT:
            self._settle()
        self._tell()

    def _drain(self) -> None:
        while self.flying:
            self._settle()

    def _settle(self) -> None:
        """Wait for the oldest lot; one that lost its turn is given again, alone."""
        lost = self.flying.popleft()
        try:
            deposited = lost.future.result()
        except (TooManyError, ConflictError):
            for other in self.flying:
                other.future.exception()
            deposited = self._patiently(
                lambda: self.importing.deposit(lost.asking, lost.lot, lost.births).result()
            )
        self.tally.add(deposited.tally)
        self.importing.hold(deposited, lost.asking.now)

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do what asks custody for keys; wait when it says that there were too many."""
        for _ in range(PATIENCE):
            try:
                return work()
            except TooManyError as error:
                seconds = error.parameters.get("seconds")
                time.sleep(seconds if isinstance(seconds, int) else 1)
        return work()

    def _file_what_waited(self) -> None:
        """Try again what came before the record that it belongs to."""
        if not self.tally.quarantined:
            return
        waiting = self.importing.waiting(self.asking, self.name)
        if waiting[OWNER_MISSING]:
            quarantine.retry(self.house, self.asking, source=self.name, reason=OWNER_MISSING, counted=True)
        filed = self.importing.filed_late(self.name)
        self.tally.created += filed
        self.tally.quarantined -= filed
        self.tally.reasons[OWNER_MISSING] -= filed
        if self.resumed:
            # What was counted before the cut is known by number only: the quarantine knows why.
            self.tally.reasons = self.importing.waiting(self.asking, self.name)

    def _tell(self) -> None:
        seconds = time.monotonic() - self.began
        done = min(self.passed + self.here, self.total)
        self.progress(ImportProgress(done, self.total, self.tally.total, seconds))

    def _report(self, files: int) -> ImportReport:
        tally = self.tally
        return ImportReport(
            source=self.name,
            files=files,
            received=self.received,
            created=tally.created,
            updated=tally.updated,
            already=tally.already,
            quarantined=tally.quarantined,
            reasons={reason: count for reason, count in sorted(tally.reasons.items()) if count > 0},
            unresolved=self.known.unresolved,
            seconds=time.monotonic() - self.began,
            resumed=self.resumed,
        )


def _groups(arrivals: Sequence[Arrival]) -> Iterator[Sequence[Arrival]]:
    """Cut into transactions: none too long, none that writes a resource twice. One, empty, for none."""
    group: list[Arrival] = []
    names: set[tuple[str, str]] = set()
    for one in arrivals:
        if len(group) >= LOT or (one.type, one.id) in names:
            yield group
            group, names = [], set()
        group.append(one)
        names.add((one.type, one.id))
    yield group
