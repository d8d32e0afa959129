"""The import: portions to lots, lots to transactions, and the report.

received = stored + quarantined, always: what was read is counted apart from what became of it, and an
import whose counts differ ends in an error, not in a report. An import that was cut goes on at the
place that its last lot committed; one that ended begins again and meets itself.

Order: who imports, progress, report, the run. Lots are written by `record/imports/importing`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from serment.errors import ConflictError, IntegrityError, TooManyError
from serment.intake.import_ import quarantine
from serment.intake.import_.naming import Directory
from serment.intake.import_.report import ImportProgress, ImportReport
from serment.intake.import_.sources import Portion, plan, size_of
from serment.intake.import_.steps import Step, Walk
from serment.intake.import_.workers import MOST_WORKERS, Making, Taken, Workers, alone, cores
from serment.model import Actor, ActorId, ActorKind, Purpose, RequestId
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.imports.importing import OWNER_MISSING, Births, Deposited, Importing
from serment.record.imports.lot import Arrival, Lot, Progress, Tally
from serment.record.writing import new_id

T = TypeVar("T")

IMPORTER = "service:import"
LOT = 1000
"""Resources in one transaction, at most: a bundle of no more is one transaction, a chunk of lines too."""

IN_FLIGHT = 2
PATIENCE = 30
"""Times that a lot is tried again when custody asks to wait."""

SMALL = 24 * 1024 * 1024
"""Bytes, unpacked, of an import that one process has done by the time that others have started."""


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
    workers: int = 0,
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> ImportReport:
    """Import a file or a folder, or go on with an import that was cut.

    `workers` processes read and make ready: 1 is this one, 0 as many as there are processors for a source
    that is worth their start. What is written is the same.

    `asking` is that of `service`; `name` names the system that the data come from (default: the
    folder's or file's name): the same source imported again meets itself. Raises `RequestError`
    (nothing to import, may not), `IntegrityError` (counts differ) and what custody and store raise.
    """
    importing = Importing(house.passage)
    importing.check(asking)
    count = workers or crew_for(source)
    # They start while the source is looked over.
    with nullcontext() if count == 1 else Workers(count) as crew:
        portions = plan(source)
        importer = _Run(house, importing, asking, name or source.resolve().name, progress)
        importer.total = sum(portion.size for portion in portions)
        return importer.run(portions, alone if crew is None else crew.made)


def crew_for(source: Path) -> int:
    """Say how many processes are to read for an import: one is this one."""
    return min(cores(), MOST_WORKERS) if size_of(source) > SMALL else 1


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
    directory: Directory = field(init=False)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    tally: Tally = field(default_factory=Tally)
    total: int = 0
    at: int = 0
    received: int = 0
    unresolved: int = 0
    aside: int = 0
    resumed: bool = False
    began: float = field(default_factory=time.monotonic)
    flying: deque[_Flying] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.directory = Directory(partial(self.importing.id_of, self.name))

    def run(self, portions: Sequence[Portion], made: Making) -> ImportReport:
        """Take in every portion, file what was waiting for its owner, check the counts, and finish."""
        walk = Walk(partial(self.importing.reached, self.name), self.house.passage.clock)
        for taken in made(walk.over(portions), self.directory):
            self._take(taken)
        self._drain()
        self.at = self.total
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

    def _take(self, taken: Taken) -> None:
        """Count one piece, and write it where it is not written yet."""
        step = taken.step
        self.at = step.at
        self.unresolved += taken.made.unresolved
        self.aside += sum(bool(one.prepared and one.prepared.aside) for one in taken.made.arrivals)
        self.received += step.received + (taken.made.count if step.is_whole else 0)
        if step.before is not None:
            self.tally.add(step.before)
            self.resumed = self.resumed or step.place > 0
        if taken.people:
            # Another dictionary: lots on their way have the professionals met before them, and no others.
            self.people = self.people | taken.people
        if step.stop > step.place:
            self._lots(step, taken.made.arrivals)

    def _lots(self, step: Step, arrivals: Sequence[Arrival]) -> None:
        """Write what was made ready in lots; what a cut import had reached is left out."""
        left = arrivals[max(0, step.place - step.start) :]
        begin = max(step.place, step.start)
        groups = list(_groups(left))
        for number, group in enumerate(groups):
            end = step.stop if number == len(groups) - 1 else begin + len(group)
            progress = Progress(step.portion.mark, begin, end)
            self._write(Lot(self.name, step.now, group, progress, self.people))
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
        self.progress(ImportProgress(min(self.at, self.total), self.total, self.tally.total, seconds))

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
            unresolved=self.unresolved,
            aside=self.aside,
            seconds=time.monotonic() - self.began,
            resumed=self.resumed,
            suspected=self.importing.suspected(self.asking),
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
