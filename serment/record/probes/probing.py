"""Three probes of what is promised: integrity, confidentiality, availability (capability 2-11, ADR 67).

Each runs on a period, by one thread of one process, and when somebody asks. What it found is kept in the
register, so that a status survives a restart; while the store takes nothing, it is kept in memory. A result
that is older than its period, or from the future, says nothing any more: it is never shown as passing.

A finding has an id, a level and numbers. No finding is about a person, and none names a file of a patient.
Order: the nouns, what each probe looks at, running and standing.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

import msgspec

from serment.errors import ConflictError, CustodyError, DependencyError, IntegrityError, SermentError
from serment.keys.custody.contract import Custody, Phase, StoreKind
from serment.ledger.entry import Interaction
from serment.model import Instant, Purpose, RequestId
from serment.record.alarms import INTEGRITY
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.probes.disk import DiskSearch
from serment.record.probes.premises import GIGABYTE, SCARCE, SPENT, Premises
from serment.record.proving import Proving
from serment.record.registry import Registry
from serment.record.today import KEEPER
from serment.record.writing import new_id

DRAWER: Final = "probe"
HOUR: Final = 3600 * 1000
SOON: Final = 10_000
"""Milliseconds after the start before the first probe that is due: whoever waits at the door comes first."""
RETRY: Final = 5 * 60 * 1000
MARKERS: Final = "marker"
"""The drawer of the marker that a probe plants, sealed like anything else, and then looks for on the disk."""
LARGEST: Final = 512 * 1024 * 1024
"""Bytes of the largest file that is searched for the marker: what was just written is in the log first."""
SAMPLE: Final = 50
"""Records whose rows one probe reads again, from a random one on; `serment ledger verify` reads all."""


class Probe(StrEnum):
    """What is probed."""

    INTEGRITY = "integrity"
    CONFIDENTIALITY = "confidentiality"
    AVAILABILITY = "availability"


PERIODS: Final = {
    Probe.INTEGRITY: 12 * HOUR,
    Probe.CONFIDENTIALITY: 24 * HOUR,
    Probe.AVAILABILITY: 2 * HOUR,
}
"""For how long (ms) a result counts. A probe runs again at half of that."""


class Level(StrEnum):
    """How a finding stands. A `note` is a limit that is said; what needs an act has one to do."""

    GOOD = "good"
    NOTE = "note"
    ATTENTION = "attention"
    FAILED = "failed"


class Status(StrEnum):
    """How a probe stands, the worst of its findings."""

    PASSING = "passing"
    ATTENTION = "attention"
    FAILED = "failed"
    STALE = "stale"
    NEVER = "never"


class Finding(msgspec.Struct, array_like=True, frozen=True):
    """One thing that was looked at."""

    id: str
    level: Level
    values: dict[str, int] = {}


class Result(msgspec.Struct, array_like=True, frozen=True):
    """What one run found. `at` is an instant, `took` a duration, both in ms."""

    at: int
    took: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one probe stands now. `age` in ms, None when it never ran."""

    probe: Probe
    status: Status
    period: int
    age: int | None
    result: Result | None


def standing_of(probe: Probe, result: Result | None, now: Instant) -> Standing:
    """Say how a probe stands at `now`; a result that is too old, or from the future, is stale."""
    period = PERIODS[probe]
    if result is None:
        return Standing(probe, Status.NEVER, period, None, None)
    age = now - result.at
    if not 0 <= age <= period:
        return Standing(probe, Status.STALE, period, age, result)
    levels = {finding.level for finding in result.findings}
    if Level.FAILED in levels:
        status = Status.FAILED
    else:
        status = Status.ATTENTION if Level.ATTENTION in levels else Status.PASSING
    return Standing(probe, status, period, age, result)


# What each probe looks at.


