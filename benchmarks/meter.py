"""What a server takes while it is under load, from /proc: processor time and memory, process by process.

Order: one process and those it started, a server beside its custody and database, the rows of one load. The
server's own processes are counted apart from custody, from PostgreSQL and from the client.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import Row, median_row
from benchmarks.client import Load, load
from benchmarks.installation import POSTGRESQL, database_server

PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def family(process: int) -> Iterator[int]:
    """Give the number of a process and of those that it started and that still run."""
    yield process
    yield from map(int, Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split())


def cpu_seconds(process: int) -> float:
    """Give the processor time that a process and those it started have used, user and system."""
    return sum(map(_cpu_seconds, family(process))) if process else 0.0


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """Give the memory of a process and of those it started, in MB; of a shared page its part (PSS)."""
    texts = [Path(f"/proc/{one}/smaps_rollup").read_text("ascii") for one in family(process)]
    return sum(int(found[1]) for found in map(PSS.search, texts) if found) * 1024 / 1e6


@dataclass(frozen=True, slots=True)
class Beside:
    """A server, its custody and its database, as numbers of processes; 0 is none."""

    server: int
    custody: int
    database: int = 0

    @classmethod
    def of(cls, server: int, custody: int, store: str) -> Beside:
        """Name the processes of a server on one of `STORES`."""
        found = database_server().process if store == POSTGRESQL else None
        return cls(server, custody, found.pid if found else 0)

    def spent(self) -> tuple[float, float, float]:
        """Give the processor time of the three so far, in seconds."""
        return cpu_seconds(self.server), cpu_seconds(self.custody), cpu_seconds(self.database)


@dataclass(frozen=True, slots=True)
class Measured:
    """Some runs of one load. `spent`: seconds of server, custody, database; `memory`: MB of the server."""

    runs: list[Load]
    spent: tuple[float, ...]
    memory: float

    def each(self, seconds: float) -> float:
        """Share seconds among the answers: µs for one."""
        return seconds / sum(run.answers for run in self.runs) * 1e6

    @property
    def others(self) -> str:
        """Say what others than the server used for one answer, what failed, and how the kinds differ."""
        shares = zip(("custody", "database"), self.spent[1:], strict=True)
        said = [f"{name} {self.each(spent):,.0f} µs" for name, spent in shares if self.each(spent) >= 1]
        said.append(f"client {self.each(sum(run.processor for run in self.runs)):,.0f} µs")
        failed = sum((Counter(run.failed) for run in self.runs), Counter[str]())
        return ", ".join([*said, *(f"{count} FAILED ({kind})" for kind, count in failed.items())])

    @property
    def kinds(self) -> str:
        """Say the median of each kind of request, where there are several."""
        kinds = self.runs[0].of
        shown = [f"{kind} {median(run.of[kind] for run in self.runs):.3g}" for kind in kinds]
        return " ".join(sorted(shown)) if len(kinds) > 1 else ""


def measure(beside: Beside, plans: Sequence[dict[str, Any]]) -> Measured:
    """Load a server with one plan after the other and look at what it took."""
    before = beside.spent()
    seen = [load(plan) for plan in plans]
    spent = tuple(after - first for after, first in zip(beside.spent(), before, strict=True))
    return Measured(seen, spent, memory(beside.server))


def rows(name: str, measured: Measured, note: str) -> list[Row]:
    """Write down one load: rate, p50, p99, processor time of the server for one answer, its memory."""
    runs = measured.runs
    return [
        median_row(name, [one.rate for one in runs], "/s", note),
        median_row(f"{name}: p50", [one.p50 for one in runs], "ms", measured.kinds),
        median_row(f"{name}: p99", [one.p99 for one in runs], "ms"),
        Row(
            f"{name}: processor",
            measured.each(measured.spent[0]),
            "µs each",
            len(runs),
            f"besides: {measured.others}",
        ),
        Row(f"{name}: memory", measured.memory, "MB", 1, "of the server's processes (PSS)"),
    ]