def of_integrity(proving: Proving) -> Iterable[Finding]:
    """Verify the ledger and read a sample of the records again."""
    ledger, sample = proving.probe(SAMPLE)
    faults = len(ledger.faults)
    level = Level.GOOD if ledger.ok else Level.FAILED
    yield Finding("ledger", level, {"size": ledger.size, "faults": faults})
    broken = len(sample.faults)
    yield Finding("sample", Level.FAILED if broken else Level.GOOD, {"rows": sample.rows, "faults": broken})
    yield Finding("witness", Level.NOTE)


def of_disk(id_: str, disk: DiskSearch) -> Finding:
    """Say what a search of the disk found: names of patients on a demo store, a planted marker elsewhere."""
    counted = {"files": disk.files, "megabytes": disk.bytes // 1_000_000, "passed": disk.passed}
    level = Level.FAILED if disk.found else Level.GOOD
    return Finding(id_, level, {**counted, "names": disk.names, "found": disk.found})


def of_confidentiality(seen: Premises, custody: Custody, kind: StoreKind) -> Iterable[Finding]:
    """Look at what stands between a thief and the keys."""
    yield Finding("keys", Level.GOOD if seen.keys_apart else Level.ATTENTION)
    yield Finding("way", Level.GOOD if seen.loopback or seen.tls else Level.FAILED)
    opened = seen.open_to_others
    yield Finding("modes", Level.ATTENTION if opened else Level.GOOD, {"count": opened})
    yield Finding("locked", Level.GOOD if kind is StoreKind.PRODUCTION else Level.NOTE)
    state = custody.state()
    tried = state.wrong_passphrases + state.alarms
    level = Level.ATTENTION if tried else Level.GOOD
    yield Finding("tries", level, {"wrong": state.wrong_passphrases, "alarms": state.alarms})


def of_availability(seen: Premises, passage: Passage, custody: Custody) -> Iterable[Finding]:
    """Look at the disk, the waiting traces and custody, and say what Serment has not: a backup."""
    level = Level.GOOD if seen.free >= SCARCE else Level.ATTENTION
    yield Finding("space", Level.FAILED if seen.free < SPENT else level, {"gigabytes": seen.free // GIGABYTE})
    waiting, owed = int(bool(passage.spooling.waiting)), int(bool(passage.spooling.owed))
    yield Finding("traces", Level.ATTENTION if waiting or owed else Level.GOOD)
    yield Finding("spool", Level.GOOD if seen.spool_apart else Level.ATTENTION)
    yield Finding("custody", Level.GOOD if _answers(custody) else Level.FAILED)
    yield Finding("backup", Level.ATTENTION)


def _answers(custody: Custody) -> bool:
    with contextlib.suppress(CustodyError):
        return custody.state().phase is Phase.OPEN
    return False


# Running and standing.


class Probing:
    """The probes of one installation. Calls block, and may come from any thread.

    `look` says what surrounds the store and `search` searches its disk, given by whoever knows where it
    stands. `search_disk` looks for names on the disk of a demo store, and gives None elsewhere.
    """

    def __init__(self, passage: Passage, proving: Proving, custody: Custody, kind: StoreKind) -> None:
        self._passage, self._proving, self._custody, self._kind = passage, proving, custody, kind
        self._registry = Registry(passage)
        self._one = Lock()
        self._unkept: dict[Probe, Result] = {}
        self._due: dict[Probe, int] = {}
        self.look: Callable[[], Premises] | None = None
        self.search: Callable[[Sequence[str]], DiskSearch] | None = None

    def standing(self, asking: Asking) -> list[Standing]:
        """Say where each probe stands, from what is kept. Raises as the register does."""
        kept = self._kept(asking)
        return [standing_of(probe, kept.get(probe), asking.now) for probe in Probe]

    def run(
        self,
        asking: Asking,
        search_disk: Callable[[], DiskSearch | None],
        probes: Iterable[Probe] = tuple(Probe),
    ) -> None:
        """Run probes now, in the name of who asks. Raises `ConflictError` while others run."""
        if not self._one.acquire(blocking=False):
            raise ConflictError("officer.probe-running")
        try:
            for probe in probes:
                self._run(asking, probe, search_disk)
        finally:
            self._one.release()

    def turn(self, search_disk: Callable[[], DiskSearch | None]) -> list[Probe]:
        """Run the probes that are due; give which. Raises as `run` does."""
        asking = Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), self._passage.clock())
        if not self._due:
            self._due = _due(self._kept(asking), asking.now)
        due = [probe for probe, at in self._due.items() if at <= asking.now]
        for probe in due:
            self._due[probe] = asking.now + RETRY
        if due:
            self.run(asking, search_disk, due)
        return due

    def _run(self, asking: Asking, probe: Probe, search_disk: Callable[[], DiskSearch | None]) -> None:
        """Run one probe and keep what it found; its finding about the store is whether that was kept."""
        began = self._passage.clock()
        findings = tuple(self._findings(asking, probe, search_disk))
        if any(one.level is Level.FAILED for one in findings) and probe is Probe.INTEGRITY:
            self._passage.alarms.ring(INTEGRITY)
        result = Result(began, max(0, self._passage.clock() - began), findings)
        self._due[probe] = began + PERIODS[probe] // 2
        try:
            self._keep(asking, probe, _writable(result, probe, Level.GOOD))
            self._unkept.pop(probe, None)
        except DependencyError:
            self._unkept[probe] = _writable(result, probe, Level.FAILED)

    def _findings(
        self, asking: Asking, probe: Probe, search_disk: Callable[[], DiskSearch | None]
    ) -> list[Finding]:
        """Look; what cannot be looked at is a finding that failed, never one that is left out."""
        try:
            if probe is Probe.INTEGRITY:
                return list(of_integrity(self._proving))
            if self.look is None:
                return [Finding("unseen", Level.FAILED)]
            seen = self.look()
            if probe is Probe.CONFIDENTIALITY:
                return [self._mute(asking, search_disk), *of_confidentiality(seen, self._custody, self._kind)]
            return list(of_availability(seen, self._passage, self._custody))
        except IntegrityError:
            return [Finding("altered", Level.FAILED)]
        except (SermentError, OSError):
            return [Finding("unseen", Level.FAILED)]

    def _mute(self, asking: Asking, search_disk: Callable[[], DiskSearch | None]) -> Finding:
        """Search the disk for the names of a demo store, elsewhere for a marker that was just sealed."""
        disk = search_disk()
        if disk is not None:
            return of_disk("disk", disk)
        if self.search is None:
            return Finding("unseen", Level.FAILED)
        marker = f"marker-{secrets.token_hex(16)}"
        self._registry.change(
            asking, MARKERS, MARKERS, lambda _: marker.encode(), interaction=Interaction.PROBE
        )
        return of_disk("marker", self.search([marker]))

    def _keep(self, asking: Asking, probe: Probe, result: Result) -> None:
        value = msgspec.msgpack.encode(result)
        self._registry.change(asking, DRAWER, probe.value, lambda _: value, interaction=Interaction.PROBE)

    def _kept(self, asking: Asking) -> dict[Probe, Result]:
        """Read what was kept, and what could not be: the newer of the two."""
        found = dict(self._unkept)
        for name, value in self._registry.all(asking, DRAWER).items():
            probe, result = Probe(name), _read(value)
            if probe not in found or found[probe].at <= result.at:
                found[probe] = result
        return found


def _due(kept: dict[Probe, Result], now: Instant) -> dict[Probe, int]:
    """Say when each probe runs first after a start: half a period after its last run, or soon."""
    last = {probe: result.at for probe, result in kept.items() if result.at <= now}
    return {probe: max(now + SOON, last.get(probe, 0) + PERIODS[probe] // 2) for probe in Probe}


def _writable(result: Result, probe: Probe, level: Level) -> Result:
    """Say of availability whether its own result could be written down."""
    if probe is not Probe.AVAILABILITY:
        return result
    return msgspec.structs.replace(result, findings=(Finding("store", level), *result.findings))


def _read(value: bytes) -> Result:
    try:
        return msgspec.msgpack.decode(value, type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
